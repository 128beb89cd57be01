import type { Lineage } from '../../machines/policies.ts'
import type { SessionRecord } from '../core/ports.ts'
import type { FoundSession } from '../fleet/fleet.ts'

/** How wrong the clock of a process may be, in milliseconds. What a process stores stays for so much longer than it asks for. */
export const CLOCK_MARGIN = 3_600_000

/**
 * What the time between sealing and storing may be mistaken for, in milliseconds: at most a twentieth of the token's lifetime, so
 * that a token that lives for seconds is not refreshed too early either.
 */
const LEAST = 1_000
const SHARE = 0.05

/** A record as it is sealed: with the time of the clock by which its instants are. */
export const withTime = (record: SessionRecord, sealedAt: number) => ({ ...record, sealedAt })

/**
 * Converts the instants of a record to the clock of this process, if the one that sealed it has another time. Otherwise a process
 * whose clock is ahead would find every token expired, and refresh it at once.
 *
 * @param age how long ago it was written; `undefined` if unknown
 * @param now by the clock of this process
 */
export function inOwnTime(
  record: SessionRecord & { readonly sealedAt?: unknown },
  age: number | undefined,
  now: number,
): SessionRecord {
  const { sealedAt, ...own } = record
  const ahead = typeof sealedAt === 'number' && age !== undefined ? now - age - sealedAt : 0
  const { receivedAt, expiresAt, refreshTokenExpiresAt } = own
  const least = Math.min(LEAST, SHARE * ((expiresAt ?? Number.POSITIVE_INFINITY) - receivedAt))
  if (ahead === 0 || !(Math.abs(ahead) >= least && Number.isFinite(ahead))) return own
  return {
    ...own,
    receivedAt: Math.max(0, receivedAt + ahead),
    ...(expiresAt !== undefined && { expiresAt: Math.max(0, expiresAt + ahead) }),
    ...(refreshTokenExpiresAt !== undefined && {
      refreshTokenExpiresAt: Math.max(0, refreshTokenExpiresAt + ahead),
    }),
  }
}

/** A clock that seems to be behind by more, in milliseconds, is no clock. */
const LONGEST_BEHIND = 5 * 365 * 86_400_000

/**
 * How much later the sign-ins of this process have to be dated than its clock says, in milliseconds, so that one is later than a
 * session that was written before.
 *
 * @param startedAt of the sign-in
 * @param latest when that session started, by the clock of its process
 * @param known what was known before
 */
export function behindBy(startedAt: number, latest: number, known: number): number {
  const behind = latest + 1 - startedAt
  return behind < LONGEST_BEHIND ? Math.max(known, behind) : known
}

/**
 * Whether what is stored was written before a sign-in which this process could not store.
 *
 * @param now by the clock of this process
 */
export const wasStoredBefore = (owed: Lineage, { id, age }: FoundSession, now: number): boolean =>
  id !== owed.id && age > now - owed.startedAt
