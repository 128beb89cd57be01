import type { AbortSignalLike, Signal } from '../ports.ts'
import type { Challenge } from './challenge.ts'

/** How one request waits. */
export interface HoldOptions {
  /** Ends the wait at once; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | null | undefined
  /** Milliseconds this request can wait, if that is less than `timeouts.hold`. Read once, when it starts to wait. */
  readonly timeout?: number | undefined
  /** Called when the request starts to wait. */
  onHeld?(): void
}

/** One request, as its transport sees it. */
export interface BearerRequest<Answer> extends HoldOptions {
  /**
   * Sends the request with the given `Authorization` header, or without one. Called once, and once more for a replay. `abort`
   * is given only if `abortable` is set: it ends this sending, and the request is sent again.
   */
  send(authorization: string | undefined, abort?: Signal): Promise<Answer>
  /** What a refusal asks for; `undefined`: nothing that the session can provide. */
  challenge(answer: Answer): Challenge | undefined | Promise<Challenge | undefined>
  /** Whether the request can be sent a second time, byte for byte. */
  readonly replayable: boolean
  /** Names the endpoint. One that answers 401 to a fresh token causes no other refresh for a while. */
  key(): string
  /** Whether a 401 elsewhere may abort it in flight and send it again: only safe methods (RFC 9110 §9.2.1). */
  readonly abortable?: boolean
  /** Frees the resources of an answer that is not returned. */
  discard?(answer: Answer): void
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
