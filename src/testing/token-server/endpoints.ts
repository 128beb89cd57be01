import { isPromiseLike } from '../../core/platform/promise-like.ts'
import { checkFunction, wrongKind } from './checks.ts'
import { bodyFields, type ReceivedRequest } from './received-request.ts'
import { jsonReply } from './replies.ts'
import type { IssuedTokens } from './types.ts'

/** What an API of an app's own calls sign-in, refresh and sign-out. */
export type TokenEndpoint = 'signIn' | 'refresh' | 'revoke'

/**
 * Where a {@link TokenServer} has its endpoints: a path that begins with a slash. A method may precede it, as in
 * `'DELETE /session'`; otherwise it is POST.
 */
export interface TokenServerPaths {
  /** Signs a user in. Default: `'/session'`. */
  readonly signIn?: string
  /** Refreshes. With a path of its own, requests need no `grant_type`. Default: `'/token'`. */
  readonly refresh?: string
  /** Ends a session. Default: `'/revoke'`. */
  readonly revoke?: string
  /** What every path of the API begins with, and ends with a slash. Default: `'/api/'`. */
  readonly api?: string
}

/** A request, for `parse`. */
export interface EndpointRequest {
  /** Which endpoint is asked, by its path and method. */
  readonly endpoint: TokenEndpoint
  /** The headers of the request. */
  readonly headers: Headers
}

/** The tokens of a successful answer. In cookie mode, and without rotation, `refresh_token` is missing. */
export type AnsweredTokens = Omit<IssuedTokens, 'refresh_token'> & {
  /** The next refresh token. Missing in cookie mode, and without rotation. */
  readonly refresh_token?: string
}

/** An error of a token endpoint (RFC 6749 section 5.2). */
export interface AnsweredError {
  /** The code, such as `invalid_grant`. */
  readonly error: string
  /** What is wrong, for the developer of a test. */
  readonly error_description: string
}

/** The form of requests and answers, for an API of another form than OAuth. Its functions must not be asynchronous. */
export interface TokenServerForm {
  /** The paths of the endpoints. Two of them must not be the same. */
  readonly paths?: TokenServerPaths
  /**
   * Reads a request: returns `username` and `password` for a sign-in, `refresh_token` for a refresh and a sign-out, and
   * `cookie: 1` for an answer in cookie mode.
   *
   * @param body the fields of the JSON or form body
   */
  readonly parse?: (
    body: Readonly<Record<string, unknown>>,
    request: EndpointRequest,
  ) => Readonly<Record<string, unknown>>
  /**
   * Writes a successful answer of a sign-in or a refresh: as JSON, or as a `Response` of its own.
   *
   * @param about the user of the tokens
   */
  readonly format?: (
    tokens: AnsweredTokens,
    about: { readonly endpoint: TokenEndpoint; readonly subject: string },
  ) => unknown
  /** Writes a refusal. A value other than a `Response` has the status 400. */
  readonly formatError?: (error: AnsweredError, about: { readonly endpoint: TokenEndpoint }) => unknown
}

type Parameters = ReadonlyMap<string, string>

/** The paths of the endpoints, and how they are read and answered. */
export interface Endpoints {
  /** What paths of the API begin with. */
  readonly api: string
  /** The path that the cookie of cookie mode belongs to. */
  readonly cookiePath: string
  /** The endpoint of a request. If only its method is wrong: the one that would be right. */
  endpointOf(received: ReceivedRequest): TokenEndpoint | { readonly allow: string } | undefined
  /** The parameters of a request, or what is wrong with its body. @throws what `parse` throws */
  parametersOf(received: ReceivedRequest): Parameters | string
  /** Writes tokens. @throws what `format` throws */
  answer(endpoint: TokenEndpoint, tokens: AnsweredTokens, subject: string): Response
  /** Writes a refusal. @throws what `formatError` throws */
  refuse(endpoint: TokenEndpoint, error: AnsweredError): Response
}

const DEFAULT_PATHS: Required<TokenServerPaths> = {
  signIn: '/session',
  refresh: '/token',
  revoke: '/revoke',
  api: '/api/',
}

/** @throws TypeError if an option is of the wrong kind, or two paths are the same */
export const createEndpoints = (where: string, form: TokenServerForm): Endpoints => {
  const paths = { ...DEFAULT_PATHS, ...form.paths }
  checkPaths(`${where}: paths`, paths)
  for (const name of ['parse', 'format', 'formatError'] as const) {
    if (form[name] !== undefined) checkFunction(`${where}: ${name}`, form[name])
  }
  const isOAuth = paths.refresh === DEFAULT_PATHS.refresh
  const endpoints = new Map<string, TokenEndpoint>([
    [withMethod(paths.signIn), 'signIn'],
    [withMethod(paths.refresh), 'refresh'],
    // Below the path of the cookie, so that a sign-out receives it.
    ...(isOAuth ? [['POST /token/revoke', 'revoke'] as const] : []),
    [withMethod(paths.revoke), 'revoke'],
  ])
  const keyOf = ({ request, url }: ReceivedRequest) => `${request.method} ${url.pathname}`
  const known = new WeakMap<ReceivedRequest, Parameters>()

  const read = (received: ReceivedRequest): Parameters | string => {
    const body = bodyFields(received)
    const endpoint = endpoints.get(keyOf(received))
    if (typeof body === 'string') return body
    if (!endpoint) return 'It is no request for an endpoint'
    const { headers } = received.request
    const fields = form.parse ? notLater('parse', form.parse(body, { endpoint, headers })) : body
    const needsNoGrantType = endpoint === 'refresh' && !isOAuth
    const all = Object.entries({ ...(needsNoGrantType && { grant_type: 'refresh_token' }), ...fields })
    const known = all.filter(([, value]) => value !== null && value !== undefined)
    const parameters = new Map(known.map(([name, value]) => [name, String(value)]))
    const token = parameters.get('refresh_token')
    // RFC 7009 section 2.1 has another name for what an app sends to sign out.
    if (endpoint === 'revoke' && !isOAuth && token && !parameters.has('token')) parameters.set('token', token)
    return parameters
  }

  return {
    api: paths.api,
    cookiePath: isOAuth ? paths.refresh : '/',
    endpointOf: (received) => {
      const found = endpoints.get(keyOf(received))
      const other = [...endpoints.keys()].find((key) => key.endsWith(` ${received.url.pathname}`))
      return found ?? (other === undefined ? undefined : { allow: other.split(' ')[0] ?? '' })
    },
    parametersOf: (received) => {
      const parameters = known.get(received) ?? read(received)
      if (typeof parameters !== 'string') known.set(received, parameters)
      return parameters
    },
    answer: (endpoint, tokens, subject) =>
      replyOf(200, form.format ? notLater('format', form.format(tokens, { endpoint, subject })) : tokens),
    refuse: (endpoint, error) =>
      replyOf(400, form.formatError ? notLater('formatError', form.formatError(error, { endpoint })) : error),
  }
}

/** The server acts at once, so that each request is one step. @throws TypeError for a promise */
const notLater = <T>(name: string, value: T): T => {
  if (isPromiseLike(value)) throw new TypeError(`${name} must not be asynchronous.`)
  return value
}

/** The answer that a test wrote. Checks the shape, not the class: the `Response` may come from another implementation. */
const replyOf = (status: number, written: unknown): Response =>
  typeof (written as Response | undefined)?.headers?.get === 'function'
    ? new Response((written as Response).body, written as Response)
    : jsonReply(status, written)

const checkPaths = (where: string, paths: Required<TokenServerPaths>): void => {
  const { api, ...others } = paths
  if (typeof api !== 'string' || !/^\/([^?#* ]*\/)?$/.test(api)) {
    throw wrongKind(`${where}.api`, 'a path that begins and ends with a slash', api)
  }
  const seen = new Set<string>()
  for (const [name, path] of Object.entries(others)) {
    if (typeof path !== 'string' || !/^([A-Z]+ )?\/[^?#* ]*$/.test(path)) {
      throw wrongKind(`${where}.${name}`, "a path that begins with a slash, such as '/login'", path)
    }
    if (seen.has(withMethod(path))) throw new TypeError(`${where}: two of them are '${path}'.`)
    seen.add(withMethod(path))
  }
}

const withMethod = (path: string) => (path.startsWith('/') ? `POST ${path}` : path)
