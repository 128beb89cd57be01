/**
 * The state of the world between two steps: one server, one shared store, two tabs and three requests.
 *
 * Steps work on a `World`, an object with named fields. The search keeps its bytes (`encoding.ts`). The world has no
 * clock and no absolute numbers. A token set is identified by its *lag*: how many times the server has rotated that
 * session's tokens since it issued this set (0: the set is the newest). The age of a request's pass is relative to its
 * tab. A refresh that changes nothing else therefore leads back to a known state, and the space is finite.
 */

import type { Budget } from './budget.ts'

/** A token set, or the content of a store: the session's number (1 or 2) times 16, plus the lag. 0 means none. */
export type TokenSet = number
export const NOTHING: TokenSet = 0
/** The result of a read: the store had a record, and it was removed (`'gone'` in `session/store-queue.ts`). */
export const REMOVED: TokenSet = 0xf0
export const tokenSet = (session: number, lag: number): TokenSet => session * 16 + lag
export const sessionOf = (tokens: TokenSet) => tokens >> 4
export const lagOf = (tokens: TokenSet) => tokens & 15
/** A later sign-in is newer than earlier sessions. Within a session, a later rotation is newer than an earlier one. */
export const isNewer = (one: TokenSet, other: TokenSet) =>
  sessionOf(one) !== sessionOf(other) ? one > other : lagOf(one) < lagOf(other)

/** The state of a tab's chart (`auth.machine.ts`), as far as requests can observe it. */
export const REFRESHABLE = 0
export const LAST_TOKEN = 1
/** `refreshing` with the gate open (the old access token still works) or closed (no access token works). */
export const OPEN = 2
export const CLOSED = 3
export const AUTHENTICATING = 4
export const EXPIRED = 5
/** `signingOut`, `loggedOut` and `anonymous`: no user is signed in, and no request waits. */
export const LOGGED_OUT = 6
export const RESTORING = 7
export type ChartState = number

/** The state of the chart's `attempt` region while the chart is in `refreshing`. */
export const REQUESTING = 0
export const BACKING_OFF = 1
export const COOLING_DOWN = 2
export const AMBIGUOUS = 3

/** One run of `#attempt` (`session/refresh.ts`). It may continue after the chart has left the state that started it. */
export interface RefreshAttempt {
  stage: number
  /**
   * In READ and REREAD: what the store returned. In SENT: the tokens whose refresh token was sent. In GRANTED: the new
   * tokens.
   */
  tokens: TokenSet
  /** Its revision is up to date: the vault has not changed since the attempt began. */
  current: boolean
  /** The revision of its store read is up to date. */
  readCurrent: boolean
  /** The vault's epoch is the one in which the attempt began. */
  sameEpoch: boolean
  /** The attempt holds the lock. */
  locked: boolean
  /** The client gave up waiting (`timeouts.refresh`), but the answer may still arrive. */
  timedOut: boolean
  /** Its tab has crashed; only the server may still act. */
  orphan: boolean
}
export const FREE = 0
export const WAITING = 1
export const READ = 2
export const SENT = 3
export const GRANTED = 4
export const REFUSED = 5
export const FAILED = 6
export const LOST = 7
export const REREAD = 8

/** A read of the store outside of a refresh attempt. */
export interface StoreRead {
  /**
   * The code that waits for the read: `checkStore`, the chart's `restore`, or a `restore` that the chart
   * abandoned.
   */
  reader: number
  tokens: TokenSet
  /** Its revision is up to date: the vault has not changed since the read began. */
  current: boolean
  /** The vault's epoch is the one in which the read began. */
  sameEpoch: boolean
}
export const NO_READER = 0
export const RELOAD = 1
export const CHART = 2
export const ABANDONED = 3

export interface Tab {
  chartState: ChartState
  phase: number
  /** The tokens in the vault. */
  tokens: TokenSet
  /** The session that expired, until the next sign-in or sign-out: the vault's `predecessor`. 0: none. */
  expiredSession: number
  /** The refresh token was refused: `refreshable` in the chart's context is `false`. */
  hasLastToken: boolean
  /** The chart knows that the access token is invalid. */
  knownInvalid: boolean
  /** `#hasRecord` in `session/store-queue.ts`. */
  knowsRecord: boolean
  /** `isReliable` in `session/store-queue.ts`. Until it is set, an empty store may be one that never keeps a record. */
  hasSeenRecord: boolean
  /** The sessions that ended in this tab by a sign-out or by a removed record: bits 1 and 2. */
  endedSessions: number
  /** The user signed out in this tab, and no session has begun in it since. */
  hasSignedOut: boolean
  /** The tokens whose expiry another tab announced last. */
  announcedExpiry: TokenSet
  /** Messages in transit to this tab, oldest first; see `messages.ts`. */
  readonly inbox: number[]
  readonly attempts: readonly RefreshAttempt[]
  /** The store read of `checkStore` or of the chart. */
  readonly storeRead: StoreRead
}

/**
 * Whether the tab merges the tokens that a store read returned. A tab without tokens merges only if the read is
 * `current`: a sign-out during the read must not be undone.
 */
export const shouldMerge = (tab: Tab, found: TokenSet, current: boolean) =>
  found !== NOTHING && found !== REMOVED && (tab.tokens === NOTHING ? current : isNewer(found, tab.tokens))

/** A read of the store is in progress for this tab. */
export const isReading = ({ storeRead, attempts }: Tab) =>
  storeRead.reader !== NO_READER || attempts.some(({ stage }) => stage === READ || stage === REREAD)

export interface Session {
  /** NOT_BEGUN, ACTIVE or ENDED, as the server sees the session. */
  status: number
  /** Access tokens of this lag and above are invalid. NONE_INVALID: all of them are valid. */
  invalidFrom: number
  /** Lags, as bits, of the refresh tokens whose answer reached a tab. I2 forbids presenting one of them again. */
  answered: number
  /** The user signed out of this session. */
  signedOut: boolean
  /** A revocation request is in transit to the server (RFC 7009). */
  revoking: boolean
}
export const NONE_INVALID = 15
export const NOT_BEGUN = 0
export const ACTIVE = 1
export const ENDED = 2

export interface Request {
  tab: number
  stage: number
  /** The age, relative to the tab, of the pass that the request was sent with or waits for. */
  pass: number
}
export const IDLE = 0
export const IN_FLIGHT = 1
export const HELD = 2
/** Released, or given a newer token, and not sent yet: there is an `await` in between. */
export const RELEASED = 3
export const HELD_AGAIN = 4
export const RELEASED_AGAIN = 5
/** Given a newer token that the tab already had, so the replay did not wait. */
export const AT_HAND = 6
/** In flight as a replay that did not wait for a new token. */
export const REPLAYED = 7
/** Completed, rejected or aborted; or in flight, and nothing depends on the answer any more. */
export const SETTLED = 8

/** The request waits at the gate. */
export const isWaiting = ({ stage }: Request) => stage === HELD || stage === HELD_AGAIN

/** The tab's current token set. For a waiting request: it was made in the current session. */
export const CURRENT = 0
/** An older token set of the same epoch. */
export const OLDER = 1
/** A pass of the previous epoch, whose session expired and was restored: the vault may serve the request. */
export const REVIVED = 2
/** A pass of another user's session. */
export const FOREIGN = 3
/** The request was made while no user was signed in. */
export const UNOWNED = 4

export interface World {
  readonly budget: Budget
  /** Faults that have happened, as bits; some invariants allow for them, see `invariants.ts`. */
  faults: number
  /** The content of the shared store. */
  stored: TokenSet
  readonly sessions: readonly [Session, Session]
  readonly tabs: readonly [Tab, Tab]
  readonly requests: readonly Request[]
}
