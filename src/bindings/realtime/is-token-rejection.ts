/** The WebSocket close code for a rejected token, from IANA's registry. */
const UNAUTHORIZED = 3000

/** A `Response`, the error of an HTTP client, or the `close` event of a WebSocket. */
interface ConnectionEnd {
  readonly status?: unknown
  readonly response?: { readonly status?: unknown } | null
  readonly code?: unknown
}

/** Whether a connection ended because the server rejected its token. */
export function isTokenRejection(cause: unknown): boolean {
  const { status, response, code } = Object(cause) as ConnectionEnd
  return status === 401 || response?.status === 401 || code === UNAUTHORIZED
}
