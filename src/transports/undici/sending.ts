import type { Dispatcher } from 'undici'
import { unref } from '../../core/platform/unref.ts'

type Controller = Dispatcher.DispatchController
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2]

/** The head of an answer. Its body has not been read. */
export interface AnswerHead {
  /** HTTP status of the answer. */
  readonly statusCode: number
  /** The reason phrase of HTTP/1.1; `undefined` if the connection gives none. */
  readonly statusMessage: string | undefined
  /** By their names in lower case. */
  readonly headers: Headers
}

/** The caller of a request: what its handler gets as the controller. */
export interface Caller extends Controller {
  readonly handler: Dispatcher.DispatchHandler
  begin(context: unknown): void
  fail(error: Error): void
}

/** A refusal with a longer body is not read to its end, in bytes: then its connection is closed. */
const LONGEST = 65_536
/** How long a refusal with a short body may take to end, in milliseconds. Then its connection is closed, too. */
const PATIENCE = 500

/**
 * One sending of a request. An answer that may be a refusal is held back: its connection is paused until the answer is handed on
 * or dropped. Other answers go to the caller at once.
 */
export class Sending implements AnswerHead, Dispatcher.DispatchHandler {
  statusCode = 0
  statusMessage: string | undefined
  headers: Headers = {}
  isHandedOn = false
  controller: Controller | undefined
  readonly #caller: Caller
  readonly #holdsAll: boolean
  readonly #resolve: (sending: this) => void
  readonly #reject: (error: unknown) => void
  /** What arrived although the connection was paused: a mock pauses nothing. `undefined` if the answer was dropped. */
  #early: (() => void)[] | undefined = []
  /** Closes the connection of an answer that was dropped, if its body does not end. */
  #closing: ReturnType<typeof setTimeout> | undefined

  /**
   * @param holdsAll whether each answer may be a refusal, and not only those with the status 401 or 403
   * @param resolve called with the head
   * @param reject called if no head arrives
   */
  constructor(
    caller: Caller,
    holdsAll: boolean,
    resolve: (sending: Sending) => void,
    reject: (error: unknown) => void,
  ) {
    this.#caller = caller
    this.#holdsAll = holdsAll
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart(controller: Controller, context: unknown) {
    this.controller = controller
    const { reason } = this.#caller
    if (!this.#early) controller.abort(new Error('The request is sent again.'))
    else if (this.#caller.aborted) controller.abort(reason as Error)
    else this.#caller.begin(context)
  }

  onResponseStart(controller: Controller, statusCode: number, headers: Headers, statusMessage?: string) {
    if (!this.#early) return
    if (statusCode < 200)
      return this.#caller.handler.onResponseStart?.(this.#caller, statusCode, headers, statusMessage)
    this.statusCode = statusCode
    this.statusMessage = statusMessage
    this.headers = headers
    if (this.#holdsAll || statusCode === 401 || statusCode === 403) controller.pause()
    else this.#start()
    this.#resolve(this)
  }

  /** Not in undici's types: its `fetch` takes the time of the first byte from it. */
  onResponseStarted() {
    ;(this.#caller.handler as { onResponseStarted?(): void }).onResponseStarted?.()
  }

  onResponseData(controller: Controller, chunk: Buffer) {
    if (this.isHandedOn) this.#caller.handler.onResponseData?.(this.#caller, chunk)
    else this.#early?.push(() => this.onResponseData(controller, chunk))
  }

  onResponseEnd(controller: Controller, trailers: Headers) {
    clearTimeout(this.#closing)
    if (this.isHandedOn) this.#caller.handler.onResponseEnd?.(this.#caller, trailers)
    else this.#early?.push(() => this.onResponseEnd(controller, trailers))
  }

  onResponseError(controller: Controller, error: Error) {
    clearTimeout(this.#closing)
    // Without a head, this is how the sending ends.
    this.#reject(error)
    if (this.isHandedOn || (this.#early && this.statusCode > 0 && this.#caller.aborted))
      this.#caller.fail(error)
    else this.#early?.push(() => this.onResponseError(controller, error))
  }

  /** Gives the answer to the caller. */
  handOn() {
    if (this.isHandedOn) return
    try {
      this.#start()
      for (const event of this.#early ?? []) event()
    } catch (error) {
      this.controller?.abort(error as Error)
    }
    if (!this.#caller.paused) this.controller?.resume()
  }

  #start() {
    this.isHandedOn = true
    const { statusCode, headers, statusMessage } = this
    this.#caller.handler.onResponseStart?.(this.#caller, statusCode, headers, statusMessage)
  }

  /** Ends an answer that the caller does not get. A short body is read, so that its connection can be used again. */
  drop() {
    this.#early = undefined
    const { controller, headers } = this
    const close = () => controller?.abort(new Error('The request is sent again.'))
    if (!(Number(headers['content-length']) <= LONGEST)) return close()
    // The replay may have to wait for the connection.
    this.#closing = setTimeout(close, PATIENCE)
    unref(this.#closing)
    controller?.resume()
  }

  /** Ends the sending, unless its answer has begun. */
  cancel(reason: Error) {
    if (this.statusCode > 0) return
    this.#early = undefined
    this.#reject(reason)
    this.controller?.abort(reason)
  }
}
