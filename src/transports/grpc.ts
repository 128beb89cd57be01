/**
 * The session for `@grpc/grpc-js`.
 *
 * @module
 */
import {
  type CallCredentials,
  credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
} from '@grpc/grpc-js'
import type { Auth, AuthHandle } from '../core/auth.ts'
import { TokenConfinedError } from '../core/errors.ts'
import { streamRequester } from './grpc/stream-requester.ts'
import { UnaryCall } from './grpc/unary-call.ts'
import { workerFetch } from './worker-fetch.ts'

/**
 * Creates call credentials that bring the session's token to each call, and wait during a refresh. They replay nothing. Do not use
 * them together with `authGrpc`, which sends the token itself.
 *
 * @param auth the session
 * @returns credentials for `credentials.combineChannelCredentials`, which needs TLS. A call that gets no token fails
 *
 * @example
 * ```ts
 * const channel = credentials.combineChannelCredentials(credentials.createSsl(), authCredentials(auth))
 * const client = new EchoClient('api.example.com:443', channel)
 * ```
 */
export function authCredentials(auth: Pick<Auth, 'getAccessToken'>): CallCredentials {
  return credentials.createFromMetadataGenerator((_, done) => {
    auth.getAccessToken().then(
      (token) => {
        const metadata = new Metadata()
        metadata.set('authorization', `Bearer ${token}`)
        done(null, metadata)
      },
      (error) => done(error),
    )
  })
}

/**
 * Creates an interceptor for the clients of `@grpc/grpc-js`. It sends the session's token with each call, waits during a refresh,
 * and replays a unary call whose token was rejected with the status `UNAUTHENTICATED`. Streams are not replayed.
 *
 * The token goes to the server of the client. gRPC sends it over a channel without TLS, too: use such a channel on this machine
 * only.
 *
 * @param auth the session
 * @returns an interceptor for the option `interceptors` of a client. A call that gets no token fails with `UNAUTHENTICATED`, and
 * the `cause` of its error is that of the session: `isSessionError` recognises it
 * @throws TokenConfinedError if the session lives in a worker
 *
 * @example
 * ```ts
 * const client = new EchoClient('api.example.com:443', credentials.createSsl(), { interceptors: [authGrpc(auth)] })
 * ```
 */
export function authGrpc(auth: AuthHandle): Interceptor {
  if (workerFetch(auth, {})) throw new TokenConfinedError()
  return (options, nextCall) => {
    const { requestStream, responseStream } = options.method_definition
    return requestStream || responseStream
      ? new InterceptingCall(nextCall(options), streamRequester(auth, options))
      : // It has the methods of an `InterceptingCall`, whose private fields nothing reads.
        (new UnaryCall(auth, options, nextCall) as unknown as InterceptingCall)
  }
}
