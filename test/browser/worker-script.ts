/** The script of the worker: bundled, served, and configured by its URL. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { createAuth, fromCookie, sessionLimits, type TokenResponse } from '../../src/index.ts'
import { encryptedStorage } from '../../src/storage/index.ts'
import { serveAuth } from '../../src/worker/index.ts'

export interface WorkerSettings {
  /** The URL of the API. */
  readonly api: string
  /** Whether the refresh token is in a cookie. */
  readonly cookie?: boolean
  /** Whether each tab has its own worker. The workers share a store and a lock. */
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
  ...(cookie && { silentSignIn: fromCookie() }),
  ...(shared && { storage: encryptedStorage(), coordinator: tabCoordinator() }),
  ...(idle !== undefined && { limits: sessionLimits({ idle }) }),
})

const stop = serveAuth(auth, { origins: [api], bufferStreams })

/** Handles messages of the app on the same port. */
function handleAppMessage(data: unknown, port: { postMessage(message: unknown): void }) {
  if (data === 'close') self.close()
  if (data === 'stop') stop()
  if (data === 'state') port.postMessage({ state: auth.state })
}

if ('onconnect' in self) {
  addEventListener('connect', (event) => {
    const [port] = (event as MessageEvent).ports
    port?.addEventListener('message', ({ data }) => handleAppMessage(data, port))
  })
} else addEventListener('message', ({ data }) => handleAppMessage(data, self as never))
