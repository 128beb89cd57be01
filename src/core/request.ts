import type { Challenge } from './challenge.ts'
import type { HoldOptions } from './hold-queue.ts'
import type { Signal } from './ports.ts'

/** One request, as its transport sees it. */
export interface BearerRequest<Answer> extends HoldOptions {
  /**
   * Sends it, with the `Authorization` header given, or without one. Called once, and once more for a replay. `abort` is
   * given only where `abortable` is set: it ends this sending, and the request is sent again.
   */
  send(authorization: string | undefined, abort?: Signal): Promise<Answer>
  /** What a refusal asks for; `undefined`: nothing the session can give. */
  challenge(answer: Answer): Challenge | undefined | Promise<Challenge | undefined>
  /** Whether it can be sent a second time, byte for byte. */
  readonly replayable: boolean
  /** Names the endpoint: one that answers 401 to a fresh token gets no other refresh for a while, or until it answers else. */
  key(): string
  /** Whether a 401 elsewhere may abort it in flight and send it again: only what is safe (RFC 9110 §9.2.1). */
  readonly abortable?: boolean
  /** Frees what an answer that is not handed on holds. */
  discard?(answer: Answer): void
}

/** Sends a request for somebody who watches it, and may put something between it and its transport. */
export type RequestWatch = <Answer>(
  request: BearerRequest<Answer>,
  go: (request: BearerRequest<Answer>) => Promise<Answer>,
) => Promise<Answer>
