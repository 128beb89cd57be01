/**
 * The session for undici, and for everything that sends through one of its dispatchers.
 *
 * @module
 */
import type { Dispatcher } from 'undici'
import type { AuthHandle } from '../core/auth.ts'
import { TokenConfinedError } from '../core/errors.ts'
import { messageOf } from '../core/messages.ts'
import type { TransportOptions } from './fetch.ts'
import { createTargetGuard } from './origins.ts'
import { DispatchRequest, type Settings } from './undici/dispatch-request.ts'
import { copyHeaders, copyValues, hasAuthorization } from './undici/headers.ts'
import type { AnswerHead } from './undici/sending.ts'
import { workerFetch } from './worker-fetch.ts'

export type { AnswerHead }

/** Options of `authInterceptor`. `isChallenge` receives the head of an answer, before its body is read. */
export interface AuthInterceptorOptions extends TransportOptions<AnswerHead> {
  /**
   * The origins that get the token. If there is one only, requests of a `Client` or `Pool` that name no origin get the token,
   * too: such a dispatcher has its own.
   */
  readonly origins: readonly (string | URL)[]
}

/**
 * Creates an interceptor for undici's dispatchers. It sends the session's token, waits during a refresh, and replays a request
 * whose token was rejected. The answer reaches the caller as it arrives: with its backpressure and its trailers.
 *
 * Strings, buffers and forms can be replayed, streams only with `bufferStreams`. undici's own `fetch` sends each body as a
 * stream, so use `createAuthFetch` there. Upgrades and `CONNECT` are not changed.
 *
 * Name it before the interceptors `redirect`, `retry` and `responseError`, and behind `dns` and `cache`: what comes later is
 * closer to the caller.
 *
 * @param auth the session
 * @param options the origins that get the token
 * @returns an interceptor for `dispatcher.compose`. Its requests also fail with the errors of `bearerRequest`
 * @throws TypeError if `origins` is not set
 * @throws TokenConfinedError if the session lives in a worker
 *
 * @example
 * ```ts
 * const api = new Agent().compose(authInterceptor(auth, { origins: ['https://api.example.com'] }))
 * const { statusCode, body } = await request('https://api.example.com/me', { dispatcher: api })
 * ```
 *
 * @see RFC 6750 §2.1
 */
export function authInterceptor(
  auth: AuthHandle,
  options: AuthInterceptorOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const { origins, exclude, isChallenge, bufferStreams = false, abortInFlight } = options
  const targetOf = createTargetGuard('authInterceptor', options)
  if (workerFetch(auth, options)) throw new TokenConfinedError()
  const only = origins.length === 1 ? new URL(origins[0] as string).origin : undefined

  return (dispatch) => {
    const settings: Settings = {
      auth,
      dispatch,
      isChallenge,
      bufferStreams,
      abortSafe: abortInFlight === 'safe',
    }
    return (given, handler) => {
      // Handlers of undici 6 have other methods. Node's own `fetch` uses it.
      if (!handler.onRequestStart) throw new TypeError(messageOf('old_dispatcher'))
      // What is judged from here on is what gets sent.
      const own = { ...given }
      const { path, method, upgrade, origin = only } = own
      // Another path than one within the origin is for a proxy.
      if (upgrade || method === 'CONNECT' || origin === undefined || path?.[0] !== '/')
        return dispatch(given, handler)
      const target = targetOf(nameOf(origin) + path)
      if (target === undefined || exclude?.(target)) return dispatch(given, handler)
      const headers = copyHeaders(own.headers)
      if (hasAuthorization(headers)) return dispatch(given, handler)
      if (own.origin !== undefined) own.origin = nameOf(origin)
      if (own.query) own.query = copyValues(own.query)
      return new DispatchRequest(settings, own, headers, handler, target).start()
    }
  }
}

const nameOf = (origin: string | URL): string =>
  typeof origin === 'string' ? origin.replace(/\/$/, '') : origin.origin
