/**
 * The session for `fetch`.
 *
 * @module
 */
import type { AuthHandle } from '../core/auth.ts'
import { messageOf } from '../core/messages.ts'
import { bearerRequest } from '../core/requests/bearer-request.ts'
import type { Challenge } from '../core/requests/challenge.ts'
import type { BearerRequest } from '../core/requests/transport-request.ts'
import { isAuthorization } from './authorization.ts'
import { isOneShot, type ReplayableBody, replayableBody } from './body.ts'
import { classifyResponse } from './classify-response.ts'
import { endpointKey, isSafeMethod } from './method.ts'
import { createTargetGuard, type OriginOptions, originOf, type TargetGuard } from './origins.ts'
import { workerFetch } from './worker-fetch.ts'

/** Options that all transports share. `Answer` is the response type of the transport's client. */
export interface TransportOptions<Answer> extends OriginOptions {
  /**
   * Returns whether a response asks for a new token. Default: a 401 whose Bearer challenge has no error, or the error
   * `invalid_token`. Step-up challenges are recognised before it is called.
   */
  readonly isChallenge?: (answer: Answer) => boolean | Promise<boolean>
  /** Whether streams are read into memory before they are sent, so that they can be replayed. Default: `false`. */
  readonly bufferStreams?: boolean
  /**
   * What a 401 does to other requests in flight with the same token. `'safe'` aborts GET, HEAD and OPTIONS requests and
   * sends them again with the new token. Default: `'never'`.
   */
  readonly abortInFlight?: 'never' | 'safe'
  /** Returns whether a request bypasses the session: it is sent at once and unchanged. */
  readonly exclude?: (url: string) => boolean
}

/** Options of `createAuthFetch`. */
export interface AuthFetchOptions extends TransportOptions<Response> {
  /** The `fetch` to send with. Default: the global one, as it is at the time of each request. */
  readonly fetch?: typeof fetch
}

/**
 * Creates a `fetch` that sends the session's token, waits during a refresh, and replays a request whose token was rejected.
 *
 * The token goes only to `origins` and to the page's own origin. A caller's own `Authorization` header is not changed.
 *
 * @param auth the session
 * @param options the origins that get the token, and what to send with
 * @returns a replacement for `fetch`; it also rejects with the errors of `bearerRequest`
 * @throws TypeError outside of a page, if `origins` is not set
 *
 * @example
 * ```ts
 * const api = createAuthFetch(auth, { origins: ['https://api.example.com'] })
 * const response = await api('https://api.example.com/me')
 * ```
 *
 * @see RFC 6750 §2.1
 */
export function createAuthFetch(auth: AuthHandle, options: AuthFetchOptions = {}): typeof fetch {
  return authFetch(auth, options, createTargetGuard('createAuthFetch', options))
}

/**
 * `createAuthFetch`, for transports that determine their origins themselves.
 *
 * @param isOwnInit whether `init` and its headers are made for each call, so that they need not be copied
 */
export function authFetch(
  auth: AuthHandle,
  options: AuthFetchOptions,
  targetOf: TargetGuard,
  isOwnInit = false,
): typeof fetch {
  const { bufferStreams = false, exclude } = options
  const remote = workerFetch(auth, options)
  const send: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init))
  const settings: Settings = {
    send,
    isChallenge: options.isChallenge,
    abortSafe: options.abortInFlight === 'safe',
  }

  /** Sends a URL. The happy path has no async function, so that one promise reaction is all that a session adds. */
  function sendURL(input: string | URL, init: RequestInit | undefined): Promise<Response> {
    const url = String(input)
    const target = targetOf(url)
    if (target === undefined || exclude?.(url) || hasAuthorization(init?.headers)) return send(input, init)
    if (remote) return remote(target, init)
    if (!init || (isOwnInit && !isObject(init.body)))
      return bearerRequest(auth, new URLRequest(settings, target, init, true))
    // Copied at once, because the caller may change it while the request waits. `headers` comes first: to add a property
    // to a copy that a spread has made is slow in V8.
    const own: RequestInit = { headers: {}, ...init }
    if (own.headers) own.headers = copyHeaders(own.headers)
    const { body } = own
    if (!isObject(body)) return bearerRequest(auth, new URLRequest(settings, target, own, true))
    const prepared = replayableBody(body, bufferStreams)
    return prepared instanceof Promise
      ? prepared.then((ready) => sendBody(target, own, ready))
      : sendBody(target, own, prepared)
  }

  function sendBody(
    target: string,
    own: RequestInit,
    { body, contentType, replayable }: ReplayableBody,
  ): Promise<Response> {
    own.body = body as BodyInit
    if (contentType !== undefined) {
      const headers = new Headers(own.headers)
      if (!headers.has('content-type')) headers.set('content-type', contentType)
      own.headers = headers
    }
    return bearerRequest(auth, new URLRequest(settings, target, own, replayable))
  }

  function sendRequest(
    given: Request,
    input: string | URL | Request,
    init: RequestInit | undefined,
  ): Promise<Response> {
    const url = isRequest(input) ? input.url : String(input)
    if (
      targetOf(url) === undefined ||
      exclude?.(url) ||
      hasAuthorization(init?.headers ?? (isRequest(input) ? input.headers : undefined))
    )
      return send(input, init)
    if (remote) return remote(input, init)
    // A `Request` of another implementation is copied by its own constructor; this one would read it as a string.
    const Request = given.constructor as typeof globalThis.Request
    const request = new Request(input, init)
    // The copy is what gets sent, so its URL has to be checked, too.
    if (targetOf(request.url) === undefined) throw new TypeError(messageOf('changed_url'))
    // A `Request` can be cloned and replayed. A bare stream in `init` is not buffered.
    const replayable = bufferStreams || isRequest(init) || !isOneShot(init?.body)
    return bearerRequest(auth, new ObjectRequest(settings, request, replayable))
  }

  return (input, init) => {
    try {
      if (isRequest(input)) return sendRequest(input, input, init)
      if (isRequest(init)) return sendRequest(init, input, init)
      return sendURL(input, init)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

interface Settings {
  readonly send: typeof fetch
  readonly isChallenge: ((answer: Response) => boolean | Promise<boolean>) | undefined
  readonly abortSafe: boolean
}

/** What requests by URL and by `Request` object have in common. */
abstract class FetchRequest implements BearerRequest<Response> {
  protected readonly settings: Settings
  /** The absolute URL that was checked and is sent. */
  protected readonly url: string
  readonly replayable: boolean

  constructor(settings: Settings, url: string, replayable: boolean) {
    this.settings = settings
    this.url = url
    this.replayable = replayable
  }

  abstract readonly method: string
  abstract readonly signal: AbortSignal | null | undefined
  abstract send(authorization: string | undefined, abort?: AbortSignal): Promise<Response>

  get abortable() {
    return this.settings.abortSafe && isSafeMethod(this.method)
  }

  key() {
    return endpointKey(this.method, this.url)
  }

  challenge(answer: Response): Challenge | undefined | Promise<Challenge | undefined> {
    const { status } = answer
    const { isChallenge } = this.settings
    if (!isChallenge && status !== 401 && status !== 403) return undefined
    // A redirect to another origin drops the token, so a 401 from there is not about the token.
    if (answer.redirected && originOf(answer.url) !== originOf(this.url)) return undefined
    return classifyResponse(answer, status, answer.headers?.get('www-authenticate'), isChallenge)
  }

  discard(answer: Response) {
    // An unread body keeps its connection open.
    answer.body?.cancel().catch(() => {})
  }
}

/** A request that was given as a URL. `init` is a copy of the caller's. */
class URLRequest extends FetchRequest {
  readonly #init: RequestInit | undefined

  constructor(settings: Settings, url: string, init: RequestInit | undefined, replayable: boolean) {
    super(settings, url, replayable)
    this.#init = init
  }

  get signal() {
    return this.#init?.signal
  }

  get method() {
    return this.#init?.method ?? 'GET'
  }

  send(authorization: string | undefined, abort?: AbortSignal): Promise<Response> {
    const { send } = this.settings
    const init = this.#init
    if (authorization === undefined && !abort) return send(this.url, init)
    // A new object for each sending: the user's `fetch` may change it.
    const sent: RequestInit = { headers: {}, ...init }
    if (authorization !== undefined) sent.headers = withAuthorization(init?.headers, authorization)
    if (abort) sent.signal = init?.signal ? AbortSignal.any([init.signal, abort]) : abort
    return send(this.url, sent)
  }
}

/** A request that was given as a `Request`. `request` is a copy of the caller's. */
class ObjectRequest extends FetchRequest {
  readonly #request: Request
  #sent = false

  constructor(settings: Settings, request: Request, replayable: boolean) {
    super(settings, request.url, replayable)
    this.#request = request
  }

  get signal() {
    return this.#request.signal
  }

  get method() {
    return this.#request.method
  }

  send(authorization: string | undefined, abort?: AbortSignal): Promise<Response> {
    const { send } = this.settings
    // The last of two sendings needs no clone.
    const request = this.#sent || !this.replayable ? this.#request : this.#request.clone()
    this.#sent = true
    if (authorization !== undefined) request.headers.set('authorization', authorization)
    return abort ? send(request, { signal: AbortSignal.any([request.signal, abort]) }) : send(request)
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isRequest = (input: unknown): input is Request => isObject(input) && 'clone' in input

const isHeaders = (headers: HeadersInit): headers is Headers => typeof (headers as Headers).has === 'function'

function hasAuthorization(headers: HeadersInit | undefined): boolean {
  if (!headers) return false
  if (isHeaders(headers)) return headers.has('authorization')
  if (Symbol.iterator in headers) return [...headers].some(([name]) => isAuthorization(name))
  for (const name in headers) if (isAuthorization(name) && Object.hasOwn(headers, name)) return true
  return false
}

function copyHeaders(headers: HeadersInit): HeadersInit {
  if (isHeaders(headers)) return new Headers(headers)
  return Symbol.iterator in headers
    ? Array.from(headers, ([name, value]): [string, string] => [name, value])
    : { ...headers }
}

function withAuthorization(headers: HeadersInit | undefined, authorization: string): HeadersInit {
  if (!headers) return { authorization }
  // The token comes first for the same reason as `headers` above. The caller's headers have no `authorization`.
  if (!isHeaders(headers) && !(Symbol.iterator in headers)) return { authorization, ...headers }
  const copy = new Headers(headers)
  copy.set('authorization', authorization)
  return copy
}
