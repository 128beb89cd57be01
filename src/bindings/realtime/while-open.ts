import { isTokenRejection } from './is-token-rejection.ts'
import type { Connection, ConnectionRequest, Open } from './types.ts'

/** Opens a connection. Resolves or rejects with the reason for its end. It is closed as soon as the signal aborts. */
export async function whileOpen(open: Open, request: ConnectionRequest): Promise<unknown> {
  const opening = open(request)
  const opened = isConnection(opening) ? opening : await opening
  return isConnection(opened) ? endOf(opened, request.signal) : undefined
}

const isConnection = (value: unknown): value is Connection =>
  typeof value === 'object' && value !== null && 'close' in value && 'addEventListener' in value

/** Whether it has closed already. `CLOSED` has different values for a WebSocket and an EventSource. */
function isClosed(connection: object): boolean {
  const { readyState, CLOSED } = connection as { readonly readyState?: unknown; readonly CLOSED?: unknown }
  return readyState !== undefined && readyState === CLOSED
}

const endOf = (connection: Connection, signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    // A WebSocket's `close` event contains more information than its `error` event, and follows it.
    const types = 'onclose' in connection ? (['close'] as const) : (['close', 'error'] as const)
    let error: unknown
    // The listener for errors stays: without one, an `error` event of the package ws ends a Node process, and it may come
    // after the connection was closed.
    connection.addEventListener('error', (event) => {
      error = event
    })
    const finish = (end: unknown) => {
      for (const type of types) connection.removeEventListener(type, finish)
      signal.removeEventListener('abort', abort)
      // The `close` event of an upgrade that was refused does not say why.
      resolve(isTokenRejection(error) ? error : end)
      // An EventSource would reconnect by itself with the old token.
      connection.close()
    }
    const abort = () => finish(signal.reason)
    if (signal.aborted || isClosed(connection)) return abort()
    for (const type of types) connection.addEventListener(type, finish)
    signal.addEventListener('abort', abort)
  })
