/**
 * The rules of a session as pure functions. The chart, the core, the worker's mirror and the test model all decide by
 * them. Instants are milliseconds since the Unix epoch; delays are milliseconds.
 */
import type { AuthPolicy, ChartContext, RefreshFailure } from './vocabulary.ts'

const NEVER = Number.POSITIVE_INFINITY

/** Whether an instant has come. An unknown one has not. */
export const isReached = (instant: number | undefined, now: number): boolean =>
  instant !== undefined && now >= instant

/** Milliseconds until an instant; an unknown one never comes. */
export const timeUntil = (instant: number | undefined, now: number): number =>
  instant === undefined ? NEVER : Math.max(0, instant - now)

// When a token has to be refreshed.

type Token = Pick<ChartContext, 'generation' | 'rejectedGeneration' | 'expiresAt'>

/** Whether the access token is good for a request: not expired, and not refused by a server. */
export const tokenWorks = ({ generation, rejectedGeneration, expiresAt }: Token, now: number): boolean =>
  rejectedGeneration !== generation && !isReached(expiresAt, now)

/** Whether the clock may start a refresh; requests can always start one. */
export const refreshesOnSchedule = ({ refreshOn }: AuthPolicy, usedSinceRefresh: boolean): boolean =>
  refreshOn === 'timer' || (refreshOn === 'activity' && usedSinceRefresh)

/** Delay of the scheduled refresh. */
export const refreshDelay = (
  { policy, refreshAt }: Pick<ChartContext, 'policy' | 'refreshAt'>,
  now: number,
): number => (policy.refreshOn === 'demand' ? NEVER : timeUntil(refreshAt, now))

/** A fifth of a token's lifetime, at most a minute, is enough time to refresh it in. */
const AHEAD_SHARE = 0.2
const AHEAD_MOST = 60_000

/**
 * When to start refreshing tokens: `refreshAhead` milliseconds before they expire, but never in the first half of their
 * lifetime, because a wrong option would then refresh them without end.
 */
export function refreshTime(
  { receivedAt, expiresAt }: { readonly receivedAt: number; readonly expiresAt: number | undefined },
  refreshAhead: number | undefined,
): number | undefined {
  if (expiresAt === undefined) return undefined
  const lifetime = Math.max(0, expiresAt - receivedAt)
  return expiresAt - Math.min(refreshAhead ?? Math.min(AHEAD_MOST, lifetime * AHEAD_SHARE), lifetime / 2)
}

// What follows a failed attempt.

/** No server and no backoff makes a session wait longer for its next attempt. */
export const LONGEST_WAIT = 3_600_000

/** Milliseconds until an attempt. If its time is further away than any wait is, the clock was set back: it has come. */
const timeToWait = (instant: number, now: number): number =>
  instant - now > LONGEST_WAIT ? 0 : timeUntil(instant, now)

/** Delay of the next attempt: its backoff has to pass, and so has the time that the server asked for. 0: it is due. */
export const retryDelay = (
  { retryAt, notBefore }: Pick<ChartContext, 'retryAt' | 'notBefore'>,
  now: number,
): number => timeToWait(Math.max(retryAt, notBefore), now)

/** Delay of one more attempt after the last one failed. */
export const coolDownDelay = (
  { policy, notBefore }: Pick<ChartContext, 'policy' | 'notBefore'>,
  now: number,
): number => (policy.refreshOn === 'demand' ? NEVER : Math.max(policy.coolDown, timeToWait(notBefore, now)))

/** Whether a refresh that failed may be attempted again at once, before it cools down. */
export const mayTryAgain = (
  { policy, attempt, ambiguous }: Pick<ChartContext, 'policy' | 'attempt' | 'ambiguous'>,
  failure: RefreshFailure | undefined,
): boolean =>
  attempt + 1 < policy.attempts &&
  // Requests have waited for two whole timeouts by then.
  !(ambiguous && failure?.reason === 'timeout')

/**
 * Whether a lost answer must be looked into before the next attempt. The second lost answer in a row is treated like
 * any failure, unless the app chose never to present the token again.
 */
export const isFirstDoubt = (
  { policy, ambiguous }: Pick<ChartContext, 'policy' | 'ambiguous'>,
  failure: RefreshFailure | undefined,
): boolean => failure?.ambiguous === true && (!ambiguous || policy.ambiguousRefresh === 'expire')

export interface RetryTimes {
  readonly minDelay: number
  readonly maxDelay: number
  /** Share of the backoff that is random: 0 none, 1 all. */
  readonly jitter: number
}

/**
 * Instants of the next attempt: exponential backoff with jitter, and never earlier than the server asked.
 *
 * @param attempt failed attempts before this one
 * @param retryAfter milliseconds the server asked for; 0 if it did not ask
 * @param random a number from 0 to 1
 */
export function nextRetry(
  { minDelay, maxDelay, jitter }: RetryTimes,
  attempt: number,
  retryAfter: number,
  now: number,
  random: number,
): Pick<RefreshFailure, 'retryAt' | 'notBefore'> {
  const backoff = Math.min(maxDelay, minDelay * 2 ** attempt) * (1 - jitter * random)
  return {
    retryAt: now + Math.min(LONGEST_WAIT, Math.max(backoff, retryAfter)),
    notBefore: retryAfter > 0 ? now + Math.min(LONGEST_WAIT, retryAfter) : 0,
  }
}

// What a 401 says.

/** The least time of a doubt: a busy page must not refresh without end, whatever `retry.maxDelay` is. */
const DOUBT_LEAST = 5_000

/** How long an endpoint is in doubt that refused a fresh token: its 401 causes no refresh. */
export const doubtTime = ({ maxDelay }: Pick<RetryTimes, 'maxDelay'>): number =>
  Math.max(DOUBT_LEAST, maxDelay)

/** Whether an instant was less than `time` ago. If the clock was set back since, it counts as long ago. */
export const isWithin = (instant: number, time: number, now: number): boolean =>
  instant <= now && now < instant + time

// Which tokens are newer.

/** What orders two copies of a session: the sign-in they descend from, and how often they were refreshed since. */
export interface Lineage {
  readonly id: string
  readonly rotation: number
  /** Later than that of any sign-in before it, even if the clock says otherwise. */
  readonly startedAt: number
}

/** How a found session relates to the one held: `'refreshed'` is the same sign-in with newer tokens. */
export function compareSessions(
  found: Lineage,
  held: Lineage | undefined,
): 'signedIn' | 'refreshed' | 'same' | 'older' {
  if (!held) return 'signedIn'
  if (found.id !== held.id) return found.startedAt > held.startedAt ? 'signedIn' : 'older'
  return found.rotation > held.rotation ? 'refreshed' : found.rotation < held.rotation ? 'older' : 'same'
}

/**
 * Whether tokens may replace the stored ones: they are newer, or the same ones, of which exactly that copy was expected.
 *
 * @param expected names the tokens that should be stored
 */
export function mayReplace(
  next: Lineage,
  stored: Lineage | undefined,
  expected: Pick<Lineage, 'id' | 'rotation'> | undefined,
): boolean {
  const order = compareSessions(next, stored)
  const isExpected = expected?.id === stored?.id && expected?.rotation === stored?.rotation
  return order === 'signedIn' || order === 'refreshed' || (order === 'same' && isExpected)
}

/**
 * Whether the end of one copy of a session ends another copy: that of the same sign-in, or of an earlier one. Newer tokens
 * outlive the expiry of older ones, but not a sign-out.
 */
export const endsSession = (ended: Lineage, held: Lineage, isSignOut: boolean): boolean =>
  ended.id === held.id ? isSignOut || held.rotation <= ended.rotation : held.startedAt < ended.startedAt

// Whose session it is.

/**
 * The names of a user: the app's own `subject`, and issuer with subject of each kind of token. A subject is unique only
 * within its issuer (OpenID Connect Core §5.7), and a server may name one user differently in each kind of token (§8.1).
 */
export interface UserNames {
  readonly app?: string | undefined
  readonly idToken?: string | undefined
  readonly accessToken?: string | undefined
}

/** Whether two token sets belong to one user. Only like names are compared; the name in an access token counts least. */
export function compareUsers(one: UserNames, other: UserNames): 'same' | 'another' | 'unknown' {
  let known: 'same' | 'unknown' = 'unknown'
  for (const kind of ['app', 'idToken', 'accessToken'] as const) {
    if (kind === 'accessToken' && known === 'same') break
    if (one[kind] === undefined || other[kind] === undefined) continue
    if (one[kind] !== other[kind]) return 'another'
    known = 'same'
  }
  return known
}

// Which requests may carry which session's token.

/** The epoch of requests that were made when no session existed. */
export const UNOWNED = -1

/** The session before the current one, for requests that were made in it. */
export interface Predecessor extends Lineage {
  readonly epoch: number
  readonly user: UserNames
  /** It ended by itself; it was not signed out. */
  readonly expired: boolean
}

/** The epoch that a request made now belongs to. */
export const requestOwner = (
  epoch: number,
  hasTokens: boolean,
  predecessor: Predecessor | undefined,
): number => (hasTokens ? epoch : predecessor?.expired ? predecessor.epoch : UNOWNED)

/**
 * Whether a request of an earlier epoch may be sent with the current session's token. Two unknown users are two users,
 * unless the app says that it has only one.
 */
export function mayServe(
  owner: number,
  epoch: number,
  current: Pick<Predecessor, 'id' | 'user'> | undefined,
  predecessor: Predecessor | undefined,
  singleUser: boolean,
): boolean {
  if (owner === UNOWNED || owner === epoch) return true
  if (owner !== predecessor?.epoch || !current) return false
  const users = compareUsers(predecessor.user, current.user)
  return users === 'same' || (users === 'unknown' && (singleUser || predecessor.id === current.id))
}

// Limits.

/** Whether a session has gone unused for as long as its idle limit allows, as far as is known here. */
export const isIdle = (usedAt: number, limit: number, now: number): boolean => now - usedAt >= limit
