/** In IANA's registry of WebSocket close codes: the token is not taken. */
const UNAUTHORIZED = 3000

/** A `Response`, the error of an HTTP client, or the `close` event of a WebSocket. */
interface End {
  readonly status?: unknown
  readonly response?: { readonly status?: unknown } | null
  readonly code?: unknown
}

/** Whether the end of a connection says that its token is not taken. */
export function isRefusal(cause: unknown): boolean {
  const { status, response, code } = Object(cause) as End
  return status === 401 || response?.status === 401 || code === UNAUTHORIZED
}
