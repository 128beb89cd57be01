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
import type { AuthHandle } from '../core/auth.ts'
import { AuthError, HoldTimeoutError } from '../core/errors.ts'
import { bearerRequest } from '../core/requests/bearer-request.ts'
import type { Challenge } from '../core/requests/challenge.ts'
import type { BearerRequest } from '../core/requests/transport-request.ts'
import { isAuthorization } from './authorization.ts'
import { copyHeaders, createConfigCopier, createTargetFinder, hasAuthorization } from './axios-config.ts'
import { finalURL, recordFinalURLs } from './axios-final-url.ts'
import { type ReplayableBody, replayableBody } from './body.ts'
import { classifyResponse } from './classify-response.ts'
import type { TransportOptions } from './fetch.ts'
import { endpointKey, isSafeMethod } from './method.ts'
import { isNodeForm, readForm } from './node-form.ts'
import { createTargetGuard, originOf, type TargetGuard } from './origins.ts'
import { workerFetch } from './worker-fetch.ts'

/** Options of `attachAuth`. `isChallenge` receives the adapter's response, before `transformResponse`. */
export type AttachAuthOptions = TransportOptions<AxiosResponse>

type Config = InternalAxiosRequestConfig

/**
 * Attaches the session to an axios instance. It wraps the instance's adapter, below interceptors and transforms, so those
 * run once for each call and not once for each sending. Works with the xhr, http and fetch adapters.
 *
 * @param instance the instance; the origin of its `defaults.baseURL` gets the token
 * @param auth the session
 * @param options further origins that get the token
 * @returns a function that detaches the session
 * @throws TypeError if neither a page, nor `baseURL`, nor `origins` gives an origin
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
  auth: AuthHandle,
  options: AttachAuthOptions = {},
): () => void {
  const { bufferStreams = false } = options
  const targetOf = createTargetGuard('attachAuth', options, instance.defaults.baseURL)
  const remote = workerFetch(auth, options)
  const previous = instance.defaults.adapter
  const findTarget = createTargetFinder(targetOf, options.exclude)
  const adapterFor = createAdapterResolver(previous)
  const copyConfig = createConfigCopier()
  const settings: Settings = {
    targetOf,
    isChallenge: options.isChallenge,
    abortSafe: options.abortInFlight === 'safe',
  }
  let attached = true

  const sendConfig: AxiosAdapter = (config) => {
    if (!attached) return getAdapter(previous, config)(config)
    const send = adapterFor(config)
    const target = hasAuthorization(config.headers) || config.auth ? undefined : findTarget(config)
    if (!target) return send(config)
    if (remote) return sendByWorker(remote, config)

    // Copied at once, because an interceptor may change the config while the request waits.
    const own = copyConfig(config)
    own.headers = copyHeaders(config.headers)
    if (!target.isCertain) {
      own.url = target.url
      own.baseURL = undefined as never
    }
    const { data } = config
    if (typeof data !== 'object' || data === null)
      return new AdapterRequest(settings, send, own, target.url, true).run(auth, config)
    const prepared = bufferStreams && isNodeForm(data) ? readForm(data) : replayableBody(data, bufferStreams)
    return setBody(own, prepared).then((replayable) =>
      new AdapterRequest(settings, send, own, target.url, replayable).run(auth, config),
    )
  }

  const adapter: AxiosAdapter = (config) => {
    try {
      return sendConfig(config)
    } catch (error) {
      return Promise.reject(error)
    }
  }
  instance.defaults.adapter = adapter

  return () => {
    attached = false
    // If another wrapper was put around this adapter, this one stays in place and lets requests through.
    if (instance.defaults.adapter === adapter) instance.defaults.adapter = previous as AxiosAdapter
  }
}

/** Puts a prepared body into a config. Returns whether it can be sent twice. */
async function setBody(config: Config, prepared: ReplayableBody | Promise<ReplayableBody>): Promise<boolean> {
  const { body, contentType, replayable } = await prepared
  if (contentType !== undefined) config.headers.setContentType(contentType)
  // The http adapter replaces the header by a Blob's type, which is in lower case. A boundary has to keep its case.
  const isEncodedForm = contentType !== undefined && body instanceof Blob
  config.data = isEncodedForm && typeof XMLHttpRequest === 'undefined' ? await body.arrayBuffer() : body
  return replayable
}

/**
 * Finds the adapter to send with. Only the fetch adapter depends on the config, by its `env`, so the last one that was
 * found usually fits.
 */
function createAdapterResolver(
  previous: AxiosInstance['defaults']['adapter'],
): (config: Config) => AxiosAdapter {
  if (typeof previous === 'function') return () => previous
  let last: { readonly adapter: AxiosAdapter; readonly env: Environment } | undefined
  return (config) => {
    const env = config.env as Environment | undefined
    const ownFetch = env?.fetch ?? globalThis.fetch
    if (
      last?.env.fetch === ownFetch &&
      last.env.Request === env?.Request &&
      last.env.Response === env?.Response &&
      last.env.Blob === env?.Blob
    )
      return last.adapter
    const fetch = ownFetch && recordFinalURLs(ownFetch)
    const adapter = getAdapter(previous, { ...config, env: { ...env, fetch } } as Config)
    last = { adapter, env: { ...env, fetch: ownFetch } }
    return adapter
  }
}

/** What axios's fetch adapter is made of. Their classes are compared, never called. */
interface Environment {
  readonly fetch?: typeof fetch
  readonly Request?: unknown
  readonly Response?: unknown
  readonly Blob?: unknown
}

/** Sends by the worker that owns the session. */
async function sendByWorker(remote: typeof fetch, config: Config): Promise<AxiosResponse> {
  const env = { ...config.env, fetch: remote }
  try {
    return restoreConfig(await getAdapter('fetch', { ...config, env } as Config)(config), config)
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    // The adapter wraps every error that it does not know.
    throw cause instanceof AuthError ? cause : error
  }
}

interface Settings {
  readonly targetOf: TargetGuard
  readonly isChallenge: AttachAuthOptions['isChallenge']
  readonly abortSafe: boolean
}

/** What an adapter answers: it rejects if `validateStatus` says so, and the replay needs the response in both cases. */
interface Answer {
  readonly response: AxiosResponse
  readonly error: unknown
}

const toAnswer = (response: AxiosResponse): Answer => ({ response, error: undefined })

function toFailedAnswer(error: unknown): Answer {
  const response = error instanceof AxiosError ? error.response : undefined
  if (!response) throw error
  return { response, error }
}

class AdapterRequest implements BearerRequest<Answer> {
  readonly replayable: boolean
  readonly signal: AbortSignal | undefined
  readonly #settings: Settings
  readonly #send: AxiosAdapter
  readonly #config: Config
  readonly #url: string
  /** When the caller's timeout began. */
  readonly #startedAt: number
  readonly #token: (AbortSignal & { unsubscribe?: () => void }) | undefined
  /** Whether time was spent on waiting, or on a sending that got a 401. */
  #waited = false

  constructor(settings: Settings, send: AxiosAdapter, config: Config, url: string, replayable: boolean) {
    this.#settings = settings
    this.#send = send
    this.#config = config
    this.#url = url
    this.replayable = replayable
    this.#startedAt = config.timeout ? Date.now() : 0
    const signal = config.signal as AbortSignal | undefined
    this.#token = (config.cancelToken as { toAbortSignal?: () => AbortSignal } | undefined)?.toAbortSignal?.()
    this.signal = signal && this.#token ? AbortSignal.any([signal, this.#token]) : (signal ?? this.#token)
  }

  /** Sends the request under the session. The response and errors get the caller's config. */
  run(auth: AuthHandle, config: Config): Promise<AxiosResponse> {
    return bearerRequest(auth, this).then(
      ({ response, error }) => {
        this.#end()
        if (error) throw toAxiosError(error, this, config)
        return restoreConfig(response, config)
      },
      (error) => {
        this.#end()
        throw toAxiosError(error, this, config)
      },
    )
  }

  /** Frees the caller's cancel token, which may outlive this call. */
  #end() {
    this.#token?.unsubscribe?.()
  }

  get abortable() {
    return this.#settings.abortSafe && isSafeMethod(this.#config.method ?? 'get')
  }

  /** What is left of the caller's own timeout: waiting counts against it. */
  get timeout(): number | undefined {
    const { timeout } = this.#config
    return timeout ? Math.max(1, timeout - (Date.now() - this.#startedAt)) : undefined
  }

  get isOutOfTime() {
    const { timeout } = this.#config
    // A timer may fire a moment before the clock reaches its time.
    return timeout !== undefined && timeout > 0 && Date.now() - this.#startedAt >= timeout - 5
  }

  onHeld() {
    this.#waited = true
  }

  key() {
    return endpointKey(this.#config.method ?? 'get', this.#url)
  }

  send(authorization: string | undefined, abort?: AbortSignal): Promise<Answer> {
    const config = { ...this.#config }
    config.headers = copyHeaders(config.headers)
    if (authorization !== undefined) {
      config.headers.Authorization = authorization
      config.beforeRedirect = (options, ...rest) => {
        this.#confineRedirect(options)
        this.#config.beforeRedirect?.(options, ...rest)
      }
    }
    if (this.#waited && config.timeout) config.timeout = this.timeout as number
    this.#waited = true
    if (abort) config.signal = this.signal ? AbortSignal.any([this.signal, abort]) : abort
    return this.#send(config).then(toAnswer, toFailedAnswer)
  }

  challenge({ response }: Answer): Challenge | undefined | Promise<Challenge | undefined> {
    const { isChallenge } = this.#settings
    const { status } = response
    if (!isChallenge && status !== 401 && status !== 403) return undefined
    const end = finalURL(response)
    if (end !== undefined && originOf(end) !== originOf(this.#url)) return undefined
    const header: unknown = AxiosHeaders.from(response.headers as AxiosHeaders).get('www-authenticate')
    const wwwAuthenticate = header === undefined || header === null ? undefined : String(header)
    return classifyResponse(response, status, wwwAuthenticate, isChallenge)
  }

  discard({ response: { data } }: Answer) {
    if (typeof data?.destroy === 'function') data.destroy()
    else if (typeof data?.cancel === 'function') data.cancel().catch(() => {})
  }

  /** The http adapter keeps the header on a redirect to a subdomain, although that is another origin. */
  #confineRedirect({ href, headers }: { href?: string; headers?: Record<string, unknown> }) {
    const isAllowed =
      href !== undefined &&
      originOf(href) === originOf(this.#url) &&
      this.#settings.targetOf(href) !== undefined
    if (!headers || isAllowed) return
    for (const name of Object.keys(headers)) if (isAuthorization(name)) delete headers[name]
  }
}

/** Gives a response the caller's config: the config that was sent holds the token, and responses get logged. */
function restoreConfig(response: AxiosResponse, config: Config): AxiosResponse {
  response.config = config
  makeRequestNonEnumerable(response)
  return response
}

/** Keeps the client's request object out of logs, because it quotes its headers. It can still be read. */
function makeRequestNonEnumerable(holder: { request?: unknown }) {
  if (holder.request !== undefined) {
    Object.defineProperty(holder, 'request', {
      value: holder.request,
      enumerable: false,
      configurable: true,
      writable: true,
    })
  }
}

/** Makes an error what axios alone would throw. */
function toAxiosError(error: unknown, request: AdapterRequest, config: Config): unknown {
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
    // After a wait, the adapter's timeout is what was left of the caller's: a number the caller never set.
    error.message = error.message.replace(/^timeout of \d+ms/, `timeout of ${config.timeout}ms`)
    makeRequestNonEnumerable(error)
    if (error.response) restoreConfig(error.response, config)
  }
  return error
}
