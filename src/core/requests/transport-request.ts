import type { AbortSignalLike, Signal } from '../ports.ts'
import type { ProofAnswer } from '../proof-port.ts'
import type { Credential } from '../session/vault.ts'
import type { Challenge, StepUp } from './challenge.ts'

/** How one request waits. */
export interface HoldOptions {
  /** Ends the wait at once; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | null | undefined
  /** Milliseconds this request can wait, if that is less than `timeouts.hold`. Read once, when it starts to wait. */
  readonly timeout?: number | undefined
  /** Called when the request starts to wait. */
  onHeld?(): void
}

/** The place of a request that waited, among those that are sent at once. */
export interface Place {
  /** Leaves it to another request. It may be called again. */
  release(): void
}

/** The proof that one sending carries (RFC 9449). */
export interface SentProof {
  /** The `DPoP` header. */
  readonly header: string
  /** The URL that it proves, and that has to be sent to. It differs from that of the request only after a redirect. */
  readonly url: string
  /** Makes the `DPoP` header for another request of the same sending: where the redirect of an answer leads. */
  renew(method: string, url: string, redirect: ProofAnswer): Promise<string>
}

/** One request, as its transport sees it. */
export interface BearerRequest<Answer> extends HoldOptions {
  /**
   * Sends the request with the given `Authorization` header, or without one. Called once, and once more for a replay. `abort`
   * is given only if `abortable` is set: it ends this sending, and the request is sent again. `proof` is given only if the
   * token is bound to a key; then the request may be sent a few times more, because the server asks for another proof.
   */
  send(authorization: string | undefined, abort?: Signal, proof?: SentProof): Promise<Answer>
  /** What a refusal asks for; `undefined`: nothing that the session can provide. */
  challenge(answer: Answer): Challenge | undefined | Promise<Challenge | undefined>
  /** Whether the request can be sent a second time, byte for byte. */
  readonly replayable: boolean
  /**
   * Whether the request may have taken effect before this refusal, so that it must not be sent again: a redirect can lead from
   * a POST that was accepted to a GET that is refused (RFC 9110 §15.4). Default: no.
   */
  hasActed?(answer: Answer): boolean
  /** Names the endpoint. One that answers 401 to a fresh token causes no other refresh for a while. */
  key(): string
  /**
   * Whether a 401 elsewhere may abort it in flight and send it again: only safe methods (RFC 9110 §9.2.1). Not heeded if the
   * request is not replayable.
   */
  readonly abortable?: boolean
  /** Frees the resources of an answer that is not returned. */
  discard?(answer: Answer): void
  /** The method. A token that is bound to a key needs it, and `url`. */
  readonly method?: string
  /** The absolute URL that was checked and is sent. */
  readonly url?: string
  /**
   * @internal called before a sending after a wait. One that waits again has to leave its place, or it would wait for itself. One
   * that lasts may leave its place before its answer is complete.
   */
  onReleased?(place: Place): void
  /** What a proof of possession needs to know of an answer. Default: the answer is a `Response`. */
  reply?(answer: Answer): Reply | undefined
}

/** What a proof of possession needs to know of an answer. */
export interface Reply extends ProofAnswer {
  /** The absolute URL that answered, if it is known: a redirect may have led there. */
  readonly url?: string | undefined
}

/** Puts proofs between a request and its transport. */
export type Prove = <Answer>(request: BearerRequest<Answer>) => BearerRequest<Answer>

/** What handles the challenges that ask for a stronger sign-in. */
export interface StepUpAnswers {
  /** Decides how a request goes on that was refused: with its answer, or with another sending. */
  answer<Answer>(
    challenge: StepUp,
    answer: Answer,
    request: BearerRequest<Answer>,
    refused: Credential,
  ): Promise<Answer>
}

/** A request in flight that may be ended, such as an `AbortController`. */
export interface Abortable {
  abort(): void
}

/** Observes a request, and may put something between it and its transport. */
export type RequestWatch = <Answer>(
  request: BearerRequest<Answer>,
  send: (request: BearerRequest<Answer>) => Promise<Answer>,
) => Promise<Answer>
