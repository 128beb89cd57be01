import type { AxiosAdapter, AxiosError, AxiosResponse } from 'axios'
import type { AuthHandle } from '../../core/auth.ts'
import { isHoldTimeout } from '../../core/errors.ts'
import { endStream } from '../../core/platform/end-stream.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import type { Challenge } from '../../core/requests/challenge.ts'
import type { BearerRequest, Reply, SentProof } from '../../core/requests/transport-request.ts'
import { isAuthorization } from '../authorization.ts'
import { classifyResponse } from '../classify-response.ts'
import { endpointKey, isSafeMethod, mayHaveActed } from '../method.ts'
import { originOf, type TargetGuard } from '../origins.ts'
import type { OwnAxios } from './adapter.ts'
import { type AxiosBody, bodyOf, isStream, readBody } from './body.ts'
import { type Config, copyHeaders, removeAuthorization } from './config.ts'
import { finalURL, headerOf, redirectedURL, responseOf } from './response.ts'
import { concealError, concealResponse, type Sending } from './secrets.ts'

/** What all requests of one instance have in common. */
export interface Settings {
  readonly auth: AuthHandle
  readonly axios: OwnAxios
  readonly targetOf: TargetGuard
  readonly isChallenge: ((answer: AxiosResponse) => boolean | Promise<boolean>) | undefined
  readonly abortSafe: boolean
  readonly bufferStreams: boolean
}

/** A response that the adapter rejected, because of its status or because it cannot be read. The replay needs it, too. */
class Rejected {
  readonly response: AxiosResponse
  readonly error: unknown

  constructor(response: AxiosResponse, error: unknown) {
    this.response = response
    this.error = error
  }
}

type Answer = AxiosResponse | Rejected

const responseIn = (answer: Answer) => (answer instanceof Rejected ? answer.response : answer)

/** What `beforeRedirect` gets of the next request. */
interface Redirect {
  readonly href?: string
  readonly method?: string
  readonly headers?: Record<string, unknown>
}

/** A request below axios's interceptors and transforms. */
export class AxiosRequest implements BearerRequest<Answer> {
  readonly signal: AbortSignal | undefined
  readonly #settings: Settings
  readonly #adapter: AxiosAdapter
  /** A copy of the caller's config, made at the call, because an interceptor may change that while the request waits. */
  readonly #own: Config
  readonly #config: Config
  /** The absolute URL that was checked and is sent, without parameters. */
  readonly #url: string
  /** When the caller's timeout began. */
  readonly #startedAt: number
  readonly #cancel: (AbortSignal & { unsubscribe?: () => void }) | undefined
  #body: AxiosBody | undefined
  #sent: Config | undefined
  #authorization: string | undefined
  /** The method of the last redirect, if the adapter reports redirects. */
  #endMethod: string | undefined
  /** Whether time was spent on waiting, or on a sending that got a 401. */
  #waited = false

  constructor(settings: Settings, adapter: AxiosAdapter, own: Config, config: Config, url: string) {
    this.#settings = settings
    this.#adapter = adapter
    this.#own = own
    this.#config = config
    this.#url = url
    this.#startedAt = own.timeout ? Date.now() : 0
    const signal = own.signal as AbortSignal | undefined
    this.#cancel = (own.cancelToken as { toAbortSignal?: () => AbortSignal } | undefined)?.toAbortSignal?.()
    this.signal = signal && this.#cancel ? AbortSignal.any([signal, this.#cancel]) : (signal ?? this.#cancel)
  }

  /**
   * Sends the request under the session. The response and errors get the caller's config.
   *
   * @param encodesForms whether the adapter gets the bytes of a form
   */
  run(encodesForms: boolean): Promise<AxiosResponse> {
    const { data } = this.#own
    if (typeof data === 'object' && data !== null) {
      if (this.#settings.bufferStreams && isStream(data)) return this.#buffer(data).then(() => this.#start())
      this.#body = bodyOf(data, encodesForms)
    }
    return this.#start()
  }

  #start(): Promise<AxiosResponse> {
    return bearerRequest(this.#settings.auth, this).then(
      (answer) => {
        this.#end()
        if (answer instanceof Rejected) throw this.#asOwn(answer.error)
        return answer
      },
      (error) => {
        this.#end()
        if (isHoldTimeout(error) && this.#isOutOfTime) return this.#failByTimeout()
        throw this.#asOwn(error)
      },
    )
  }

  get replayable() {
    return this.#body?.replayable ?? true
  }

  get abortable() {
    return this.#settings.abortSafe && isSafeMethod(this.method)
  }

  /** What is left of the caller's own timeout: waiting counts against it. */
  get timeout(): number | undefined {
    const { timeout } = this.#own
    return timeout ? Math.max(1, timeout - (Date.now() - this.#startedAt)) : undefined
  }

  onHeld() {
    this.#waited = true
  }

  key() {
    return endpointKey(this.method, this.#url)
  }

  get method() {
    return this.#own.method ?? 'get'
  }

  get url() {
    return this.#url
  }

  send(authorization: string | undefined, abort?: AbortSignal, proof?: SentProof): Promise<Answer> {
    // A new object for each sending: the adapter may change it.
    const config = { ...this.#own }
    const headers = copyHeaders(config.headers)
    config.headers = headers
    if (authorization !== undefined) {
      headers.Authorization = authorization
      config.beforeRedirect = (options, ...rest) => {
        this.#endMethod = options.method
        this.#confineRedirect(options)
        this.#own.beforeRedirect?.(options, ...rest)
      }
    }
    if (proof) {
      headers.DPoP = proof.header
      // Where a redirect led: the parameters are in that URL.
      if (proof.url !== this.#url)
        Object.assign(config, { url: proof.url, baseURL: undefined, params: undefined })
    }
    if (this.#body) this.#setBody(config, this.#body)
    if (this.#waited && config.timeout) config.timeout = this.timeout as number
    this.#waited = true
    if (abort) config.signal = this.signal ? AbortSignal.any([this.signal, abort]) : abort
    this.#sent = config
    this.#endMethod = undefined
    this.#authorization = authorization
    return this.#adapter(config).then(undefined, (error) => this.#toRejected(error))
  }

  #toRejected(error: unknown): Rejected {
    concealError(error, this.#sending())
    const response = responseOf(error)
    if (!response) throw error
    return new Rejected(response, error)
  }

  challenge(answer: Answer): Challenge | undefined | Promise<Challenge | undefined> {
    const isRejected = answer instanceof Rejected
    if (!isRejected) concealResponse(answer, this.#sending())
    const response = responseIn(answer)
    const { status } = response
    // A response that could not be read has no config.
    const isChallenge = response.config ? this.#settings.isChallenge : undefined
    if (!isChallenge && status !== 401 && status !== 403) return undefined
    const end = finalURL(response)
    if (end !== undefined && originOf(end) !== originOf(this.#url)) return undefined
    return classifyResponse(response, status, headerOf(response.headers, 'www-authenticate'), isChallenge)
  }

  hasActed(answer: Answer) {
    const method = this.#endMethod
    const url = redirectedURL(responseIn(answer), this.#url) ?? (method && this.#url)
    return url !== undefined && mayHaveActed(this.method, this.#url, { url, method })
  }

  reply(answer: Answer): Reply {
    const response = responseIn(answer)
    return {
      status: response.status,
      header: (name) => headerOf(response.headers, name) ?? null,
      url: finalURL(response),
    }
  }

  discard(answer: Answer) {
    const { data } = responseIn(answer)
    if (typeof data === 'object') endStream(data)
  }

  /** Takes the header off what was sent, because errors of any class may lead there. */
  #sending(): Sending {
    removeAuthorization(this.#sent?.headers, this.#authorization)
    return { config: this.#config, authorization: this.#authorization }
  }

  #setBody(config: Config, body: AxiosBody): void {
    const { data, contentType } = (this.#waited && body.again?.()) || body
    config.data = data
    if (contentType !== undefined) config.headers.setContentType(contentType)
  }

  /** Reads the body into memory. The caller's signal and timeout count from the call. */
  async #buffer(stream: object): Promise<void> {
    const { timeout } = this.#own
    const signals = [this.signal, timeout ? AbortSignal.timeout(timeout) : undefined].filter(
      (s) => s !== undefined,
    )
    try {
      this.#body = await readBody(stream, signals.length > 1 ? AbortSignal.any(signals) : signals[0])
      this.#waited = true
    } catch (error) {
      this.#end()
      if (this.signal?.aborted) throw error
      if (this.#isOutOfTime) await this.#failByTimeout()
      throw (await this.#settings.axios.errorClass()).from(error as Error, undefined, this.#config)
    }
  }

  get #isOutOfTime() {
    const { timeout } = this.#own
    // A timer may fire a moment before the clock reaches its time.
    return timeout !== undefined && timeout > 0 && Date.now() - this.#startedAt >= timeout - 5
  }

  /** Throws what axios throws if its timeout ends. */
  async #failByTimeout(): Promise<never> {
    const { timeout, timeoutErrorMessage, transitional } = this.#own
    const Failure = await this.#settings.axios.errorClass()
    throw new Failure(
      timeoutErrorMessage || `timeout of ${timeout}ms exceeded`,
      transitional?.clarifyTimeoutError ? Failure.ETIMEDOUT : Failure.ECONNABORTED,
      this.#config,
    )
  }

  /** Makes an axios error one of the caller's request: after a wait, the adapter's timeout is what was left of the caller's. */
  #asOwn(error: unknown): unknown {
    const failure = Object(error) as AxiosError
    // The reason of a cancel token belongs to every request that it cancels.
    if (!failure.isAxiosError || error === this.#own.cancelToken?.reason) return error
    failure.config ??= this.#config
    if (failure.message.startsWith('timeout of '))
      failure.message = failure.message.replace(/^timeout of \d+ms/, `timeout of ${this.#own.timeout}ms`)
    return error
  }

  /** Frees the caller's cancel token, which may outlive this call. */
  #end() {
    this.#cancel?.unsubscribe?.()
  }

  /** The http adapter keeps the header on a redirect to a subdomain, although that is another origin. */
  #confineRedirect({ href, headers }: Redirect) {
    const isAllowed =
      href !== undefined &&
      originOf(href) === originOf(this.#url) &&
      this.#settings.targetOf(href) !== undefined
    if (!headers || isAllowed) return
    for (const name of Object.keys(headers)) if (isAuthorization(name)) delete headers[name]
  }
}
