import type { InterceptorOptions, Metadata, StatusObject } from '@grpc/grpc-js'
import type { AuthHandle } from '../../core/auth.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import type { BearerRequest, SentProof } from '../../core/requests/transport-request.ts'
import { copyMessage } from '../copy-message.ts'
import { challengeOf, hasAuthorization, replyOf, statusOf, timeLeft, withToken } from './status.ts'
import type { Call, Listener, NextCall } from './types.ts'

/** All that a server answered. */
interface Answer {
  metadata?: Metadata
  message?: unknown
  status: StatusObject
}

/** A unary call, which may be sent more than once: its answer is handed on as a whole. */
export class UnaryCall implements Call, BearerRequest<Answer> {
  readonly replayable = true
  readonly method = 'POST'
  readonly url?: string
  readonly #auth: AuthHandle
  readonly #options: InterceptorOptions
  readonly #nextCall: NextCall
  readonly #controller = new AbortController()
  #metadata!: Metadata
  #listener: Partial<Listener> | undefined
  #message: unknown
  #context: Parameters<Call['sendMessageWithContext']>[0] = {}
  #inner: Call | undefined

  /** @param url what a proof is made for, if it is known */
  constructor(auth: AuthHandle, options: InterceptorOptions, nextCall: NextCall, url?: string) {
    if (url !== undefined) this.url = url
    this.#auth = auth
    this.#options = options
    this.#nextCall = nextCall
  }

  start(metadata: Metadata, listener?: Partial<Listener>) {
    // The caller may change it while the call waits.
    this.#metadata = metadata.clone()
    this.#listener = listener
  }

  sendMessageWithContext(context: Parameters<Call['sendMessageWithContext']>[0], message: unknown) {
    this.#context = context
    this.#message = copyMessage(message)
  }

  sendMessage(message: unknown) {
    this.sendMessageWithContext({}, message)
  }

  /** The call is complete. */
  halfClose() {
    const isOwn = hasAuthorization(this.#metadata)
    const answer = isOwn ? this.send(undefined) : bearerRequest(this.#auth, this)
    answer.then(
      ({ metadata, message, status }) => {
        if (metadata) this.#listener?.onReceiveMetadata?.(metadata)
        this.#listener?.onReceiveMessage?.(message)
        this.#listener?.onReceiveStatus?.(status)
      },
      (error) =>
        this.#listener?.onReceiveStatus?.(
          statusOf(error, this.#controller.signal.aborted, timeLeft(this.#options)),
        ),
    )
  }

  startRead() {}

  cancelWithStatus(status: Parameters<Call['cancelWithStatus']>[0], details: string) {
    this.#controller.abort(new Error(details))
    this.#inner?.cancelWithStatus(status, details)
  }

  getPeer() {
    return this.#inner?.getPeer() ?? 'unknown'
  }

  getAuthContext() {
    return this.#inner?.getAuthContext() ?? null
  }

  get signal() {
    return this.#controller.signal
  }

  get timeout() {
    return timeLeft(this.#options)
  }

  key() {
    return this.#options.method_definition.path
  }

  send(authorization: string | undefined, _?: unknown, proof?: SentProof): Promise<Answer> {
    if (this.signal.aborted) return Promise.reject(this.signal.reason)
    const metadata = withToken(this.#metadata, authorization, proof)
    const inner = this.#nextCall(this.#options)
    this.#inner = inner
    return new Promise((resolve) => {
      const answer: Partial<Answer> = {}
      inner.start(metadata, {
        onReceiveMetadata(received) {
          answer.metadata = received
        },
        onReceiveMessage(message) {
          answer.message = message
        },
        onReceiveStatus: (status) => resolve({ ...answer, status }),
      })
      inner.sendMessageWithContext(this.#context, this.#message)
      inner.halfClose()
    })
  }

  challenge({ status }: Answer) {
    return challengeOf(status)
  }

  reply({ status, metadata }: Answer) {
    return replyOf(status, metadata)
  }
}
