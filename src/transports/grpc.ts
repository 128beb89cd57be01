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
import { type Auth, type AuthHandle, REQUEST_GATE } from '../core/auth.ts'
import { TokenConfinedError } from '../core/errors.ts'
import { streamRequester } from './grpc/stream-requester.ts'
import { UnaryCall } from './grpc/unary-call.ts'
import { workerFetch } from './worker-fetch.ts'

/**
 * Creates call credentials that bring the session's token to each call, and wait during a refresh. They replay nothing. Do not use
 * them together with `authGrpc`, which sends the token itself. They carry no proof of possession: with DPoP, use `authGrpc`.
 *
 * @param auth the session
 * @returns credentials for `credentials.combineChannelCredentials`, which needs TLS. A call that gets no token
 * fails, and so does one whose token is bound to a key
 *
 * @example
 * ```ts
 * const channel = credentials.combineChannelCredentials(credentials.createSsl(), authCredentials(auth))
 * const client = new EchoClient('api.example.com:443', channel)
 * ```
 */
export function authCredentials(auth: Pick<Auth, 'getAccessToken'>): CallCredentials {
  return credentials.createFromMetadataGenerator((_, done) => {
    metadataOf(auth).then(
      (metadata) => done(null, metadata),
      (error) => done(error),
    )
  })
}

const NO_PROOF =
  'authCredentials cannot send a proof for a token that is bound to a key. Use authGrpc with the option target.'

/** @throws TypeError if the token may be bound to a key (RFC 9449): it must not leave as a bearer token */
async function metadataOf(auth: Pick<Auth, 'getAccessToken'> & Partial<AuthHandle>): Promise<Metadata> {
  const token = await auth.getAccessToken()
  const gate = auth[REQUEST_GATE]
  if (gate?.prove && !gate.authorize()?.authorization?.startsWith('Bearer ')) throw new TypeError(NO_PROOF)
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  return metadata
}

/** Options of `authGrpc`. */
export interface AuthGrpcOptions {
  /**
   * The address of the server as its clients name it, such as `https://api.example.com`. Proofs of possession are made for it and
   * the path of the method (RFC 9449 §4.2). Interceptors are not given it.
   */
  readonly target?: string | URL
}

/**
 * Creates an interceptor for the clients of `@grpc/grpc-js`. It sends the session's token with each call, waits during a refresh,
 * and replays a unary call whose token was rejected with the status `UNAUTHENTICATED`. Streams are not replayed. A call with
 * `authorization` in its metadata is sent unchanged.
 *
 * The token goes to the server of the client. gRPC sends it over a channel without TLS, too: use such a channel on this machine
 * only.
 *
 * @param auth the session
 * @param options `target`, for tokens that are bound to a key (DPoP)
 * @returns an interceptor for the option `interceptors` of a client. A call that gets no token fails with `UNAUTHENTICATED`, and
 * the `cause` of its error is that of the session: `isSessionError` recognises it
 * @throws TokenConfinedError if the session lives in a worker
 * @throws TypeError if `target` is not a URL
 *
 * @example
 * ```ts
 * const client = new EchoClient('api.example.com:443', credentials.createSsl(), { interceptors: [authGrpc(auth)] })
 * ```
 */
export function authGrpc(auth: AuthHandle, { target }: AuthGrpcOptions = {}): Interceptor {
  if (workerFetch(auth, {})) throw new TokenConfinedError()
  const origin = target === undefined ? undefined : new URL(target).origin
  return (options, nextCall) => {
    const { path, requestStream, responseStream } = options.method_definition
    const url = origin && origin + path
    return requestStream || responseStream
      ? new InterceptingCall(nextCall(options), streamRequester(auth, options, url))
      : // It has the methods of an `InterceptingCall`, whose private fields nothing reads.
        (new UnaryCall(auth, options, nextCall, url) as unknown as InterceptingCall)
  }
}
