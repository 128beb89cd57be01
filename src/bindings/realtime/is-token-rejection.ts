/** The WebSocket close code for a rejected token, from IANA's registry. */
const UNAUTHORIZED = 3000

/** How clients for Node say that an upgrade was answered with 401: `Unexpected server response: 401` of ws. */
const REFUSED_UPGRADE = /\b(?:response|status|status code):? \(?401\b/i

/** A `Response`, the error of an HTTP client, the `close` event of a WebSocket, or the `error` event of a client for Node. */
interface ConnectionEnd {
  readonly status?: unknown
  readonly response?: { readonly status?: unknown } | null
  readonly code?: unknown
  readonly message?: unknown
}

/** Whether a connection ended because the server rejected its token. */
export function isTokenRejection(cause: unknown): boolean {
  const { status, response, code, message } = Object(cause) as ConnectionEnd
  // The package eventsource has the status in `code`.
  if (status === 401 || response?.status === 401 || code === 401 || code === UNAUTHORIZED) return true
  return typeof message === 'string' && REFUSED_UPGRADE.test(message.slice(0, 200))
}
