import type { ApiRoutes } from './api-routes.ts'
import type { Endpoints } from './endpoints.ts'
import type { Faults } from './faults.ts'
import type { ReceivedRequest } from './received-request.ts'
import { bearerToken } from './received-request.ts'
import { finishReply, jsonReply, preflightReply } from './replies.ts'
import type { RequestLog, TokenServerRequest } from './requests.ts'
import type { Sessions } from './sessions.ts'
import { type MutableCounters, presentedToken, type TokenRoutes } from './token-routes.ts'

interface Parts {
  readonly now: () => number
  readonly sessions: Sessions
  readonly requests: RequestLog
  readonly counters: MutableCounters
  readonly faults: Faults
  readonly endpoints: Endpoints
  readonly tokenRoutes: TokenRoutes
  readonly apiRoutes: ApiRoutes
}

/** Rejects the answer if the client aborts. The server still finishes its work, as a real one does. */
const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })

/** Answers a request whose body was read. Rejects if the connection is dropped or the request is aborted. */
export type AnswerRequest = (received: ReceivedRequest) => Promise<Response>

/** Logs each request and passes it to its route. */
export const createRouter = (parts: Parts): AnswerRequest => {
  const { apiRoutes, counters, endpoints, faults, now, requests, sessions, tokenRoutes } = parts

  /** The token that a request presents, or `''`. RFC 6749 section 6, RFC 6750 section 2.1, RFC 7009 section 2.1. */
  const tokenOf = (received: ReceivedRequest): string => {
    const endpoint = endpoints.endpointOf(received)
    if (typeof endpoint !== 'string') return bearerToken(received.request) ?? ''
    try {
      const parameters = endpoints.parametersOf(received)
      const known = typeof parameters === 'string' ? undefined : parameters
      return presentedToken(received, known, endpoint === 'revoke' ? 'token' : undefined) ?? ''
    } catch {
      // The route reports what `parse` threw.
      return ''
    }
  }

  const noteArrival = (received: ReceivedRequest) => {
    const { request, url, bytes, text } = received
    const authorization = request.headers.get('authorization')
    const generation = sessions.generationOf(tokenOf(received))
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

  const route = async (received: ReceivedRequest, entry: TokenServerRequest): Promise<Response> => {
    const { method } = received.request
    const { pathname } = received.url
    if (method === 'OPTIONS') return preflightReply(received.request)
    const endpoint = endpoints.endpointOf(received)
    if (endpoint === 'revoke') return tokenRoutes.answer(endpoint, received)
    if (typeof endpoint === 'string') {
      if (endpoint === 'refresh') counters.tokenRequests += 1
      return faults.run(() => tokenRoutes.answer(endpoint, received), entry)
    }
    if (endpoint) return jsonReply(405, { error: 'invalid_request' }, endpoint)
    if (pathname === '/public') return jsonReply(200, { method, path: pathname })
    return pathname.startsWith(endpoints.api)
      ? apiRoutes(received, entry)
      : jsonReply(404, { error: 'not_found' })
  }

  const answer = async (received: ReceivedRequest): Promise<Response> => {
    const { entry, noteStatus } = noteArrival(received)
    // No await before this call: a test that waits for the arrival relies on the checks of the route being done.
    const reply = finishReply(received.request, await route(received, entry))
    noteStatus(reply.status)
    return reply
  }

  return (received) => untilAborted(answer(received), received.request.signal)
}
