/** What runs in the worker: bundled, served, and told by its URL how to go about it. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { createAuth, type TokenResponse } from '../../src/index.ts'
import { encryptedStorage } from '../../src/storage/index.ts'
import { serveAuth } from '../../src/worker/index.ts'

export interface WorkerSettings {
  /** The API's URL. */
  readonly api: string
  /** The refresh token is in a cookie. */
  readonly cookie?: boolean
  /** One worker in each tab: they share a store, and take turns. */
  readonly shared?: boolean
  readonly bufferStreams?: boolean
  readonly idle?: number
}

const settings: WorkerSettings = JSON.parse(new URL(location.href).searchParams.get('settings') ?? '{}')
const { api, cookie = false, shared = false, bufferStreams = false, idle } = settings

async function post(fields: Record<string, string>, signal: AbortSignal): Promise<TokenResponse> {
  const response = await fetch(`${api}/token`, {
    method: 'POST',
    signal,
    credentials: 'include',
    body: new URLSearchParams({ ...fields, ...(cookie && { cookie: '1' }) }),
  })
  if (!response.ok) throw response
  return response.json()
}

const auth = createAuth<{ username: string; password?: string }>({
  signIn: async ({ username, password = 'correct' }, { signal }) => ({
    ...(await post({ grant_type: 'password', username, password }, signal)),
    subject: username,
  }),
  refresh: ({ refreshToken = '', signal }) =>
    post({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
  retry: { minDelay: 1, jitter: 0 },
  silentSignIn: cookie,
  ...(shared && { storage: encryptedStorage(), coordinator: tabCoordinator() }),
  ...(idle !== undefined && { limits: { idle } }),
})

const stop = serveAuth(auth, { origins: [api], bufferStreams })

/** What an app may say to its worker over the same port. */
function told(data: unknown, port: { postMessage(message: unknown): void }) {
  if (data === 'close') self.close()
  if (data === 'stop') stop()
  if (data === 'state') port.postMessage({ state: auth.state })
}

if ('onconnect' in self) {
  addEventListener('connect', (event) => {
    const [port] = (event as MessageEvent).ports
    port?.addEventListener('message', ({ data }) => told(data, port))
  })
} else addEventListener('message', ({ data }) => told(data, self as never))
