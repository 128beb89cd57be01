import { checkOneOf } from './checks.ts'
import type { Hold } from './hold.ts'
import {
  challenge,
  dropped,
  failed,
  type MalformedAnswer,
  malformed,
  type TokenFailure,
  type TokenReply,
} from './replies.ts'
import type { TokenServerRequest } from './requests.ts'

/**
 * A token request that waits for the test. Call exactly one of the methods, exactly once. The call may come before the request
 * arrives, and works even if the client has disconnected. A second call throws an Error, and so does a call after the server
 * was closed or reset, because that drops held requests.
 */
export interface HeldTokenRequest {
  /**
   * Resolves with the request once it is fully received and waits. If several requests are held, resolves with the last one.
   * Rejects if the hold is cleared before that.
   */
  readonly arrived: Promise<TokenServerRequest>
  /** The server acts and answers. */
  answer(): void
  /** The server answers an error without acting. */
  fail(failure?: TokenFailure): void
  /** The connection breaks before the server acts. */
  drop(): void
  /** The server acts, and the answer is lost. */
  dropAnswer(): void
  /** The server answers 200 with something that is not a token response, without acting. */
  malform(kind: MalformedAnswer): void
}

/** How a held API request is answered. */
export interface HeldAnswerOptions {
  /**
   * Which checks count: those made when the request arrived (default), or new ones made at the release. The token may have
   * expired in between.
   */
  readonly check?: 'arrival' | 'release'
}

/** An API request that waits for the test. The rules of {@link HeldTokenRequest} apply. */
export interface HeldApiRequest {
  /** Resolves with the request once it is fully received and waits. Rejects if the hold is cleared before that. */
  readonly arrived: Promise<TokenServerRequest>
  /** Answers. A handler of the route runs now, whichever checks count. */
  answer(options?: HeldAnswerOptions): void
  /** Answers 401 `invalid_token`, even if the token is valid. */
  refuse(): void
  /** The connection breaks; a handler of the route does not run. */
  drop(): void
  /** A handler of the route runs, and its answer is lost. */
  dropAnswer(options?: HeldAnswerOptions): void
}

/** The result of checking an API request. Calling it answers the request. */
export type Finding = () => Response | Promise<Response>
/** Answers a held API request. `examine` checks the request again, at the release. */
export type ApiReply = (atArrival: Finding, examine: () => Finding) => Response | Promise<Response>

export const heldTokenRequest = ({ arrived, decide }: Hold<TokenReply>): HeldTokenRequest => ({
  arrived,
  answer: () => decide((act) => act()),
  fail: (failure) => decide(failed('fail', failure)),
  drop: () => decide(() => dropped()),
  dropAnswer: () =>
    decide((act) => {
      act()
      return dropped()
    }),
  malform: (kind) => decide(malformed('malform', kind)),
})

export const heldApiRequest = ({ arrived, decide }: Hold<ApiReply>): HeldApiRequest => {
  const finding = (
    method: string,
    { check = 'arrival' }: HeldAnswerOptions = {},
  ): ((...parameters: Parameters<ApiReply>) => Finding) => {
    const late = checkOneOf(`${method}: check`, check, ['arrival', 'release']) === 'release'
    return (atArrival, examine) => (late ? examine() : atArrival)
  }
  return {
    arrived,
    answer: (options) => {
      const find = finding('answer', options)
      decide((...found) => find(...found)())
    },
    refuse: () => decide(() => challenge(401, 'invalid_token')),
    drop: () => decide(() => dropped()),
    dropAnswer: (options) => {
      const find = finding('dropAnswer', options)
      decide(async (...found) => {
        await find(...found)()
        return dropped()
      })
    },
  }
}
