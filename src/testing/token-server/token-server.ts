import { createApiRoutes } from './api-routes.ts'
import { createDelays } from './delays.ts'
import type { Exchange } from './exchange.ts'
import { bearerToken, readExchange } from './exchange.ts'
import { createFaults } from './faults.ts'
import { listenOnLoopback } from './listener.ts'
import { finishReply, jsonReply, preflightReply } from './replies.ts'
import { createRequestLog } from './requests.ts'
import { createSessions } from './sessions.ts'
import type { MutableCounters } from './token-routes.ts'
import { createTokenRoutes } from './token-routes.ts'
import type { TokenServer, TokenServerOptions } from './types.ts'

export type {
  IssuedTokens,
  ListeningTokenServer,
  MalformedAnswer,
  TokenFailure,
  TokenServer,
  TokenServerCounters,
  TokenServerOptions,
  TokenServerRequest,
  TokenServerScript,
} from './types.ts'

const noCounts = (): MutableCounters => ({
  refreshes: 0,
  tokenRequests: 0,
  reuseDetections: 0,
  expiredTokenUses: 0,
  revocations: 0,
})

/** Lets a client's abort reject the answer while the server goes on with its work, as a real one does. */
const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })

/**
 * Makes a scriptable OAuth 2.0 authorization server with an API behind it, for tests of token clients.
 *
 * - `POST /token`: `grant_type=refresh_token` with rotation and reuse detection, and `grant_type=password`
 *   (any `username` with the password `correct`), form encoded or JSON. With `cookie=1` in the body the
 *   refresh token travels in an HttpOnly cookie instead of the JSON.
 * - `POST /revoke`: a refresh token takes its whole session with it, an access token only itself.
 * - `/api/*`: needs a bearer token and echoes `{ method, path, subject, generation, body, contentType }`,
 *   `body` in base64. Special routes: `/api/empty` (204), `/api/slow?ms=&check=early|late`,
 *   `/api/always-401`, `/api/forbidden`, `/api/step-up`, and `/api/redirect?to=`, which checks nothing.
 * - `/public`: checks nothing.
 *
 * Requests act synchronously once they have arrived and waited, so concurrent requests never interleave.
 * Opaque tokens look like `at-<session>-<generation>-<32 hex digits>` and `rt-...`. JWTs end in such a one.
 *
 * RFC 6749 sections 4.3, 5 and 6, RFC 6750 section 3, RFC 7009, RFC 9470 section 3, RFC 9700 section 4.14.2.
 *
 * @param options durations in milliseconds, see {@link TokenServerOptions}
 * @returns the server. It works through `handle` at once and over HTTP after `listen()`
 * @example
 * const server = createTokenServer({ accessTokenLifetime: 60_000 })
 * const { url, close } = await server.listen()
 * const { refresh_token } = server.issue()
 * server.dropAnswerNext(1)
 * const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token })
 * await fetch(`${url}/token`, { method: 'POST', body }) // rejects
 * server.refreshes // 1
 * await close()
 */
export const createTokenServer = (options: TokenServerOptions = {}): TokenServer => {
  const settings: Required<TokenServerOptions> = {
    accessTokenLifetime: 3_600_000,
    rotate: true,
    reuseGrace: 0,
    previousAccessTokenDies: false,
    now: Date.now,
    clockSkew: 0,
    jwt: false,
    subject: 'ada',
    ...options,
  }
  const counters = noCounts()
  const delays = createDelays()
  const faults = createFaults(delays)
  const requests = createRequestLog()
  const sessions = createSessions(settings)
  const tokenRoutes = createTokenRoutes(sessions, counters)
  const apiRoutes = createApiRoutes(sessions, delays, () => {
    counters.expiredTokenUses += 1
  })
  let listening = 0

  const noteArrival = ({ request, url, bytes, text }: Exchange): ((status: number) => void) => {
    const authorization = request.headers.get('authorization')
    const generation = sessions.generationOf(bearerToken(request) ?? '')
    return requests.arrive({
      at: settings.now(),
      method: request.method,
      path: url.pathname,
      search: url.search,
      ...(authorization === null ? {} : { authorization }),
      ...(generation === undefined ? {} : { generation }),
      bodyText: text,
      bodyBytes: bytes,
      headers: Object.fromEntries(request.headers),
    })
  }

  const route = async (exchange: Exchange): Promise<Response> => {
    const { method } = exchange.request
    const { pathname } = exchange.url
    if (method === 'OPTIONS') return preflightReply()
    if (pathname.startsWith('/api/')) return apiRoutes(exchange)
    if (pathname === '/public') return jsonReply(200, { method, path: pathname })
    if (pathname !== '/token' && pathname !== '/revoke') return jsonReply(404, { error: 'not_found' })
    if (method !== 'POST') return jsonReply(405, { error: 'invalid_request' }, { allow: 'POST' })
    if (pathname === '/revoke') return tokenRoutes.revoke(exchange)
    counters.tokenRequests += 1
    return faults.run(() => tokenRoutes.token(exchange))
  }

  const answer = async (exchange: Exchange): Promise<Response> => {
    const noteStatus = noteArrival(exchange)
    // No await before this call: whoever waits for the arrival must find the checks of the route done.
    const reply = finishReply(exchange.request, await route(exchange))
    noteStatus(reply.status)
    return reply
  }

  const handle = async (request: Request): Promise<Response> => {
    request.signal.throwIfAborted()
    return untilAborted(answer(await readExchange(request)), request.signal)
  }

  const listen: TokenServer['listen'] = async () => {
    const served = await listenOnLoopback(handle, () => {
      listening -= 1
      if (listening === 0) delays.cancelAll()
    })
    listening += 1
    return served
  }

  return {
    ...faults.script,
    get tokenDelay() {
      return faults.script.tokenDelay
    },
    set tokenDelay(ms) {
      faults.script.tokenDelay = ms
    },
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
    handle,
    listen,
    issue: (subject = settings.subject) => sessions.issue(subject),
    expireAccessTokens: sessions.expireAccessTokens,
    killRefreshTokens: sessions.killRefreshTokens,
    isRevoked: sessions.isRevoked,
    log: requests.entries,
    whenRequest: requests.when,
    reset: () => {
      requests.clear()
      Object.assign(counters, noCounts())
    },
  }
}
