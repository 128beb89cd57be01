/** What runs inside each tab: bundled, served, and called by name from the tests. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { type Auth, createAuth, type TokenResponse } from '../../src/index.ts'
import { webStorage } from '../../src/storage/web.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

export interface TabOptions {
  /** Tokens this tab signs in with; without them it finds the session in the store. */
  readonly tokens?: TokenResponse
  /** Whether the tabs take turns at all. Default: they do. */
  readonly turns?: boolean
  /** Whether the store says that another tab changed it. Default: it does. */
  readonly storeTells?: boolean
}

let server: string
let auth: Auth<string>
let send: typeof fetch
let started: Promise<string> | undefined
let letGo = () => {}

async function post(fields: Record<string, string>, signal: AbortSignal) {
  const response = await fetch(`${server}/token`, {
    method: 'POST',
    signal,
    body: new URLSearchParams(fields),
  })
  if (!response.ok) throw response
  return response.json()
}

const told = (error: unknown) => {
  const { name, reason } = error as { name: string; reason?: string }
  return reason ? `${name}: ${reason}` : name
}

export const tab = {
  async open(url: string, { tokens, turns = true, storeTells = true }: TabOptions = {}) {
    server = url
    const { subscribe, ...storage } = webStorage(() => localStorage)
    auth = createAuth<string>({
      storage: { ...storage, ...(storeTells && subscribe && { subscribe }) },
      coordinator: tabCoordinator(turns ? {} : { locks: null, storage: null }),
      signIn: async (username, { signal }) => ({
        ...(await post({ grant_type: 'password', username, password: 'correct' }, signal)),
        subject: username,
      }),
      refresh: ({ refreshToken = '', signal }) =>
        post({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
      ...(tokens && { initialTokens: tokens }),
    })
    send = createAuthFetch(auth, { origins: [server] })
    await auth.ready()
    return auth.state
  },

  signIn: async (username: string) => void (await auth.signIn(username)),
  signOut: () => auth.signOut(),
  refresh: async () => void (await auth.refresh()),
  /** A request of the app: the status it sees, or what it catches. */
  ask: async (path: string) => {
    try {
      return String((await send(server + path)).status)
    } catch (error) {
      return told(error)
    }
  },

  /** Starts a refresh that the test does not wait for yet; `result` says how it went. */
  startRefresh() {
    started = auth.refresh().then(() => 'refreshed', told)
  },
  /** The same for a request. */
  startAsking(path: string) {
    started = tab.ask(path)
  },
  result: () => started,

  /** Sends requests for so long, each a moment after the last one was answered: how often the app saw each status. */
  async askConstantly(duration: number, pause: number) {
    const statuses: Record<string, number> = {}
    const end = Date.now() + duration
    while (Date.now() < end) {
      const status = await tab.ask('/api/constant')
      statuses[status] = (statuses[status] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    return statuses
  },

  /**
   * Counts in localStorage, in turns that announce what they did. The value is long, so that it is slow on its way to the
   * other tabs: a lock that is let go too early shows every time.
   */
  async countInTurns(times: number) {
    const { exclusive, announce } = tabCoordinator({ name: 'counting' })
    for (let i = 0; i < times; i++) {
      const turn = async () => {
        const count = Number(localStorage.getItem('count'))
        localStorage.setItem('count', String(count + 1).padEnd(100_000))
        announce({ type: 'changed', epoch: 0, generation: 0 })
      }
      await exclusive('count', turn, { signal: new AbortController().signal, timeout: 60_000 })
    }
  },

  /** Takes the lock they count under, until it is let go. */
  holdBack: () =>
    new Promise<void>((held) => {
      void navigator.locks.request('counting:count', () => {
        held()
        return new Promise<void>((resolve) => {
          letGo = resolve
        })
      })
    }),
  letGo: () => letGo(),
  counted: () => Number(localStorage.getItem('count')),

  state: () => auth.state,
  subject: () => auth.session?.subject,
  token: () => auth.getAccessToken({ allowAnonymous: true }),
  stored: (): { accessToken: string } | null => JSON.parse(localStorage.getItem('authchart') ?? 'null'),
  /** Names of what was emitted, transitions left out. */
  history: () => auth.history.map(({ type }) => type).filter((type) => type !== 'transition'),
}

Object.assign(globalThis, { tab })
