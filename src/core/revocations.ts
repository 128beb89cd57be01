import type { AuthOptions } from './options.ts'
import type { Timed } from './timed.ts'
import type { Tokens } from './token-response.ts'

/** Tells the server of tokens that nobody may use any more (RFC 7009), in bounded time. */
export function createRevocations({
  revoke,
  timed,
  timeout,
}: {
  revoke: AuthOptions['revoke']
  timed: Timed
  timeout: number
}) {
  /** Tokens to revoke when the chart comes to it. */
  const leftBehind: Tokens[] = []

  async function revokeNow({ accessToken, refreshToken }: Tokens): Promise<void> {
    if (!revoke) return
    try {
      await timed.run(
        (signal) => revoke({ accessToken, refreshToken }, { signal }),
        timeout,
        () => undefined,
      )
    } catch {
      // The session is over here whatever the server says; what is left there runs out by itself.
    }
  }

  return {
    revokeNow,
    leaveBehind(tokens: Tokens) {
      leftBehind.push(tokens)
    },
    revokeLeftBehind: () => Promise.all(leftBehind.splice(0).map(revokeNow)),
  }
}
