/**
 * The session for `fetch`.
 *
 * @module
 */
import type { AnyAuth } from '../core/auth.ts'
import { bearerRequest } from '../core/bearer-request.ts'
import type { Challenge } from '../core/challenge.ts'
import type { BearerRequest } from '../core/request.ts'
import { isOneShot, replayableBody } from './body.ts'
import { fetchElsewhere } from './elsewhere.ts'
import { judge } from './judge.ts'
import { createOriginGuard, type OriginOptions, originOf } from './origins.ts'

/** Options that all transports share; `Answer` is what the transport's client calls a response. */
export interface TransportOptions<Answer> extends OriginOptions {
  /**
   * Says whether an answer asks for a new token. Default: a 401 whose Bearer challenge, where it names an error, names
   * `invalid_token`. Step-up challenges are recognised before it is asked.
   */
  readonly isChallenge?: (answer: Answer) => boolean | Promise<boolean>
  /** Reads streams into memory before they are sent, so that they can be replayed. Default: `false`. */
  readonly bufferStreams?: boolean
  /**
   * What a 401 does to other requests in flight with the same token: `'safe'` aborts GET, HEAD and OPTIONS and sends them
   * again with the new one. Default: `'never'`.
   */
  readonly abortInFlight?: 'never' | 'safe'
  /** Requests that are none of the session's business: they go as they are, at once. */
  readonly exclude?: (url: string) => boolean
}

/** Options of `createAuthFetch`. */
export interface AuthFetchOptions extends TransportOptions<Response> {
  /** The `fetch` to send with. Default: the global one, as it is at the time of each request. */
  readonly fetch?: typeof fetch
}

/**
 * A `fetch` that carries the session's token, waits while it is renewed and replays what a stale one was refused for.
 *
 * The token goes to `origins` and to the page's own origin only. A caller's own `Authorization` header is left alone.
 *
 * @param auth the session
 * @param options where the token may go, and what to send with
 * @returns a drop-in for `fetch`; it rejects with what `bearerRequest` throws, beside what `fetch` does
 * @throws TypeError where there is no page and `origins` is not set
 *
 * @example
 * ```ts
 * const api = createAuthFetch(auth, { origins: ['https://api.example.com'] })
 * const response = await api('https://api.example.com/me')
 * ```
 *
 * @see RFC 6750 §2.1
 */
export function createAuthFetch(auth: AnyAuth, options: AuthFetchOptions = {}): typeof fetch {
  return authFetch(auth, options, createOriginGuard('createAuthFetch', options))
}

/** `createAuthFetch`, for transports that find their origins themselves. */
export function authFetch(
  auth: AnyAuth,
  options: AuthFetchOptions,
  allowed: (url: string) => boolean,
): typeof fetch {
  const { bufferStreams = false, exclude } = options
  const elsewhere = fetchElsewhere(auth, options)
  const send: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init))
  const rules: Rules = { send, isChallenge: options.isChallenge, abortSafe: options.abortInFlight === 'safe' }

  return async (input, init) => {
    // Read once, as all of it is: what was passed may be changed, or pointed elsewhere, while the request waits.
    const url = isRequest(input) ? input.url : String(input)
    if (!allowed(url) || exclude?.(url) || hasAuthorization(init?.headers ?? headersOf(input)))
      return send(input, init)
    if (elsewhere) return elsewhere(input, init)
    const request = isRequest(input) ? input : isRequest(init) ? init : undefined
    if (request) {
      // Another implementation's `Request` is made again by its own constructor; this one would read it as a string.
      const Request = request.constructor as typeof globalThis.Request
      // It can be cloned, and so sent again, whatever its body; only a stream that came on its own is not hoarded.
      const replayable = bufferStreams || isRequest(init) || !isOneShot(init?.body)
      return bearerRequest(
        auth,
        new FetchRequest(rules, url, new Request(input, init), undefined, replayable),
      )
    }
    const own: RequestInit | undefined = init && { ...init }
    if (own?.headers) own.headers = copyHeaders(own.headers)
    if (typeof own?.body !== 'object' || own.body === null) {
      return bearerRequest(auth, new FetchRequest(rules, url, url, own, true))
    }
    const prepared = replayableBody(own.body, bufferStreams)
    const { body, contentType, replayable } = prepared instanceof Promise ? await prepared : prepared
    own.body = body as BodyInit
    if (contentType !== undefined) {
      const headers = new Headers(own.headers)
      if (!headers.has('content-type')) headers.set('content-type', contentType)
      own.headers = headers
    }
    return bearerRequest(auth, new FetchRequest(rules, url, url, own, replayable))
  }
}

interface Rules {
  readonly send: typeof fetch
  readonly isChallenge: ((answer: Response) => boolean | Promise<boolean>) | undefined
  readonly abortSafe: boolean
}

class FetchRequest implements BearerRequest<Response> {
  readonly #rules: Rules
  readonly #url: string
  readonly #input: string | Request
  readonly #init: RequestInit | undefined
  readonly replayable: boolean
  #sent = false

  constructor(
    rules: Rules,
    url: string,
    input: string | Request,
    init: RequestInit | undefined,
    replayable: boolean,
  ) {
    this.#rules = rules
    this.#url = url
    this.#input = input
    this.#init = init
    this.replayable = replayable
  }

  get signal() {
    return isRequest(this.#input) ? this.#input.signal : this.#init?.signal
  }

  get abortable() {
    return this.#rules.abortSafe && /^(GET|HEAD|OPTIONS)$/i.test(this.#method)
  }

  get #method() {
    return (isRequest(this.#input) ? this.#input.method : this.#init?.method) ?? 'GET'
  }

  key() {
    return `${this.#method} ${this.#url.split(/[?#]/, 1)[0]}`
  }

  send(authorization: string | undefined, abort?: AbortSignal): Promise<Response> {
    const { send } = this.#rules
    const input = this.#input
    if (isRequest(input)) {
      // The last of two sends may use the request up.
      const request = this.#sent || !this.replayable ? input : input.clone()
      this.#sent = true
      if (authorization !== undefined) request.headers.set('authorization', authorization)
      return abort ? send(request, { signal: AbortSignal.any([request.signal, abort]) }) : send(request)
    }
    const init = this.#init
    if (authorization === undefined && !abort) return send(input, init)
    const signal = abort && init?.signal ? AbortSignal.any([init.signal, abort]) : abort
    return send(input, {
      ...init,
      ...(authorization !== undefined && { headers: withAuthorization(init?.headers, authorization) }),
      ...(signal && { signal }),
    })
  }

  challenge(answer: Response): Challenge | undefined | Promise<Challenge | undefined> {
    const { status } = answer
    const { isChallenge } = this.#rules
    if (!isChallenge && status !== 401 && status !== 403) return undefined
    // A redirect to another origin lost the token on the way: what is said there is not about it.
    if (answer.redirected && originOf(answer.url) !== originOf(this.#url)) return undefined
    return judge(answer, status, answer.headers?.get('www-authenticate'), isChallenge)
  }

  discard(answer: Response) {
    // A body nobody reads keeps its connection.
    answer.body?.cancel().catch(() => {})
  }
}

const isRequest = (input: unknown): input is Request =>
  typeof input === 'object' && input !== null && 'clone' in input

const headersOf = (input: string | URL | Request) => (isRequest(input) ? input.headers : undefined)

function hasAuthorization(headers: HeadersInit | undefined): boolean {
  if (!headers) return false
  if (typeof (headers as Headers).has === 'function') return (headers as Headers).has('authorization')
  const names = Symbol.iterator in headers ? [...headers].map(([name]) => name) : Object.keys(headers)
  return names.some((name) => name?.toLowerCase() === 'authorization')
}

function copyHeaders(headers: HeadersInit): HeadersInit {
  if (typeof (headers as Headers).has === 'function') return new Headers(headers)
  return Symbol.iterator in headers
    ? Array.from(headers, ([name, value]): [string, string] => [name, value])
    : { ...headers }
}

function withAuthorization(headers: HeadersInit | undefined, authorization: string): HeadersInit {
  if (!headers) return { authorization }
  if (typeof (headers as Headers).has !== 'function' && !(Symbol.iterator in headers))
    return { ...headers, authorization }
  const copy = new Headers(headers)
  copy.set('authorization', authorization)
  return copy
}
