/**
 * The server ends the connection without an answer. A TypeError, as `fetch` reports network errors, with the fields of
 * Node's own: MSW takes errors that have both for network errors, and all others for a 500.
 */
export class ConnectionDropped extends TypeError {
  readonly code = 'ECONNRESET'
  readonly errno = -104
}

type HeaderFields = Readonly<Record<string, string>>

const BODILESS = new Set([204, 205, 304])

/** A text answer that tolerates the statuses which must not have a body. */
export const textReply = (status: number, body: string, headers: HeaderFields = {}): Response =>
  new Response(BODILESS.has(status) ? null : body, { status, headers })

export const jsonReply = (status: number, body: unknown, headers: HeaderFields = {}): Response =>
  textReply(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers })

/** An error of the token or revocation endpoint (RFC 6749 section 5.2). */
export const oauthError = (error: string, description: string): Response =>
  jsonReply(400, { error, error_description: description })

/** A bearer challenge (RFC 6750 section 3). `error` is absent when the request had no token. */
export const challenge = (status: number, error?: string, attributes: HeaderFields = {}): Response => {
  const named = error === undefined ? [] : [`error="${error}"`]
  const others = Object.entries(attributes).map(([name, value]) => `${name}=${value}`)
  const value = ['Bearer', [...named, ...others].join(', ')].join(' ').trim()
  return jsonReply(status, error === undefined ? {} : { error }, { 'www-authenticate': value })
}

/**
 * The answer as it leaves the server: readable from every origin, never cached, without a body for HEAD. Its headers have to
 * be open to change.
 */
export const finishReply = (request: Request, answer: Response): Response => {
  const reply = request.method === 'HEAD' ? new Response(null, answer) : answer
  const { headers } = reply
  // The origin is echoed, for a wildcard would rule out requests with credentials, which cookie mode needs.
  headers.set('access-control-allow-origin', request.headers.get('origin') ?? '*')
  headers.set('access-control-allow-credentials', 'true')
  headers.append('access-control-expose-headers', 'WWW-Authenticate, Retry-After')
  headers.append('vary', 'Origin')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  return reply
}

/** Permits what the page asks for. With credentials, a wildcard would permit nothing. */
export const preflightReply = (request: Request): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods':
        request.headers.get('access-control-request-method') ??
        'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers':
        request.headers.get('access-control-request-headers') ?? 'authorization, content-type',
    },
  })
