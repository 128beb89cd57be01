import type { HttpEvent, HttpHandlerFn, HttpRequest } from '@angular/common/http'
import type { AnyAuth } from '../../core/auth.ts'
import { bearerRequest } from '../../core/bearer-request.ts'
import type { Challenge } from '../../core/challenge.ts'
import { HoldTimeoutError } from '../../core/errors.ts'
import type { BearerRequest } from '../../core/request.ts'
import { type ReplayableBody, replayableBody } from '../../transports/body.ts'
import { judge } from '../../transports/judge.ts'
import { originOf } from '../../transports/origins.ts'
import { type Answer, answerOf, isRefusal, tellingOnce, timeoutError } from './http-answer.ts'
import type { AuthInterceptorOptions } from './options.ts'

/** One request of `HttpClient`, which may be sent twice. */
export class HttpSending implements BearerRequest<Answer> {
  // Streams are none of the bodies that HttpClient sends.
  readonly replayable = true
  readonly #request: HttpRequest<unknown>
  readonly #next: HttpHandlerFn
  readonly #options: AuthInterceptorOptions
  readonly #pass: (event: HttpEvent<unknown>) => void
  readonly #began = Date.now()
  readonly #controller = new AbortController()
  #body: ReplayableBody | undefined
  /** Whether time has passed since the call: its body may have been changed by its owner, and a part of its timeout is over. */
  #late = false

  /** `tell` is given the events that the caller hears of before there is an answer. */
  constructor(
    request: HttpRequest<unknown>,
    next: HttpHandlerFn,
    options: AuthInterceptorOptions,
    tell: (event: HttpEvent<unknown>) => void,
  ) {
    this.#request = request
    this.#next = next
    this.#options = options
    this.#pass = tellingOnce(tell)
  }

  async start(auth: AnyAuth): Promise<Answer> {
    const body = replayableBody(this.#request.serializeBody(), false)
    if (body instanceof Promise) {
      this.#late = true
      this.#body = await body
    } else this.#body = body
    try {
      const answer = bearerRequest(auth, this)
      // Interceptors further down, and tests, find the body as it was given, unless it has to wait.
      this.#late = true
      return await answer
    } catch (error) {
      throw error instanceof HoldTimeoutError && this.#isOutOfTime
        ? timeoutError(this.#request.urlWithParams)
        : error
    }
  }

  /** Nobody waits for the answer any more. */
  cancel() {
    this.#controller.abort()
  }

  get signal() {
    return this.#controller.signal
  }

  get abortable() {
    return this.#options.abortInFlight === 'safe' && /^(GET|HEAD|OPTIONS)$/.test(this.#request.method)
  }

  /** What is left of the caller's own timeout: waiting counts against it. */
  get timeout(): number | undefined {
    const { timeout } = this.#request
    return timeout && Math.max(1, timeout - (Date.now() - this.#began))
  }

  get #isOutOfTime() {
    const { timeout } = this.#request
    // A timer may be a moment ahead of the clock.
    return timeout !== undefined && Date.now() - this.#began >= timeout - 5
  }

  key() {
    return `${this.#request.method} ${this.#request.urlWithParams.split(/[?#]/, 1)[0]}`
  }

  send(authorization: string | undefined, abort?: AbortSignal): Promise<Answer> {
    const signals = abort ? [this.signal, abort] : [this.signal]
    if (this.signal.aborted) return Promise.reject(this.signal.reason)
    return answerOf(this.#next(this.#authorized(authorization)), {
      signals,
      keepsAll: this.#options.isChallenge !== undefined,
      pass: this.#pass,
    })
  }

  challenge({ end }: Answer): Challenge | undefined | Promise<Challenge | undefined> {
    if (!end) return undefined
    const { isChallenge } = this.#options
    if (!isChallenge && !isRefusal(end.status)) return undefined
    // A redirect to another origin lost the token on the way: what is said there is not about it.
    if (end.url && originOf(end.url) !== originOf(this.#request.urlWithParams)) return undefined
    return judge(end, end.status, end.headers.get('WWW-Authenticate'), isChallenge)
  }

  #authorized(authorization: string | undefined): HttpRequest<unknown> {
    const { headers } = this.#request
    const withToken = authorization === undefined ? headers : headers.set('Authorization', authorization)
    if (!this.#late) return this.#request.clone({ headers: withToken })
    const { body, contentType = this.#request.detectContentTypeHeader() } = this.#body ?? {}
    const { timeout } = this
    return this.#request.clone({
      body,
      headers:
        contentType === null || headers.has('Content-Type')
          ? withToken
          : withToken.set('Content-Type', contentType),
      ...(timeout && { timeout }),
    })
  }
}
