/**
 * The session for `fetch`.
 *
 * @module
 */
export { isSessionError } from '../core/session-error.ts'

import type { AuthHandle } from '../core/auth.ts'
import { isObject } from '../core/platform/is-object.ts'
import { isPromiseLike } from '../core/platform/promise-like.ts'
import { bearerRequest } from '../core/requests/bearer-request.ts'
import { isOneShot, type ReplayableBody, replayableBody } from './body.ts'
import { copyHeaders, copyInit, hasAuthorization, readableInit } from './copy-init.ts'
import { copyRequest, requestURL } from './copy-request.ts'
import { explainBypass, explainTransport } from './explain.ts'
import { type FetchRequest, ObjectRequest, type Settings, URLRequest } from './fetch-requests.ts'
import { globalFetch } from './global-fetch.ts'
import { createTargetGuard, type OriginOptions, originOf, pageOrigin, type TargetGuard } from './origins.ts'
import { withinOrigin } from './redirects.ts'
import { workerFetch } from './worker-fetch.ts'

/** Options that all transports share. `Answer` is the response type of the transport's client. */
export interface TransportOptions<Answer> extends OriginOptions {
  /**
   * Returns whether a response asks for a new token. Default: a 401 whose Bearer or DPoP challenge has no error, or one that
   * says that the token is not accepted any more (`readChallenge`). Step-up challenges are recognised before it is called.
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
  explainTransport('createAuthFetch', options)
  return authFetch(auth, options, createTargetGuard('createAuthFetch', options))
}

/**
 * `createAuthFetch`, for transports that determine their origins themselves.
 *
 * @internal
 * @param isOwnInit whether `init` and its headers are made for each call, so that they need not be copied
 */
export function authFetch(
  auth: AuthHandle,
  options: AuthFetchOptions,
  targetOf: TargetGuard,
  isOwnInit = false,
): typeof fetch {
  const { bufferStreams = false, exclude, fetch: given } = options
  const remote = workerFetch(auth, options)
  const bare = given ?? globalFetch()
  const settings: Settings = {
    send: withinOrigin(bare, given),
    bare,
    isChallenge: options.isChallenge,
    abortSafe: options.abortInFlight === 'safe',
  }

  /** Sends a URL. The happy path has no async function, so that one promise reaction is all that a session adds. */
  function sendURL(input: string | URL, init: RequestInit | undefined): Promise<Response> {
    const url = String(input)
    const target = targetOf(url)
    const mode = init?.mode && readableMode(init.mode, url)
    if (target === undefined || exclude?.(url) || hasAuthorization(init?.headers) || mode === OPAQUE) {
      explainBypass(auth, url, target, init)
      return bare(input, init)
    }
    if (remote) return remote(target, init)
    if (!init || (isOwnInit && !isObject(init.body) && mode === init.mode))
      return bearerRequest(auth, new URLRequest(settings, target, init, true))
    // Copied at once, because the caller may change it while the request waits.
    const own = copyInit(init)
    if (own.headers) own.headers = copyHeaders(own.headers)
    if (mode) own.mode = mode
    const { body } = own
    if (!isObject(body)) return bearerRequest(auth, new URLRequest(settings, target, own, true))
    const prepared = replayableBody(body, bufferStreams, own.signal)
    return isPromiseLike(prepared)
      ? prepared.then((ready) => sendBody(target, own, ready))
      : sendBody(target, own, prepared)
  }

  function sendBody(
    target: string,
    own: RequestInit,
    { body, replayable }: ReplayableBody,
  ): Promise<Response> {
    own.body = body as BodyInit
    return sendAndFree(new URLRequest(settings, target, own, replayable))
  }

  function sendRequest(request: Request, url: string, init: RequestInit | undefined): Promise<Response> {
    const givenMode = init?.mode ?? request.mode
    const mode = readableMode(givenMode, url)
    const target = targetOf(url)
    if (
      target === undefined ||
      exclude?.(url) ||
      hasAuthorization(init?.headers ?? request.headers) ||
      mode === OPAQUE
    ) {
      explainBypass(auth, url, target, request, init)
      return bare(request, init)
    }
    if (remote) return remote(request, init)
    const changed = mode === givenMode ? undefined : { mode }
    const rest = init && Object.assign(copyInit(init), changed)
    const own = copyRequest(request, rest ?? changed)
    // What this platform, or the given `fetch`, takes beside the standard options.
    delete rest?.body
    delete rest?.headers
    // A `Request` can be cloned and replayed. A bare stream in `init` is not buffered.
    return sendAndFree(new ObjectRequest(settings, own, rest, bufferStreams || !isOneShot(init?.body)))
  }

  /** Sends a request with a body, and frees what it keeps of the body if that is not sent. */
  function sendAndFree(request: FetchRequest): Promise<Response> {
    const answer = bearerRequest(auth, request)
    answer.then(
      () => request.free(undefined),
      (error) => request.free(error),
    )
    return answer
  }

  function send(input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
    // A `Request` may also be given for its options. It is copied before its URL is read.
    if (requestURL(init) !== undefined) return send(new Request(input, init), undefined)
    const url = requestURL(input)
    if (url !== undefined) return sendRequest(input as Request, url, init)
    return given && isForeignRequest(input) ? sendForeign(input, init) : sendURL(input as string | URL, init)
  }

  /** Sends a `Request` that only the given `fetch` understands, by its parts: its URL is read once. */
  async function sendForeign(request: Request, init: RequestInit | undefined): Promise<Response> {
    const parts: Record<string, unknown> = {}
    for (const name in request) parts[name] = request[name as keyof Request]
    const { url, body } = parts
    parts.body = body ? await request.arrayBuffer() : undefined
    return sendURL(String(url), { ...parts, ...init })
  }

  // A method, because its name and length are those of the platform's `fetch`.
  return {
    fetch(input: string | URL | Request, init: RequestInit | undefined = undefined) {
      try {
        return send(input, readableInit(init))
      } catch (error) {
        return Promise.reject(error)
      }
    },
  }.fetch
}

/** Whether a value is the `Request` of another implementation, such as node-fetch. */
const isForeignRequest = (input: unknown): input is Request =>
  isObject(input) && typeof input.clone === 'function' && 'url' in input

/** A mode in which the browser removes the token without a word, and no script can read the answer. */
const OPAQUE = 'no-cors'

/**
 * The mode to send a request in. Elements ask a service worker for requests in the mode `no-cors`. To the page's own origin they
 * can be sent in another one, with the token. Outside of a page, all modes are the same.
 */
function readableMode(mode: RequestMode, url: string): RequestMode {
  if (mode !== OPAQUE) return mode
  const page = pageOrigin()
  return page === undefined || originOf(url) === page ? 'cors' : mode
}
