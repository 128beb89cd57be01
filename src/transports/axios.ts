/**
 * The session for axios.
 *
 * @module
 */
import {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  type AxiosResponse,
  getAdapter,
  type InternalAxiosRequestConfig,
} from 'axios'
import type { AnyAuth } from '../core/auth.ts'
import { bearerRequest } from '../core/bearer-request.ts'
import type { Challenge } from '../core/challenge.ts'
import { AuthError, HoldTimeoutError } from '../core/errors.ts'
import type { BearerRequest } from '../core/request.ts'
import { finalURL, telling } from './axios-final-url.ts'
import { replayableBody } from './body.ts'
import { fetchElsewhere } from './elsewhere.ts'
import type { TransportOptions } from './fetch.ts'
import { judge } from './judge.ts'
import { isNodeForm, readForm } from './node-form.ts'
import { createOriginGuard, originOf } from './origins.ts'

/** Options of `attachAuth`. `isChallenge` sees a response as the adapter gives it, before `transformResponse`. */
export type AttachAuthOptions = TransportOptions<AxiosResponse>

type Config = InternalAxiosRequestConfig

/**
 * Puts the session under an axios instance: at its adapter, below interceptors and transforms, so that those run once
 * for each call and not once for each sending. Works over the xhr, http and fetch adapters.
 *
 * @param instance the instance; the origin of its `defaults.baseURL` gets the token
 * @param auth the session
 * @param options where else the token may go
 * @returns the way to take the session off again
 * @throws TypeError where there is no page, no `baseURL` and no `origins`
 *
 * @example
 * ```ts
 * const api = axios.create({ baseURL: 'https://api.example.com' })
 * const detach = attachAuth(api, auth)
 * const { data } = await api.get('/me')
 * ```
 */
export function attachAuth(
  instance: AxiosInstance,
  auth: AnyAuth,
  options: AttachAuthOptions = {},
): () => void {
  const { bufferStreams = false, exclude } = options
  const allowed = createOriginGuard('attachAuth', options, instance.defaults.baseURL)
  const elsewhere = fetchElsewhere(auth, options)
  const previous = instance.defaults.adapter
  let attached = true

  const adapter: AxiosAdapter = async (config) => {
    if (!attached) return getAdapter(previous, config)(config)
    const env = { ...config.env, fetch: telling(config.env?.fetch ?? globalThis.fetch) }
    const send = getAdapter(previous, { ...config, env } as Config)
    const url = urlOf(instance, config)
    const own = config.headers.has('Authorization') || config.auth || USERINFO.test(url)
    if (own || !allowed(url) || exclude?.(url)) return send(config)
    if (elsewhere) return sendElsewhere(elsewhere, config)

    const { body, contentType, replayable } = await (bufferStreams && isNodeForm(config.data)
      ? readForm(config.data)
      : replayableBody(config.data, bufferStreams))
    const headers = new AxiosHeaders(config.headers)
    if (contentType !== undefined) headers.setContentType(contentType)
    // The http adapter writes a Blob's type over the header, and that is in lower case, unlike a boundary.
    const isEncodedForm = contentType !== undefined && body instanceof Blob
    const data = isEncodedForm && typeof XMLHttpRequest === 'undefined' ? await body.arrayBuffer() : body
    const request = new AdapterRequest(send, { ...config, headers, data }, url, replayable, allowed, options)
    try {
      const { response, error } = await bearerRequest(auth, request)
      if (error) throw error
      return conceal(response, config)
    } catch (error) {
      throw asAxiosWould(error, request, config)
    } finally {
      request.end()
    }
  }
  instance.defaults.adapter = adapter

  return () => {
    attached = false
    // Where somebody else wrapped the adapter since, this one stays under it and lets requests through.
    if (instance.defaults.adapter === adapter) instance.defaults.adapter = previous as AxiosAdapter
  }
}

/** Sends by the worker the session lives in. */
async function sendElsewhere(elsewhere: typeof fetch, config: Config): Promise<AxiosResponse> {
  const env = { ...config.env, fetch: elsewhere }
  try {
    return conceal(await getAdapter('fetch', { ...config, env } as Config)(config), config)
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    // The adapter makes an error of its own of any other.
    throw cause instanceof AuthError ? cause : error
  }
}

/** A user and a password in the URL: axios makes an `Authorization` header of them, in the place of any other. */
const USERINFO = /^[a-z]+:[\\/]*[^\\/?#]*@/i

/** An adapter rejects where `validateStatus` says so, and resolves elsewhere: the replay reads both alike. */
interface Answer {
  readonly response: AxiosResponse
  readonly error: unknown
}

class AdapterRequest implements BearerRequest<Answer> {
  readonly replayable: boolean
  readonly signal: AbortSignal | undefined
  readonly #send: AxiosAdapter
  readonly #config: Config
  readonly #url: string
  readonly #allowed: (url: string) => boolean
  readonly #options: AttachAuthOptions
  readonly #began = Date.now()
  readonly #token: (AbortSignal & { unsubscribe?: () => void }) | undefined
  /** Whether time was spent on waiting, or on a sending that was refused. */
  #late = false

  constructor(
    send: AxiosAdapter,
    config: Config,
    url: string,
    replayable: boolean,
    allowed: (url: string) => boolean,
    options: AttachAuthOptions,
  ) {
    this.#send = send
    this.#config = config
    this.#url = url
    this.replayable = replayable
    this.#allowed = allowed
    this.#options = options
    const signal = config.signal as AbortSignal | undefined
    this.#token = (config.cancelToken as { toAbortSignal?: () => AbortSignal } | undefined)?.toAbortSignal?.()
    this.signal = signal && this.#token ? AbortSignal.any([signal, this.#token]) : (signal ?? this.#token)
  }

  get abortable() {
    return (
      this.#options.abortInFlight === 'safe' && /^(get|head|options)$/i.test(this.#config.method ?? 'get')
    )
  }

  /** What is left of the caller's own timeout: waiting counts against it. */
  get timeout(): number | undefined {
    this.#late = true
    const { timeout } = this.#config
    return timeout ? Math.max(1, timeout - (Date.now() - this.#began)) : undefined
  }

  get isOutOfTime() {
    const { timeout } = this.#config
    // A timer may be a moment ahead of the clock.
    return timeout !== undefined && timeout > 0 && Date.now() - this.#began >= timeout - 5
  }

  key() {
    return `${(this.#config.method ?? 'get').toUpperCase()} ${this.#url.split(/[?#]/, 1)[0]}`
  }

  async send(authorization: string | undefined, abort?: AbortSignal): Promise<Answer> {
    const config: Config = { ...this.#config, headers: new AxiosHeaders(this.#config.headers) }
    if (authorization !== undefined) {
      config.headers.set('Authorization', authorization)
      config.beforeRedirect = this.#confineRedirect
    }
    if (this.#late && config.timeout) config.timeout = this.timeout as number
    this.#late = true
    if (abort) config.signal = this.signal ? AbortSignal.any([this.signal, abort]) : abort
    try {
      return { response: await this.#send(config), error: undefined }
    } catch (error) {
      const response = error instanceof AxiosError ? error.response : undefined
      if (!response) throw error
      return { response, error }
    }
  }

  challenge({ response }: Answer): Challenge | undefined | Promise<Challenge | undefined> {
    const { isChallenge } = this.#options
    const { status } = response
    if (!isChallenge && status !== 401 && status !== 403) return undefined
    const end = finalURL(response)
    if (end !== undefined && originOf(end) !== originOf(this.#url)) return undefined
    const header: unknown = AxiosHeaders.from(response.headers as AxiosHeaders).get('www-authenticate')
    const wwwAuthenticate = header === undefined || header === null ? undefined : String(header)
    return judge(response, status, wwwAuthenticate, isChallenge)
  }

  discard({ response: { data } }: Answer) {
    if (typeof data?.destroy === 'function') data.destroy()
    else if (typeof data?.cancel === 'function') data.cancel().catch(() => {})
  }

  /** The call is over: the caller's cancel token, which may outlive it, lets go of it. */
  end() {
    this.#token?.unsubscribe?.()
  }

  /** The http adapter keeps the header on a redirect to a subdomain, which is another origin. */
  readonly #confineRedirect: NonNullable<Config['beforeRedirect']> = (options, ...rest) => {
    const { href, headers } = options as { href?: string; headers?: Record<string, unknown> }
    if (headers && !(href !== undefined && originOf(href) === originOf(this.#url) && this.#allowed(href))) {
      for (const name of Object.keys(headers))
        if (name.toLowerCase() === 'authorization') delete headers[name]
    }
    this.#config.beforeRedirect?.(options, ...rest)
  }
}

/** Where axios will send it. What is a path for certain needs no merging of configs to be told. */
function urlOf(instance: AxiosInstance, { baseURL, url, allowAbsoluteUrls }: Config): string {
  if (baseURL !== undefined && url !== undefined && /^\/[^/\\]/.test(url))
    return baseURL.replace(/\/+$/, '') + url
  return instance.getUri({
    ...(baseURL !== undefined && { baseURL }),
    ...(url !== undefined && { url }),
    ...(allowAbsoluteUrls !== undefined && { allowAbsoluteUrls }),
  })
}

/** Answers and errors keep the caller's config: the one that was sent holds the token, and these get logged. */
function conceal(response: AxiosResponse, config: Config): AxiosResponse {
  response.config = config
  hide(response)
  return response
}

/** The client's request object quotes its headers; it stays within reach, and out of logs. */
function hide(holder: { request?: unknown }) {
  if (holder.request !== undefined) {
    Object.defineProperty(holder, 'request', {
      value: holder.request,
      enumerable: false,
      configurable: true,
      writable: true,
    })
  }
}

function asAxiosWould(error: unknown, request: AdapterRequest, config: Config): unknown {
  if (error instanceof HoldTimeoutError && request.isOutOfTime) {
    const { timeout, timeoutErrorMessage, transitional } = config
    return new AxiosError(
      timeoutErrorMessage ?? `timeout of ${timeout}ms exceeded`,
      transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED,
      config,
    )
  }
  if (error instanceof AxiosError) {
    error.config = config
    // What a wait has left of a timeout is a number the caller never set.
    error.message = error.message.replace(/^timeout of \d+ms/, `timeout of ${config.timeout}ms`)
    hide(error)
    if (error.response) conceal(error.response, config)
    return error
  }
  return error
}
