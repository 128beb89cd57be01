/** The script of the page, and with `?worker` that of its worker. It is bundled and served, and the tests call its functions. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { createAuth, type TokenResponse } from '../../src/index.ts'
import { indexedDBKeys } from '../../src/oauth2/dpop/keys.ts'
import { dpopProofs } from '../../src/oauth2/index.ts'
import { webStorage } from '../../src/storage/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'

const parameters = new URL(location.href).searchParams
const api = parameters.get('api') ?? ''

function createSession() {
  const proofs = dpopProofs()
  const post = async (fields: Record<string, string>, signal: AbortSignal): Promise<TokenResponse> => {
    const init = { method: 'POST', signal, body: new URLSearchParams(fields) }
    const response = await proofs.fetch(`${api}/token`, init)
    if (!response.ok) throw response
    return response.json()
  }
  return createAuth<{ username: string }>({
    proof: proofs,
    signIn: ({ username }, { signal }) =>
      post({ grant_type: 'password', username, password: 'correct' }, signal),
    refresh: ({ refreshToken = '', signal }) =>
      post({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    retry: { minDelay: 1, jitter: 0 },
    ...(typeof localStorage === 'object' && { storage: webStorage(() => localStorage) }),
  })
}

/** Tabs take each step together: a step ends when both have announced it. */
function createBarrier(name: string) {
  const channel = new BroadcastChannel(name)
  let mine = -1
  let theirs = -1
  let proceed = () => {}
  channel.onmessage = ({ data }) => {
    theirs = Math.max(theirs, data)
    proceed()
  }
  return (step: number) =>
    new Promise<void>((resolve) => {
      mine = step
      channel.postMessage(mine)
      proceed = () => {
        if (theirs < mine) return
        proceed = () => {}
        resolve()
      }
      proceed()
    })
}

/** A session that all tabs share, and the key that each tab finds at the moment when it ends. */
function shareSession() {
  const proofs = dpopProofs({ id: 'shared' })
  const auth = createAuth({
    refresh: () => Promise.reject(new Error('No refresh')),
    proof: proofs,
    storage: webStorage(() => localStorage),
    coordinator: tabCoordinator(),
  })
  let found: Promise<string> | undefined
  auth.on('signedOut', () => {
    found = proofs.keyId()
  })
  return {
    auth,
    key: () => found,
    async signIn() {
      const key = await proofs.keyId()
      await auth.setTokens({ access_token: key, token_type: 'DPoP', expires_in: 3_600 })
      return key
    },
  }
}

export const dpop = {
  createSession,
  shareSession,
  connect: (url: string) => connectAuth<{ username: string }>(new SharedWorker(url, { type: 'module' })),
  fetchFor: (auth: Parameters<typeof createAuthFetch>[0]) => createAuthFetch(auth, { origins: [api] }),

  /** Makes a key in each round, at the same time as the other tab. Returns their names, and how often the other was first. */
  async makeKeys(rounds: number, cleans: boolean) {
    const reach = createBarrier('rounds')
    const ids: string[] = []
    let late = 0
    const stored = indexedDBKeys()
    const keys = {
      ...stored,
      async add(...given: Parameters<typeof stored.add>) {
        const result = await stored.add(...given)
        if (result === 'exists') late++
        return result
      },
    }
    // The other tab may not listen yet.
    await new Promise((resolve) =>
      navigator.locks.request('both', { mode: 'shared' }, () => setTimeout(resolve, 500)),
    )
    for (let round = 0; round < rounds; round++) {
      await reach(2 * round)
      ids.push(await dpopProofs({ keys, id: 'contended' }).keyId())
      await reach(2 * round + 1)
      const key = cleans && (await stored.get('contended'))
      if (key) await stored.remove('contended', key)
    }
    return { ids, late }
  },
}

if ('SharedWorkerGlobalScope' in globalThis) serveAuth(createSession(), { origins: [api] })
else Object.assign(globalThis, { dpop })
