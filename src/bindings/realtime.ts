/**
 * Keeps a WebSocket, an EventSource or a stream open while a user is signed in.
 *
 * @module
 */
import { WORKER_FETCH } from '../core/auth.ts'
import { keep } from './realtime/keep.ts'
import type { KeepConnectedOptions, Open } from './realtime/types.ts'
import type { AnyAuth } from './snapshot.ts'

export type {
  Connection,
  ConnectionRequest,
  ConnectionRetry,
  KeepConnectedOptions,
  Open,
} from './realtime/types.ts'
export type { AnyAuth } from './snapshot.ts'

/**
 * Keeps a connection open with the session's token. It waits while no user is signed in. It reconnects after a refresh, and
 * after failures with increasing delays. It closes the connection at once when the session expires, the user signs out, or
 * another user signs in: a connection is never used by two users.
 *
 * @param auth the session
 * @param open opens one connection with the given token. Never put the token into a URL, because URLs are logged
 * @param options delays in milliseconds, see `KeepConnectedOptions`
 * @returns a function that closes the connection and stops. It also stops when the auth is disposed of
 * @throws TypeError if the session is in a worker, which does not reveal the token, or if an option is invalid
 *
 * @example
 * ```ts
 * const stop = keepConnected(auth, ({ accessToken }) => {
 *   const socket = new WebSocket('wss://api.example.com/live', ['bearer', accessToken])
 *   socket.onmessage = ({ data }) => show(JSON.parse(data))
 *   return socket
 * })
 * ```
 *
 * @see RFC 6750 §2.3 on tokens in URLs, RFC 6455 §1.9 on subprotocols
 */
export function keepConnected(auth: AnyAuth, open: Open, options: KeepConnectedOptions = {}): () => void {
  if (auth[WORKER_FETCH])
    throw new TypeError(
      'keepConnected: the session is in a worker, which does not reveal its token. Create the auth on the page.',
    )
  return keep(auth, open, options)
}
