import { createApiHolds } from './api-holds.ts'
import { createApiRoutes } from './api-routes.ts'
import { checkWords } from './checks.ts'
import { createEndpoints } from './endpoints.ts'
import { createFaults } from './faults.ts'
import { createFetch } from './fetch.ts'
import { listenOverHttp } from './listener.ts'
import { resolveOptions, type TokenServerOptions } from './options.ts'
import { receiveRequest } from './received-request.ts'
import { createRequestLog } from './requests.ts'
import { createRouter } from './router.ts'
import { createSessions } from './sessions.ts'
import type { MutableCounters } from './token-routes.ts'
import { createTokenRoutes } from './token-routes.ts'
import type { TokenGrant, TokenServer } from './types.ts'
import { createWaits } from './waits.ts'

export type { HeldAnswerOptions, HeldApiRequest, HeldTokenRequest } from './held.ts'
export type { TokenServerOptions } from './options.ts'
export type { MalformedAnswer, TokenFailure } from './replies.ts'
export type { TokenServerRequest } from './requests.ts'
export type { TokenOwner, TokenServerRoute } from './routes.ts'
export type { TokenServerScript } from './script.ts'
export type {
  IssuedTokens,
  ListeningTokenServer,
  ListenOptions,
  TokenGrant,
  TokenServer,
  TokenServerCounters,
} from './types.ts'

const noCounts = (): MutableCounters => ({
  refreshes: 0,
  tokenRequests: 0,
  reuseDetections: 0,
  expiredTokenUses: 0,
  revocations: 0,
})

const checkGrant = (where: string, { scope, acr }: TokenGrant): void => {
  if (scope !== undefined) checkWords(`${where}: scope`, scope)
  if (acr !== undefined) checkWords(`${where}: acr`, acr)
}

/**
 * Creates a scriptable OAuth 2.0 authorization server with an API, for tests of token clients. It works in process through
 * `fetch`, with MSW and other request handlers through `handle`, and over HTTP after `listen()`.
 *
 * - `POST /session`, as an app's own server: tokens for any `username` with the password `correct`, and optionally `scope` and
 *   `acr_values`, form encoded or JSON. With `cookie=1` in the body, the refresh token is in an HttpOnly cookie instead.
 * - `POST /token`: `grant_type=refresh_token` with rotation and reuse detection. It also takes `grant_type=password`, for tests of
 *   clients that still use this grant, which RFC 9700 section 2.4 forbids.
 * - `POST /revoke`: a refresh token revokes its whole session, an access token only itself. `POST /token/revoke` does the
 *   same, and receives the cookie.
 * - `/api/*`: requires a bearer token and echoes `{ method, path, subject, generation, body, contentType }`,
 *   `body` in base64. The option `routes` can require scopes and stronger authentication, and answer with handlers.
 *   Special routes: `/api/empty` (204), `/api/slow?ms=&check=early|late`,
 *   `/api/always-401`, `/api/forbidden`, `/api/step-up`, and `/api/redirect?to=`, which needs no token.
 * - `/public`: needs no token.
 *
 * The options `paths`, `parse` and `format` turn it into the API of an app that is no OAuth server.
 *
 * A request acts synchronously after it has arrived and waited, so concurrent requests never interleave.
 * Opaque tokens look like `at-<session>-<generation>-<32 hex digits>` and `rt-...`. JWTs end with such a string.
 * Every origin may call the server, with credentials.
 *
 * RFC 6749 sections 5 and 6, RFC 6750 section 3, RFC 7009, RFC 9470 section 3, RFC 9700 section 4.14.2.
 *
 * @param options durations in milliseconds, see {@link TokenServerOptions}
 * @returns the server
 * @throws TypeError if an option is of the wrong kind
 * @throws RangeError if a number is out of range
 * @example
 * const clock = createVirtualClock()
 * const server = createTokenServer({ clock, accessTokenLifetime: 60_000 })
 * const auth = createAuth({ clock, initialTokens: server.issue(), refresh })
 * const api = createAuthFetch(auth, { fetch: server.fetch, origins: [server.origin] })
 *
 * async function refresh({ refreshToken = '', signal }: RefreshRequest) {
 *   const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
 *   const response = await server.fetch('/token', { method: 'POST', body, signal })
 *   if (!response.ok) throw response
 *   return response.json()
 * }
 *
 * server.expireAccessTokens()
 * await api(`${server.origin}/api/me`) // 200, after a 401 and a refresh
 * server.refreshes // 1
 */
export const createTokenServer = (options: TokenServerOptions = {}): TokenServer => {
  const settings = resolveOptions(options)
  const { now, origin } = settings
  const counters = noCounts()
  const waits = createWaits(settings.clock)
  const faults = createFaults(waits)
  const holds = createApiHolds(waits)
  const requests = createRequestLog()
  const sessions = createSessions(settings)
  const endpoints = createEndpoints('createTokenServer', settings.form)
  const tokenRoutes = createTokenRoutes(settings, endpoints, sessions, counters)
  const apiRoutes = createApiRoutes(settings, endpoints.api, sessions, waits, holds, () => {
    counters.expiredTokenUses += 1
  })
  const answer = createRouter({
    now,
    sessions,
    requests,
    counters,
    endpoints,
    faults,
    tokenRoutes,
    apiRoutes,
  })
  const handle = async (request: Request): Promise<Response> => answer(await receiveRequest(request))
  let listening = 0

  const clearScripts = (): void => {
    faults.clear()
    holds.clear()
  }

  return {
    ...faults.script,
    holdApiNext: holds.holdApiNext,
    get tokenDelay() {
      return faults.script.tokenDelay
    },
    set tokenDelay(ms) {
      faults.script.tokenDelay = ms
    },
    get pendingScripts() {
      return faults.pending + holds.pending
    },
    clearScripts,
    get refreshes() {
      return counters.refreshes
    },
    get tokenRequests() {
      return counters.tokenRequests
    },
    get reuseDetections() {
      return counters.reuseDetections
    },
    get expiredTokenUses() {
      return counters.expiredTokenUses
    },
    get revocations() {
      return counters.revocations
    },
    origin,
    handle,
    fetch: createFetch(answer, origin, endpoints.cookiePath),
    listen: async (where = {}) => {
      const served = await listenOverHttp(handle, where, () => {
        listening -= 1
        if (listening === 0) waits.cancelAll()
      })
      listening += 1
      return served
    },
    issue: (subject = settings.subject, grant = {}) => {
      checkGrant('issue', grant)
      return sessions.issue(subject, grant)
    },
    stepUp: (token, grant = {}) => {
      checkGrant('stepUp', grant)
      const tokens = sessions.stepUp(token, grant)
      if (!tokens) throw new Error('stepUp: the token is unknown, or its session has ended.')
      return tokens
    },
    renew: tokenRoutes.renew,
    expireAccessTokens: sessions.expireAccessTokens,
    killRefreshTokens: sessions.killRefreshTokens,
    isRevoked: sessions.isRevoked,
    log: requests.entries,
    whenRequest: requests.when,
    reset: () => {
      clearScripts()
      waits.cancelAll()
      requests.clear()
      Object.assign(counters, noCounts())
    },
  }
}
