import { checkNumber, checkOneOf, wrongKind } from './checks.ts'
import type { TokenServerRequest } from './requests.ts'

/** The answer given by `failNext`. */
export interface TokenFailure {
  /** From 200 to 599. Default: 500. */
  readonly status?: number
  /** A string is sent unchanged, anything else as JSON. Default: an OAuth error object. */
  readonly body?: unknown
  /** Headers of the answer, such as `retry-after`. The content type is that of JSON unless the body is a string. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * How `malformNext` can break a 200 answer: the page of a captive portal, truncated JSON, an answer without an access token,
 * or an empty body.
 */
export type MalformedAnswer = 'html' | 'bad-json' | 'no-access-token' | 'empty'

/** Runs the token request and returns the server's own answer. */
export type Act = () => Response
/** Answers a token request. Decides whether and when the server acts on it, and what it answers. */
export type TokenReply = (act: Act, request: TokenServerRequest) => Response | Promise<Response>

/**
 * Ends the connection without an answer. It is a TypeError, like the network errors of `fetch`, and has the fields of Node's
 * own errors: MSW treats an error that has both as a network error, and any other error as a 500.
 */
export class ConnectionDropped extends TypeError {
  readonly code = 'ECONNRESET'
  readonly errno = -104
}

type HeaderFields = Readonly<Record<string, string>>

const BODILESS = new Set([204, 205, 304])

/** A text answer. Statuses that must not have a body get none. */
export const textReply = (status: number, body: string, headers: HeaderFields = {}): Response =>
  new Response(BODILESS.has(status) ? null : body, { status, headers })

export const jsonReply = (status: number, body: unknown, headers: HeaderFields = {}): Response =>
  textReply(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers })

/** A bearer challenge (RFC 6750 section 3). `error` is absent if the request had no token. */
export const challenge = (status: number, error?: string, attributes: HeaderFields = {}): Response => {
  const named = error === undefined ? [] : [`error="${error}"`]
  const others = Object.entries(attributes).map(([name, value]) => `${name}=${value}`)
  const value = ['Bearer', [...named, ...others].join(', ')].join(' ').trim()
  return jsonReply(status, error === undefined ? {} : { error }, { 'www-authenticate': value })
}

const MALFORMED: Readonly<Record<MalformedAnswer, () => Response>> = {
  html: () =>
    textReply(200, '<!doctype html><title>Sign in to this network</title>', { 'content-type': 'text/html' }),
  'bad-json': () => textReply(200, '{"access_token":"at-cut-', { 'content-type': 'application/json' }),
  'no-access-token': () => jsonReply(200, { token_type: 'Bearer', expires_in: 3600 }),
  empty: () => textReply(200, '', { 'content-type': 'application/json' }),
}

const MALFORMED_KINDS = Object.keys(MALFORMED) as MalformedAnswer[]

export const checkStatus = (where: string, status: unknown): number => checkNumber(where, status, 200, 599)

/** Drops the connection. @throws ConnectionDropped always */
export const dropped = (): never => {
  throw new ConnectionDropped('The token server dropped the connection')
}

/** An error answer. Its parameters are checked now; each request gets a new `Response`. */
export const failed = (where: string, failure: TokenFailure = {}): TokenReply => {
  if (typeof failure !== 'object' || failure === null)
    throw wrongKind(`${where}: failure`, 'an object', failure)
  const status = checkStatus(`${where}: status`, failure.status ?? 500)
  const headers = Object.fromEntries(new Headers(failure.headers))
  const { body = { error: status >= 500 ? 'server_error' : 'invalid_request' } } = failure
  return () =>
    typeof body === 'string' ? textReply(status, body, headers) : jsonReply(status, body, headers)
}

export const malformed = (where: string, kind: MalformedAnswer): TokenReply =>
  MALFORMED[checkOneOf(`${where}: kind`, kind, MALFORMED_KINDS)]

/**
 * Finishes an answer: readable from every origin, never cached, and without a body for HEAD.
 *
 * @param answer its headers must be mutable
 */
export const finishReply = (request: Request, answer: Response): Response => {
  const reply = request.method === 'HEAD' ? new Response(null, answer) : answer
  const { headers } = reply
  // Echo the origin. A wildcard would reject requests with credentials, and cookie mode needs those.
  headers.set('access-control-allow-origin', request.headers.get('origin') ?? '*')
  headers.set('access-control-allow-credentials', 'true')
  headers.append('access-control-expose-headers', 'WWW-Authenticate, Retry-After')
  headers.append('vary', 'Origin')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  return reply
}

/** Allows what the page asks for. With credentials, a wildcard would allow nothing. */
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
