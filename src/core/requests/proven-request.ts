import { StorageError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { messageOf } from '../messages.ts'
import { Abandoned } from '../platform/bounded-work.ts'
import { untilAborted } from '../platform/until-aborted.ts'
import type { Signal } from '../ports.ts'
import type { Proof, ProofPort, ProofRequest } from '../proof-port.ts'
import type { Vault } from '../session/vault.ts'
import type { Challenge } from './challenge.ts'
import type { Gate, Slot } from './gate.ts'
import type { BearerRequest, Place, Reply, SentProof } from './transport-request.ts'

/** What `proof` brings along. */
export type AttachProof = (kernel: Kernel, vault: Vault, gate: Gate) => void

/** What all requests of one session share. */
export interface Prover {
  readonly kernel: Kernel
  readonly port: ProofPort
  readonly vault: Vault
  readonly gate: Gate
}

/** How the `Authorization` header of a bound token begins. The rest is the token. */
const SCHEME = 'DPoP '

/** A `Response`, as most transports answer. */
interface ResponseLike {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly redirected?: boolean
  readonly url?: string
}

const ORIGIN = /^[a-z]+:\/\/[^/?#]+/i
const SAFE = /^(GET|HEAD)$/

/**
 * A request that is sent with proofs. One sending of the replay algorithm becomes up to three: one more if the server asks
 * for a nonce, and one more if the platform followed a redirect with the proof for the URL before. Neither is a replay.
 */
export class ProvenRequest<Answer> implements BearerRequest<Answer> {
  readonly #prover: Prover
  readonly #request: BearerRequest<Answer>
  /** The place that a request has which waited. The replay algorithm leaves it after the answer. */
  #place: Place | undefined

  constructor(prover: Prover, request: BearerRequest<Answer>) {
    this.#prover = prover
    this.#request = request
  }

  get replayable() {
    return this.#request.replayable
  }

  get abortable() {
    return this.#request.abortable ?? false
  }

  get signal() {
    return this.#request.signal
  }

  get timeout() {
    return this.#request.timeout
  }

  onHeld() {
    this.#request.onHeld?.()
  }

  onReleased(place: Place) {
    this.#place = place
    this.#request.onReleased?.(place)
  }

  key() {
    return this.#request.key()
  }

  challenge(answer: Answer): Challenge | undefined | Promise<Challenge | undefined> {
    return this.#request.challenge(answer)
  }

  hasActed(answer: Answer) {
    return this.#request.hasActed?.(answer) ?? false
  }

  discard(answer: Answer) {
    this.#request.discard?.(answer)
  }

  send(authorization: string | undefined, abort?: Signal): Promise<Answer> {
    // A server may still issue bearer tokens.
    if (!authorization?.startsWith(SCHEME)) return this.#request.send(authorization, abort)
    return this.#sendProven(abort)
  }

  /** Signs in bounded time. A caller who aborts waits for nothing. */
  async #prove(request: ProofRequest): Promise<Proof> {
    const { kernel, port } = this.#prover
    const proof = kernel.work
      .run(() => port.prove(request), kernel.settings.timeouts.storage)
      .catch((error) => {
        throw error instanceof Abandoned
          ? (error.reason ?? new StorageError('', { reason: 'key_unavailable' }))
          : error
      })
    const { signal } = this.#request
    return signal ? untilAborted(proof, signal) : proof
  }

  async #sendProven(abort: Signal | undefined): Promise<Answer> {
    const { port, vault, gate } = this.#prover
    const request = this.#request
    let { method, url } = request
    if (method === undefined || url === undefined) throw new TypeError(messageOf('no_target'))
    method = method.toUpperCase()
    let { credential } = vault
    let own: Slot | undefined
    let mayRepeat = request.replayable
    let mayRedirect = request.replayable && SAFE.test(method)
    try {
      for (;;) {
        const accessToken = credential?.authorization?.slice(SCHEME.length) ?? ''
        const about = { accessToken, keyId: vault.tokens?.keyId, proofKey: credential?.proofKey }
        let proof = await this.#prove({ ...about, method, url })
        let provenURL = url
        // Nothing happens between this check and the sending.
        if (!credential || !gate.admits(credential)) {
          this.#place?.release()
          own = await gate.resume(credential ?? vault.anonymousCredential, request)
          this.onReleased(own)
          credential = own.credential
          if (credential.authorization?.startsWith(SCHEME)) continue
          return await request.send(credential.authorization, abort)
        }
        const sent: SentProof = {
          header: proof.dpop,
          url,
          renew: async (nextMethod, nextURL, redirect) => {
            port.heed(proof, redirect)
            proof = await this.#prove({ ...about, method: nextMethod.toUpperCase(), url: nextURL })
            provenURL = nextURL
            return proof.dpop
          },
        }
        const answer = await request.send(proof.authorization, abort, sent)
        const reply = request.reply ? request.reply(answer) : replyOf(answer as ResponseLike)
        const again = reply && port.heed(proof, reply) === 'again' && !this.hasActed(answer)
        const end = reply?.status === 401 ? reply.url : undefined
        if (mayRedirect && end !== undefined && ledElsewhere(provenURL, end)) {
          mayRedirect = false
          url = end
        } else if (again && mayRepeat) mayRepeat = false
        else return answer
        request.discard?.(answer)
      }
    } finally {
      own?.release()
    }
  }
}

/** What a proof of possession needs to know of a `Response`. */
const replyOf = ({ status, headers, redirected, url }: ResponseLike): Reply => ({
  status,
  header: (name) => headers.get(name),
  url: redirected ? url : undefined,
})

/** Whether a redirect led to another path of the same origin. The proof names no query (RFC 9449 §4.2). */
const ledElsewhere = (proven: string, end: string) =>
  originOf(proven) === originOf(end) && proven.split(/[?#]/, 1)[0] !== end.split(/[?#]/, 1)[0]

const originOf = (url: string) => ORIGIN.exec(url)?.[0].toLowerCase()
