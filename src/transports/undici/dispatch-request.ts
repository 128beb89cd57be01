import type { Dispatcher } from 'undici'
import { type AuthHandle, REQUEST_GATE } from '../../core/auth.ts'
import { endStream } from '../../core/platform/end-stream.ts'
import { onAbort } from '../../core/platform/on-abort.ts'
import { isPromiseLike } from '../../core/platform/promise-like.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import type { Challenge } from '../../core/requests/challenge.ts'
import type { BearerRequest, Reply, SentProof } from '../../core/requests/transport-request.ts'
import { encodedForm, isOneShot, type ReplayableBody, replayableBody } from '../body.ts'
import { classifyResponse } from '../classify-response.ts'
import { endpointKey, isSafeMethod } from '../method.ts'
import { type OwnHeaders, textOf, withHeaders } from './headers.ts'
import { type AnswerHead, type Caller, Sending } from './sending.ts'

/** What all requests of one interceptor share. */
export interface Settings {
  readonly auth: AuthHandle
  readonly dispatch: Dispatcher.Dispatch
  readonly isChallenge: ((answer: AnswerHead) => boolean | Promise<boolean>) | undefined
  readonly bufferStreams: boolean
  readonly abortSafe: boolean
}

type Options = Dispatcher.DispatchOptions & { readonly signal?: unknown }

/**
 * One request, which may be sent more than once. It is also the controller that the caller's handler gets, because each sending
 * has one of its own.
 */
export class DispatchRequest implements BearerRequest<Sending>, Caller {
  readonly handler: Dispatcher.DispatchHandler
  readonly url: string
  aborted = false
  paused = false
  reason: Error | null = null
  readonly #settings: Settings
  readonly #options: Options
  readonly #headers: OwnHeaders
  /** The sending whose answer is, or may become, that of the request. */
  #sending: Sending | undefined
  #hold: AbortController | undefined
  #isReplayable = true
  #isSent = false
  #hasFailed = false
  #isTaken = true

  /** @param options a copy of the caller's, as `headers` are */
  constructor(
    settings: Settings,
    options: Options,
    headers: OwnHeaders,
    handler: Dispatcher.DispatchHandler,
    url: string,
  ) {
    this.#settings = settings
    this.#options = options
    this.#headers = headers
    this.handler = handler
    this.url = url
  }

  /** @returns whether the dispatcher takes more requests, as far as it has been asked */
  start(): boolean {
    const { body } = this.#options
    if (typeof body !== 'object' || body === null) return this.#run()
    const prepared = prepare(body, this.#settings.bufferStreams, () => this.signal)
    if (!isPromiseLike(prepared)) return this.#runWith(prepared)
    this.begin({})
    prepared.then(
      (ready) => this.#runWith({ ...ready, body: Buffer.from(ready.body as ArrayBuffer) }),
      (error) => this.fail(error),
    )
    return true
  }

  #runWith({ body, replayable }: ReplayableBody): boolean {
    this.#options.body = body as Buffer
    this.#isReplayable = replayable
    return this.#run()
  }

  #run(): boolean {
    bearerRequest(this.#settings.auth, this).then(
      (sending) => sending.handOn(),
      (error) => this.fail(error),
    )
    return this.#isTaken
  }

  get replayable() {
    return this.#isReplayable
  }

  get method() {
    return this.#options.method
  }

  get abortable() {
    return this.#settings.abortSafe && isSafeMethod(this.method)
  }

  /** A signal for the wait. One of the session's own work shows whose request it is. */
  get signal(): AbortSignal {
    const { signal } = this.#options
    if (this.#settings.auth[REQUEST_GATE].calls.owns(signal)) return signal as AbortSignal
    this.#hold ??= new AbortController()
    if (this.aborted) this.#hold.abort(this.reason)
    return this.#hold.signal
  }

  get timeout() {
    return this.#options.headersTimeout || undefined
  }

  onHeld() {
    const { body } = this.#options
    // Nothing else listens for the errors of a stream that waits.
    if (!this.#isSent && body instanceof Object && 'on' in body)
      body.on('error', (error: Error) => this.abort(error))
    this.begin({})
    if (this.aborted) throw this.reason
  }

  key() {
    return endpointKey(this.method, this.url)
  }

  send(authorization: string | undefined, abort?: AbortSignal, proof?: SentProof): Promise<Sending> {
    if (this.aborted) return Promise.reject(this.reason)
    this.#isSent = true
    const headers = withHeaders(this.#headers, {
      ...(authorization !== undefined && { authorization }),
      ...(proof && { dpop: proof.header }),
    })
    return new Promise((resolve, reject) => {
      const sending = new Sending(this, this.#settings.isChallenge !== undefined, resolve, reject)
      this.#sending = sending
      if (abort) onAbort(abort, () => sending.cancel(abort.reason))
      this.#isTaken = this.#settings.dispatch({ ...this.#options, headers }, sending)
    })
  }

  challenge(sending: Sending): Challenge | undefined | Promise<Challenge | undefined> {
    if (sending.isHandedOn) return undefined
    const { statusCode, headers } = sending
    return classifyResponse(
      sending,
      statusCode,
      textOf(headers['www-authenticate']),
      this.#settings.isChallenge,
    )
  }

  reply({ statusCode, headers }: Sending): Reply {
    return { status: statusCode, header: (name) => textOf(headers[name]) ?? null }
  }

  discard(sending: Sending) {
    this.#sending = undefined
    sending.drop()
  }

  /** Gives the handler its controller. It may come again, as in a retry of undici. */
  begin(context: unknown) {
    this.handler.onRequestStart?.(this, context)
  }

  fail(error: Error) {
    if (this.#hasFailed) return
    this.#hasFailed = true
    if (!this.#isSent) endStream(this.#options.body, error)
    this.handler.onResponseError?.(this, error)
  }

  get rawHeaders() {
    return this.#sending?.controller?.rawHeaders ?? null
  }

  get rawTrailers() {
    return this.#sending?.controller?.rawTrailers ?? null
  }

  abort(reason: Error) {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#hold?.abort(reason)
    this.#sending?.controller?.abort(reason)
  }

  pause() {
    this.paused = true
    this.#sending?.controller?.pause()
  }

  resume() {
    this.paused = false
    if (this.#sending?.isHandedOn) this.#sending.controller?.resume()
  }
}

/** @param signalOf gives the signal that ends the reading of a stream */
function prepare(body: object, bufferStreams: boolean, signalOf: () => AbortSignal) {
  // Each implementation of undici has a class of its own.
  if (Object.prototype.toString.call(body) === '[object FormData]' && !isOneShot(body))
    return encodedForm(body as FormData)
  // A generator can be read once, too.
  if ('next' in body && !isOneShot(body)) return { body, replayable: false }
  return replayableBody(body, bufferStreams, bufferStreams ? signalOf() : undefined)
}
