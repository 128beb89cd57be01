import { type HttpEvent, type HttpHandlerFn, HttpParams, type HttpRequest } from '@angular/common/http'
import type { AuthHandle } from '../../core/auth.ts'
import { isHoldTimeout } from '../../core/errors.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import type { Challenge } from '../../core/requests/challenge.ts'
import type { BearerRequest, Reply, SentProof } from '../../core/requests/transport-request.ts'
import { type ReplayableBody, replayableBody } from '../body.ts'
import { classifyResponse } from '../classify-response.ts'
import { cameFromElsewhere, mayHaveActed } from '../method.ts'
import { originOf, type TargetGuard } from '../origins.ts'
import {
  emitSentOnce,
  type HttpOutcome,
  mayBeChallenge,
  receiveResponse,
  timeoutError,
} from './http-response.ts'
import type { AuthInterceptorOptions } from './options.ts'

/** One request of `HttpClient`, which may be sent more than once. */
export class HttpBearerRequest implements BearerRequest<HttpOutcome> {
  // HttpClient does not send streams, so each body can be sent again.
  readonly replayable = true
  /** The absolute URL that was checked. */
  readonly url: string
  readonly #request: HttpRequest<unknown>
  readonly #targetOf: TargetGuard
  readonly #next: HttpHandlerFn
  readonly #options: AuthInterceptorOptions
  readonly #emit: (event: HttpEvent<unknown>) => void
  readonly #startedAt = Date.now()
  readonly #controller = new AbortController()
  #body: ReplayableBody | undefined
  /** Whether time has passed since the call: the caller may have changed the body, and less is left of the timeout. */
  #waited = false

  /**
   * @param url the absolute URL of the request, as `targetOf` gave it
   * @param emit receives the events that the caller sees before the response
   */
  constructor(
    url: string,
    targetOf: TargetGuard,
    request: HttpRequest<unknown>,
    next: HttpHandlerFn,
    options: AuthInterceptorOptions,
    emit: (event: HttpEvent<unknown>) => void,
  ) {
    this.url = url
    this.#targetOf = targetOf
    this.#request = request
    this.#next = next
    this.#options = options
    this.#emit = emitSentOnce(emit)
  }

  async start(auth: AuthHandle): Promise<HttpOutcome> {
    // Only streams are read.
    this.#body = replayableBody(this.#request.serializeBody(), false) as ReplayableBody
    // Each encoding of a form has its own boundary, so the first sending already gets the encoded one.
    this.#waited = this.#body.contentType !== undefined
    try {
      return await bearerRequest(auth, this)
    } catch (error) {
      throw isHoldTimeout(error) && this.#hasTimedOut ? timeoutError(this.#request.urlWithParams) : error
    }
  }

  /** Aborts the request, because the caller has unsubscribed. */
  cancel() {
    this.#controller.abort()
  }

  get signal() {
    return this.#controller.signal
  }

  get abortable() {
    return this.#options.abortInFlight === 'safe' && /^(GET|HEAD|OPTIONS)$/.test(this.#request.method)
  }

  /** The rest of the caller's timeout in milliseconds, from which the time spent waiting is subtracted. */
  get timeout(): number | undefined {
    const { timeout } = this.#request
    return timeout && Math.max(1, timeout - (Date.now() - this.#startedAt))
  }

  onHeld() {
    this.#waited = true
  }

  get #hasTimedOut() {
    const { timeout } = this.#request
    // A timer may fire slightly before the clock reaches the time.
    return timeout !== undefined && Date.now() - this.#startedAt >= timeout - 5
  }

  key() {
    return `${this.#request.method} ${this.#request.urlWithParams.split(/[?#]/, 1)[0]}`
  }

  get method() {
    return this.#request.method
  }

  send(authorization: string | undefined, abort?: AbortSignal, proof?: SentProof): Promise<HttpOutcome> {
    const signals = abort ? [this.signal, abort] : [this.signal]
    if (this.signal.aborted) return Promise.reject(this.signal.reason)
    const request = this.#authorized(authorization, proof)
    this.#waited = true
    return receiveResponse(this.#next(request), {
      signals,
      withholdsAll: this.#options.isChallenge !== undefined,
      emit: this.#emit,
    })
  }

  challenge({ response }: HttpOutcome): Challenge | undefined | Promise<Challenge | undefined> {
    if (!response) return undefined
    const { isChallenge } = this.#options
    if (!isChallenge && !mayBeChallenge(response.status)) return undefined
    // A redirect to another origin drops the token, so that response does not concern it.
    if (response.url && originOf(response.url) !== originOf(this.url)) return undefined
    return classifyResponse(response, response.status, response.headers.get('WWW-Authenticate'), isChallenge)
  }

  hasActed({ response }: HttpOutcome) {
    const url = response?.url ?? ''
    return cameFromElsewhere(this.url, url) && mayHaveActed(this.method, this.url, { url })
  }

  reply({ response }: HttpOutcome): Reply | undefined {
    if (!response) return undefined
    const { status, headers, url } = response
    return { status, header: (name) => headers.get(name), url: url ?? undefined }
  }

  #authorized(authorization: string | undefined, proof: SentProof | undefined): HttpRequest<unknown> {
    let { headers } = this.#request
    if (proof) headers = headers.set('DPoP', proof.header)
    const withToken = authorization === undefined ? headers : headers.set('Authorization', authorization)
    const target = proof?.url ?? this.url
    // The URL stays as the caller wrote it, for later interceptors and tests, unless it leads elsewhere by now.
    const isThere = this.#targetOf(this.#request.urlWithParams) === target
    const url = !isThere && { url: target, params: new HttpParams() }
    // A request that is sent at once keeps the original body, for later interceptors and tests.
    if (!this.#waited) return this.#request.clone({ headers: withToken, ...url })
    const { body, contentType = this.#request.detectContentTypeHeader() } = this.#body ?? {}
    const { timeout } = this
    return this.#request.clone({
      ...url,
      body,
      headers:
        contentType === null || headers.has('Content-Type')
          ? withToken
          : withToken.set('Content-Type', contentType),
      ...(timeout && { timeout }),
    })
  }
}
