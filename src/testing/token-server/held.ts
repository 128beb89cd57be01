import { checkOneOf } from './checks.ts'
import { dropped, failed, malformed, type Step } from './fates.ts'
import type { Hold } from './hold.ts'
import { challenge } from './replies.ts'
import type { MalformedAnswer, TokenFailure } from './script.ts'
import type { TokenServerRequest } from './types.ts'

/**
 * A token request that waits for the test. One of the methods has to be called, once; before the request is there is soon
 * enough, too. They act at once, even if the client has gone. A second call throws an Error, as does one after the server
 * was closed or reset, which drops what is held.
 */
export interface HeldTokenRequest {
  /**
   * Resolves with the request when all of it is there and it waits; with the last one where several are held. Rejects when
   * the hold is cleared away before.
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
  /** The server answers 200 with something that is no token answer, without acting. */
  malform(kind: MalformedAnswer): void
}

/** How a held API request is answered. */
export interface HeldAnswerOptions {
  /**
   * Whose checks count: those made when the request arrived (default), or those made now, which may find that its token
   * has died meanwhile.
   */
  readonly check?: 'arrival' | 'release'
}

/** An API request that waits for the test. The same rules hold as for {@link HeldTokenRequest}. */
export interface HeldApiRequest {
  /** Resolves with the request when all of it is there and it waits. Rejects when the hold is cleared away before. */
  readonly arrived: Promise<TokenServerRequest>
  /** Answers. A handler of the route runs now, whichever checks count. */
  answer(options?: HeldAnswerOptions): void
  /** Answers 401 `invalid_token`, however good the token is. */
  refuse(): void
  /** The connection breaks; a handler of the route does not run. */
  drop(): void
  /** A handler of the route runs, and its answer is lost. */
  dropAnswer(options?: HeldAnswerOptions): void
}

/** What was found out about an API request; calling it answers. */
export type Finding = () => Response | Promise<Response>
/** How a held API request goes, by what was found at its arrival and what can be found now. */
export type ApiVerdict = (atArrival: Finding, examine: () => Finding) => Response | Promise<Response>

export const heldTokenRequest = ({ arrived, decide }: Hold<Step>): HeldTokenRequest => ({
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

export const heldApiRequest = ({ arrived, decide }: Hold<ApiVerdict>): HeldApiRequest => {
  const finding = (
    method: string,
    { check = 'arrival' }: HeldAnswerOptions = {},
  ): ((...parameters: Parameters<ApiVerdict>) => Finding) => {
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
