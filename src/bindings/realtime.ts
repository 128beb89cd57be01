/**
 * A WebSocket, an EventSource or a stream, for as long as somebody is signed in.
 *
 * @module
 */
import { FETCH } from '../core/auth.ts'
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
 * Keeps a connection open that was opened with the session's token. It waits while nobody is signed in, connects anew after a
 * renewal, and after failures with growing waits. On a sign-out, at the end of the session, and when somebody else signs in it
 * closes the connection at once: none of one user is there under another.
 *
 * @param auth the session
 * @param open opens one connection with the token it is given. Never put that into a URL: URLs are logged
 * @param options waits in milliseconds, see `KeepConnectedOptions`
 * @returns the way to stop, which closes the connection. It stops by itself when the auth is disposed of
 * @throws TypeError where the session lives in a worker, which gives no token, or where an option is wrong
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
  if (auth[FETCH]) throw new TypeError('keepConnected: this session lives in a worker, which gives no token.')
  return keep(auth, open, options)
}
