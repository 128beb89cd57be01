import type { ApiRoutes } from './api-routes.ts'
import type { Exchange } from './exchange.ts'
import { bearerToken } from './exchange.ts'
import type { Faults } from './faults.ts'
import { finishReply, jsonReply, preflightReply } from './replies.ts'
import type { RequestLog } from './requests.ts'
import type { Sessions } from './sessions.ts'
import { type MutableCounters, presentedToken, type TokenRoutes } from './token-routes.ts'
import type { TokenServerRequest } from './types.ts'

interface Parts {
  readonly now: () => number
  readonly sessions: Sessions
  readonly requests: RequestLog
  readonly counters: MutableCounters
  readonly faults: Faults
  readonly tokenRoutes: TokenRoutes
  readonly apiRoutes: ApiRoutes
}

const isRevocation = (pathname: string): boolean => pathname === '/revoke' || pathname === '/token/revoke'

/** Which token a request presents, where it does: RFC 6749 section 6, RFC 6750 section 2.1, RFC 7009 section 2.1. */
const tokenOf = (exchange: Exchange): string => {
  const { pathname } = exchange.url
  const presented =
    pathname === '/token'
      ? presentedToken(exchange)
      : isRevocation(pathname)
        ? presentedToken(exchange, 'token')
        : bearerToken(exchange.request)
  return presented ?? ''
}

/** Lets a client's abort reject the answer while the server goes on with its work, as a real one does. */
const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })

/** Answers a request that was read. Rejects when the connection is dropped, and when the request is aborted. */
export type AnswerExchange = (exchange: Exchange) => Promise<Response>

/** Writes each request down and leads it to those who answer it. */
export const createRouter = (parts: Parts): AnswerExchange => {
  const { apiRoutes, counters, faults, now, requests, sessions, tokenRoutes } = parts

  const noteArrival = (exchange: Exchange) => {
    const { request, url, bytes, text } = exchange
    const authorization = request.headers.get('authorization')
    const generation = sessions.generationOf(tokenOf(exchange))
    return requests.arrive({
      at: now(),
      method: request.method,
      url: request.url,
      path: url.pathname,
      search: url.search,
      ...(authorization === null ? {} : { authorization }),
      ...(generation === undefined ? {} : { generation }),
      bodyText: text,
      bodyBytes: bytes,
      headers: Object.fromEntries(request.headers),
    })
  }

  const route = async (exchange: Exchange, entry: TokenServerRequest): Promise<Response> => {
    const { method } = exchange.request
    const { pathname } = exchange.url
    if (method === 'OPTIONS') return preflightReply(exchange.request)
    if (pathname.startsWith('/api/')) return apiRoutes(exchange, entry)
    if (pathname === '/public') return jsonReply(200, { method, path: pathname })
    if (pathname !== '/token' && !isRevocation(pathname)) return jsonReply(404, { error: 'not_found' })
    if (method !== 'POST') return jsonReply(405, { error: 'invalid_request' }, { allow: 'POST' })
    if (pathname !== '/token') return tokenRoutes.revoke(exchange)
    counters.tokenRequests += 1
    return faults.run(() => tokenRoutes.token(exchange), entry)
  }

  const answer = async (exchange: Exchange): Promise<Response> => {
    const { entry, noteStatus } = noteArrival(exchange)
    // No await before this call: whoever waits for the arrival must find the checks of the route done.
    const reply = finishReply(exchange.request, await route(exchange, entry))
    noteStatus(reply.status)
    return reply
  }

  return (exchange) => untilAborted(answer(exchange), exchange.request.signal)
}
