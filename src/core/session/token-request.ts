import type { Reason } from '../../../machines/vocabulary.ts'
import type { Kernel } from '../kernel.ts'
import { messageOf } from '../messages.ts'
import { explainFailure } from '../platform/hints.ts'
import { isObject } from '../platform/is-object.ts'
import { classifyFailure, type FailureCause, unwrapResponse } from './failure.ts'
import { parseTokenResponse, type Tokens } from './token-response.ts'

/**
 * Calls the app's `refresh` function once.
 *
 * @param previous the current tokens, if there are any
 * @param outlives whether the answer is awaited after `dispose`, too
 * @returns the new tokens
 * @throws FailureCause if the function failed
 * @throws Abandoned if it did not answer within `timeouts.refresh`
 */
export function requestTokens(
  kernel: Kernel,
  previous: Tokens | undefined,
  outlives: boolean,
): Promise<Tokens> {
  const { options, settings, clock, environment, work } = kernel
  const { refreshToken, scope, idToken } = previous ?? {}
  return work.run(
    async (signal) => {
      // Only a hint: some machines are called offline while their network works. So an attempt is made all the same.
      const wasOffline = !environment.online()
      try {
        const response = await unwrapResponse(
          await options.refresh({ refreshToken, scope, idToken, signal }),
          signal,
        )
        return parseTokenResponse(response, kernel, true, previous)
      } catch (error) {
        // Reading the body of a thrown response takes time, too: it is bounded with the rest.
        const failure = await classifyFailure(error, {
          now: clock.now(),
          offline: !environment.online(),
          notSent: wasOffline,
          isFatal: options.isFatal,
          signal,
        }).catch(() => transientFailure('refresh_failed'))
        explainFailure(error, failure, previous)
        throw failure
      }
    },
    settings.timeouts.refresh,
    outlives,
  )
}

/** A failure that says nothing about the refresh token. */
export const transientFailure = (
  reason: Reason,
  message: string = reason,
  ambiguous = false,
): FailureCause => ({
  fatal: false,
  ambiguous,
  reason,
  status: undefined,
  retryAfter: undefined,
  cause: new Error(messageOf(message)),
})

export const isFailure = (value: unknown): value is FailureCause => isObject(value) && 'retryAfter' in value

/** What is known if no answer came in time. */
export const timeoutFailure = (): FailureCause => transientFailure('timeout', 'no_answer', true)
