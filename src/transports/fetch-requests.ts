import { endStream } from '../core/platform/end-stream.ts'
import type { Challenge } from '../core/requests/challenge.ts'
import type { BearerRequest, SentProof } from '../core/requests/transport-request.ts'
import { classifyResponse } from './classify-response.ts'
import { copyInit, withAuthorization } from './copy-init.ts'
import { endpointKey, isSafeMethod, mayHaveActed } from './method.ts'
import { originOf } from './origins.ts'
import { endMethod, type ProvenFetch } from './redirects.ts'
import { cloneBody, withBodyAgain } from './request-body.ts'

/** What all requests of one transport share. */
export interface Settings {
  /** Sends with the token. */
  readonly send: ProvenFetch
  /** Sends without it. */
  readonly bare: typeof fetch
  readonly isChallenge: ((answer: Response) => boolean | Promise<boolean>) | undefined
  readonly abortSafe: boolean
}

/** What requests by URL and by `Request` object have in common. */
export abstract class FetchRequest implements BearerRequest<Response> {
  protected readonly settings: Settings
  /** The absolute URL that was checked and is sent. */
  readonly url: string
  readonly replayable: boolean

  constructor(settings: Settings, url: string, replayable: boolean) {
    this.settings = settings
    this.url = url
    this.replayable = replayable
  }

  abstract readonly method: string
  abstract readonly signal: AbortSignal | null | undefined
  abstract send(authorization: string | undefined, abort?: AbortSignal, proof?: SentProof): Promise<Response>
  /** Ends what was kept of the body, when the request is settled. */
  abstract free(error: unknown): void

  get abortable() {
    return this.settings.abortSafe && isSafeMethod(this.method)
  }

  key() {
    return endpointKey(this.method, this.url)
  }

  challenge(answer: Response): Challenge | undefined | Promise<Challenge | undefined> {
    const { status } = answer
    const { isChallenge } = this.settings
    const isRefusal = status === 401 || status === 403
    // A redirect to another origin drops the token, so a 401 from there is not about the token. Only the app can know a
    // sign-in page.
    const isDone = isRefusal
      ? answer.redirected && originOf(answer.url) !== originOf(this.url)
      : isChallenge === undefined
    if (isDone) return undefined
    return classifyResponse(answer, status, answer.headers?.get('www-authenticate'), isChallenge)
  }

  hasActed(answer: Response) {
    if (!answer.redirected) return false
    return mayHaveActed(this.method, this.url, { url: answer.url || this.url, method: endMethod(answer) })
  }

  discard(answer: Response) {
    endStream(answer.body)
  }
}

/** A request that was given as a URL. `init` is a copy of the caller's. */
export class URLRequest extends FetchRequest {
  readonly #init: RequestInit | undefined
  #isSent = false

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

  send(authorization: string | undefined, abort?: AbortSignal, proof?: SentProof): Promise<Response> {
    const { send, bare } = this.settings
    const { url } = this
    const init = this.#init
    this.#isSent = true
    if (authorization === undefined && !abort) return bare(url, init)
    // A new object for each sending: the user's `fetch` may change it.
    const sent = copyInit(init, { headers: {} })
    if (authorization !== undefined) sent.headers = withAuthorization(init?.headers, authorization)
    if (abort) sent.signal = init?.signal ? AbortSignal.any([init.signal, abort]) : abort
    if (!proof) return send(url, sent)
    const headers = new Headers(sent.headers)
    headers.set('dpop', proof.header)
    sent.headers = headers
    return send(proof.url, sent, proof)
  }

  free(error: unknown) {
    if (!this.#isSent) endStream(this.#init?.body, error)
  }
}

/** A request that was given as a `Request`. `request` is a copy of the caller's, and `rest` is what `fetch` takes beside it. */
export class ObjectRequest extends FetchRequest {
  #request: Request
  readonly #rest: RequestInit | undefined
  /** The body for a replay. */
  readonly #spare: Request | undefined
  #isSent = false

  constructor(settings: Settings, request: Request, rest: RequestInit | undefined, replayable: boolean) {
    super(settings, request.url, replayable)
    this.#request = request
    this.#rest = rest
    if (replayable) this.#spare = cloneBody(request)
  }

  get signal() {
    return this.#request.signal
  }

  get method() {
    return this.#request.method
  }

  send(authorization: string | undefined, abort?: AbortSignal, proof?: SentProof): Promise<Response> {
    const spare = this.#spare
    if (!this.#isSent || !spare) return this.#send(authorization, abort, proof)
    return Promise.resolve(withBodyAgain(this.#request, spare)).then((request) => {
      this.#request = request
      return this.#send(authorization, abort, proof)
    })
  }

  #send(
    authorization: string | undefined,
    abort: AbortSignal | undefined,
    proof: SentProof | undefined,
  ): Promise<Response> {
    const { send } = this.settings
    const request = this.#request
    this.#isSent = true
    if (authorization !== undefined) request.headers.set('authorization', authorization)
    const rest = abort ? this.#abortable(request, abort) : this.#rest
    if (!proof) return rest ? send(request, rest) : send(request)
    request.headers.set('dpop', proof.header)
    // Only requests without a body are sent to where a redirect led.
    return send(proof.url === this.url ? request : new Request(proof.url, request), rest, proof)
  }

  #abortable(request: Request, abort: AbortSignal): RequestInit {
    const { referrer, referrerPolicy, signal } = request
    // With any option, the platform resets the referrer.
    return { referrer, referrerPolicy, ...this.#rest, signal: AbortSignal.any([signal, abort]) }
  }

  free(error: unknown) {
    // The source of a body is freed when nothing reads it any more.
    endStream(this.#spare?.body)
    if (!this.#isSent) endStream(this.#request.body, error)
  }
}
