/** The server ends the connection without an answer. A TypeError, as `fetch` reports network errors. */
export class ConnectionDropped extends TypeError {
  override readonly name = 'ConnectionDropped'
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

/** The answer as it leaves the server: readable from every origin, never cached, without a body for HEAD. */
export const finishReply = (request: Request, reply: Response): Response => {
  const headers = new Headers(reply.headers)
  // The origin is echoed, for a wildcard would rule out requests with credentials, which cookie mode needs.
  headers.set('access-control-allow-origin', request.headers.get('origin') ?? '*')
  headers.set('access-control-allow-credentials', 'true')
  headers.set('access-control-expose-headers', 'WWW-Authenticate, Retry-After')
  headers.set('vary', 'Origin')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  return new Response(request.method === 'HEAD' ? null : reply.body, { status: reply.status, headers })
}

export const preflightReply = (): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': 'authorization, content-type',
    },
  })
