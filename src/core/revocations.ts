import type { AuthOptions } from './options.ts'
import type { Timed } from './timed.ts'
import type { Tokens } from './token-response.ts'

/** Tells the server of tokens that nobody may use any more (RFC 7009), in bounded time. */
export function createRevocations({
  revoke,
  timed,
  timeout,
  inTurn,
}: {
  revoke: AuthOptions['revoke']
  timed: Timed
  timeout: number
  /** Runs it when no other answer is on its way that sets a cookie. */
  inTurn: <T>(task: (left: number) => Promise<T>, time: number) => Promise<T>
}) {
  /** Tokens to revoke when the chart comes to it. */
  const leftBehind: Tokens[] = []

  async function attempt({ accessToken = '', refreshToken }: Tokens): Promise<void> {
    if (!revoke) return
    await inTurn(
      (left) =>
        timed.run(
          async (signal) => revoke({ accessToken, refreshToken }, { signal }),
          left,
          () => NOT_REVOKED,
        ),
      timeout,
    )
  }

  return {
    /** Nobody waits for it, and what is left on the server runs out by itself. */
    revokeNow: (tokens: Tokens) => attempt(tokens).catch(() => {}),
    leaveBehind(tokens: Tokens) {
      leftBehind.push(tokens)
    },
    /** Settles once all of them have; fails where one could not be revoked. */
    async revokeLeftBehind(): Promise<void> {
      const results = await Promise.allSettled(leftBehind.splice(0).map(attempt))
      if (results.some(({ status }) => status === 'rejected')) throw NOT_REVOKED
    },
  }
}

/** What a user's function threw may hold tokens, so the chart is told only that it threw. */
const NOT_REVOKED = Object.freeze({ reason: 'revocation_failed' })
