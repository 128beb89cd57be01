/** The session. Like in an app, it is created once. */
import { type Auth, browserEnvironment, createAuth } from 'authchart'
import type { SignInRequest } from 'authchart/oauth2'
import { webStorage } from 'authchart/storage'
import { tabCoordinator } from 'authchart/tabs'
import { createClient } from '../../../examples/oauth/client.ts'
import { createDeviceClock } from './clock.ts'
import { createDevice } from './device.ts'
import { createPluggedEnvironment } from './environment.ts'
import { openIdFetch, pageFetch, readServerClock } from './network.ts'
import { usesNetwork } from './origin.ts'

export interface Credentials {
  readonly username: string
}

/** The claims of the user in the tokens. */
export interface Claims {
  readonly sub: string
  readonly iss?: string
}

export type PlaygroundAuth = Auth<Credentials | SignInRequest, Claims>

async function post(path: string, form: Record<string, string>, signal: AbortSignal) {
  const response = await pageFetch(path, { method: 'POST', body: new URLSearchParams(form), signal })
  return response.ok ? response : Promise.reject(response)
}

/** The keys of the stored session, and of the server that issued its tokens. */
const SESSION = 'playground.session'
const SERVER = 'playground.server'

const { ahead, server, issuer } = await readServerClock()
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

/** The client of the OpenID provider, if there is one. */
export const oauth = issuer ? createClient(issuer, { clock, fetch: openIdFetch(issuer) }) : undefined

/** The token server issues JWTs, the provider does not. */
const isOpaque = (token: string) => !token.includes('.')

export const auth: PlaygroundAuth = createAuth<Credentials | SignInRequest, Claims>({
  ...oauth?.ports,
  async signIn(request, options) {
    if ('username' in request) {
      const form = { username: request.username, password: 'correct' }
      return (await post('/session', form, options.signal)).json()
    }
    if (!oauth) throw new TypeError('There is no provider.')
    return oauth.ports.signIn(request, options)
  },
  async refresh(request) {
    const { refreshToken = '', idToken, signal } = request
    // Only the provider issues ID tokens.
    if (oauth && idToken !== undefined) return oauth.ports.refresh(request)
    return (await post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal)).json()
  },
  revoke(tokens, options) {
    const { accessToken, refreshToken = accessToken } = tokens
    if (oauth && isOpaque(accessToken)) return oauth.ports.revoke(tokens, options)
    return post('/revoke', { token: refreshToken }, options.signal)
  },
  storage: webStorage(() => localStorage, { key: SESSION }),
  coordinator: tabCoordinator({ name: 'playground' }),
  // Short delays, so that users can watch them.
  retry: { minDelay: 500, maxDelay: 4_000 },
  // Long enough for a busy machine to draw a hundred requests while a refresh is held.
  timeouts: { ...oauth?.ports.timeouts, refresh: 30_000 },
  clock,
  environment,
})
