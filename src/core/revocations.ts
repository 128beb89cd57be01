import type { AuthOptions } from './options.ts'
import type { Timed } from './timed.ts'

/** The tokens of a session, as far as they are known: in a cookie, or before its first exchange, not all of them are. */
export interface Revocable {
  readonly accessToken?: string | null | undefined
  readonly refreshToken?: string | undefined
}

/** Tells the server of tokens that nobody may use any more (RFC 7009), in bounded time. */
export function createRevocations({
  revoke,
  timed,
  timeout,
  inTurn,
  isCookieTaken,
  hasSession,
}: {
  revoke: AuthOptions['revoke']
  timed: Timed
  timeout: number
  /** Runs it when no other answer is on its way that sets a cookie. */
  inTurn: <T>(task: (left: number) => Promise<T>, time: number) => Promise<T>
  /** Whether the cookie, where there is one, belongs to who came meanwhile, or is about to. */
  isCookieTaken: () => boolean
  hasSession: () => boolean
}) {
  /** Tokens to revoke when the chart comes to it. */
  const leftBehind: Revocable[] = []

  async function attempt({ accessToken, refreshToken }: Revocable, isAnothers: () => boolean): Promise<void> {
    if (!revoke) return
    await inTurn(async (left) => {
      // Looked at in its turn: a session may have begun with the cookie while it waited.
      if (isAnothers()) return
      await timed.run(
        async (signal) => revoke({ accessToken: accessToken ?? '', refreshToken }, { signal }),
        left,
        () => NOT_REVOKED,
      )
    }, timeout)
  }

  return {
    /** Nobody waits for it, and what is left on the server runs out by itself. */
    revokeNow: (tokens: Revocable) => attempt(tokens, isCookieTaken).catch(() => {}),
    leaveBehind(tokens: Revocable) {
      leftBehind.push(tokens)
    },
    /** Whether nothing is known that could be revoked. */
    get isEmpty() {
      return leftBehind.length === 0
    },
    /** Settles once all of them have; fails where one could not be revoked. */
    async revokeLeftBehind(): Promise<void> {
      // A sign-in that follows takes the turn after this one. Where there are no tokens, the cookie says whose session it is.
      const results = await Promise.allSettled(
        leftBehind
          .splice(0)
          .map((tokens) =>
            attempt(tokens, () => !tokens.accessToken && !tokens.refreshToken && hasSession()),
          ),
      )
      if (results.some(({ status }) => status === 'rejected')) throw NOT_REVOKED
    },
  }
}

/** What a user's function threw may hold tokens, so the chart is told only that it threw. */
const NOT_REVOKED = Object.freeze({ reason: 'revocation_failed' })
