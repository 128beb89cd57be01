/**
 * The session for Connect: the Connect, gRPC and gRPC-web protocols, in browsers and on servers.
 *
 * @module
 */
import type { Interceptor, StreamRequest, UnaryRequest } from '@connectrpc/connect'
import type { AuthHandle } from '../core/auth.ts'
import { TokenConfinedError } from '../core/errors.ts'
import { bearerRequest } from '../core/requests/bearer-request.ts'
import { RpcRequest, responseOf } from './connect/rpc-request.ts'
import { createTargetGuard, type OriginOptions } from './origins.ts'
import { workerFetch } from './worker-fetch.ts'

/** Options of `authConnect`. */
export interface AuthConnectOptions extends OriginOptions {
  /** Returns whether a call bypasses the session: it is sent at once and unchanged. */
  readonly exclude?: (url: string) => boolean
}

/**
 * Creates an interceptor for Connect. It sends the session's token, waits during a refresh, and replays a call whose token was
 * rejected with the code `unauthenticated`.
 *
 * Unary calls and server streams are replayed, a stream as long as no message of it has been handed on. So its response is there
 * when its first message is. Calls whose client sends a stream get the token, and are not replayed. A refusal of a call that
 * streams in both directions reaches its caller only.
 *
 * @param auth the session
 * @param options the origins that get the token
 * @returns an interceptor for the option `interceptors` of a transport. Connect wraps the errors of the session:
 * `isSessionError` recognises them
 * @throws TypeError outside of a page, if `origins` is not set
 * @throws TokenConfinedError if the session lives in a worker: use `createAuthFetch` as the transport's `fetch` then
 *
 * @example
 * ```ts
 * const baseUrl = 'https://api.example.com'
 * const transport = createConnectTransport({ baseUrl, interceptors: [authConnect(auth, { origins: [baseUrl] })] })
 * ```
 *
 * @see RFC 6750 §2.1
 */
export function authConnect(auth: AuthHandle, options: AuthConnectOptions = {}): Interceptor {
  const targetOf = createTargetGuard('authConnect', options)
  if (workerFetch(auth, {})) throw new TokenConfinedError()
  return (next) => (request: UnaryRequest | StreamRequest) => {
    const url = targetOf(request.url)
    if (url === undefined || options.exclude?.(url) || request.header.has('authorization'))
      return next(request)
    return bearerRequest(auth, new RpcRequest(next, request, url)).then(responseOf)
  }
}
