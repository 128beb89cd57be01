/** The session. Like in an app, it is created once. */
import { type Auth, browserEnvironment, createAuth } from 'authchart'
import { webStorage } from 'authchart/storage'
import { tabCoordinator } from 'authchart/tabs'
import { createDeviceClock } from './clock.ts'
import { createDevice } from './device.ts'
import { createPluggedEnvironment } from './environment.ts'
import { pageFetch, readServerClock } from './network.ts'
import { usesNetwork } from './origin.ts'

export interface Credentials {
  readonly username: string
}

/** The claims of the user in the tokens. */
export interface Claims {
  readonly sub: string
}

export type PlaygroundAuth = Auth<Credentials, Claims>

async function post(path: string, form: Record<string, string>, signal: AbortSignal) {
  const response = await pageFetch(path, { method: 'POST', body: new URLSearchParams(form), signal })
  return response.ok ? response : Promise.reject(response)
}

/** The keys of the stored session, and of the server that issued its tokens. */
const SESSION = 'playground.session'
const SERVER = 'playground.server'

const { ahead, server } = await readServerClock()
if (localStorage.getItem(SERVER) !== server) {
  localStorage.removeItem(SESSION)
  localStorage.setItem(SERVER, server)
}

const browser = browserEnvironment()
export const clock = createDeviceClock(ahead)
export const environment = createPluggedEnvironment(
  usesNetwork
    ? browser
    : {
        // A server in the browser can be reached although the machine is offline.
        online: () => true,
        subscribe: (kind, listener) =>
          kind === 'online' || kind === 'offline' ? () => {} : browser.subscribe(kind, listener),
      },
)
export const device = createDevice(clock, environment, ahead)

export const auth: PlaygroundAuth = createAuth<Credentials, Claims>({
  signIn: async ({ username }, { signal }) =>
    (await post('/session', { username, password: 'correct' }, signal)).json(),
  refresh: async ({ refreshToken = '', signal }) =>
    (await post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal)).json(),
  revoke: ({ accessToken, refreshToken = accessToken }, { signal }) =>
    post('/revoke', { token: refreshToken }, signal),
  storage: webStorage(() => localStorage, { key: SESSION }),
  coordinator: tabCoordinator({ name: 'playground' }),
  // Short delays, so that users can watch them.
  retry: { minDelay: 500, maxDelay: 4_000 },
  // Long enough for a busy machine to draw a hundred requests while a refresh is held.
  timeouts: { refresh: 30_000 },
  clock,
  environment,
})
