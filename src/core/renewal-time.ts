import type { Tokens } from './token-response.ts'

/** A fifth of a token's life, at most a minute, is time enough to renew it in. */
const AHEAD_SHARE = 0.2
const AHEAD_MOST = 60_000

/**
 * When to start renewing tokens: `refreshAhead` milliseconds before they die, but never in the first half of their life,
 * or a wrong option would renew them without end.
 */
export function renewalTime(
  { receivedAt, expiresAt }: Tokens,
  refreshAhead: number | undefined,
): number | undefined {
  if (expiresAt === undefined) return undefined
  const lifetime = Math.max(0, expiresAt - receivedAt)
  return expiresAt - Math.min(refreshAhead ?? Math.min(AHEAD_MOST, lifetime * AHEAD_SHARE), lifetime / 2)
}
