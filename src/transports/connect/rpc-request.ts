import type {
  ConnectError,
  Interceptor,
  StreamRequest,
  StreamResponse,
  UnaryRequest,
  UnaryResponse,
} from '@connectrpc/connect'
import { type Challenge, readChallenge } from '../../core/requests/challenge.ts'
import type { BearerRequest, Reply, SentProof } from '../../core/requests/transport-request.ts'
import { copyMessage } from '../copy-message.ts'
import { handOn, readOnce } from './messages.ts'

type Call = ReturnType<Interceptor>
type Response = UnaryResponse | StreamResponse

/** How a call ended: with a response, or with an error of the server that may be about the token. */
export type Outcome = { readonly response: Response } | { readonly refusal: ConnectError }

/** The response of a call, which throws the error if there is one. */
export function responseOf(outcome: Outcome): Response {
  if ('refusal' in outcome) throw outcome.refusal
  return outcome.response
}

/** The codes of a refusal, with the status that says the same in HTTP. */
const STATUS: { readonly [code: number]: number } = { 7: 403, 16: 401 }

/** One call, which may be sent more than once. */
export class RpcRequest implements BearerRequest<Outcome> {
  readonly url: string
  readonly #next: Call
  readonly #request: UnaryRequest | StreamRequest
  /** Whether all messages that the client sends are there from the beginning. */
  readonly replayable: boolean

  /** @param url the absolute URL that was checked and is sent */
  constructor(next: Call, request: UnaryRequest | StreamRequest, url: string) {
    const isServerStream = request.method.methodKind === 'server_streaming'
    this.#next = next
    this.url = url
    this.replayable = !request.stream || isServerStream
    if (!request.stream) this.#request = { ...request, message: copyMessage(request.message) }
    else this.#request = isServerStream ? { ...request, message: readOnce(request.message) } : request
  }

  get signal() {
    return this.#request.signal
  }

  get method() {
    return this.#request.requestMethod
  }

  key() {
    return this.url
  }

  async send(authorization: string | undefined, _?: unknown, proof?: SentProof): Promise<Outcome> {
    const { url } = this
    // Interceptors below and the transport add to the headers.
    const header = new Headers(this.#request.header)
    if (authorization !== undefined) header.set('authorization', authorization)
    if (proof) header.set('dpop', proof.header)
    try {
      const response = await this.#next({ ...this.#request, url, header })
      // An error of a stream arrives instead of its first message. In a conversation, that may come after what the caller sends next.
      if (!response.stream || this.#request.method.methodKind === 'bidi_streaming') return { response }
      return { response: { ...response, message: await handOn(response.message) } }
    } catch (error) {
      if (isRefusal(error)) return { refusal: error }
      throw error
    }
  }

  challenge(outcome: Outcome): Challenge | undefined {
    if (!('refusal' in outcome)) return undefined
    const { code, metadata } = outcome.refusal
    return readChallenge(STATUS[code] as number, metadata.get('www-authenticate'))
  }

  reply(outcome: Outcome): Reply {
    const isRefused = 'refusal' in outcome
    const header = isRefused ? outcome.refusal.metadata : outcome.response.header
    return {
      status: isRefused ? (STATUS[outcome.refusal.code] as number) : 200,
      header: (name) => header.get(name),
    }
  }
}

/** Not by `instanceof`: an interceptor imports nothing of its client. */
const isRefusal = (error: unknown): error is ConnectError =>
  error instanceof Error && error.name === 'ConnectError' && (error as ConnectError).code in STATUS
