/**
 * What the world looks like between two steps: one server, one shared store, two tabs, three requests.
 *
 * Steps work on a `World`, an object with names; the search keeps its bytes (`encoding.ts`). The world has no clock and
 * no absolute numbers. A token set is known by its *lag*: how often the server has rotated that session's tokens since
 * it gave this set out (0: they are the newest). A request knows how old its pass is, relative to its tab. So an
 * exchange that leaves everything as it was before leads back to a state already seen, and the space is finite.
 */

import type { Budget } from './budget.ts'

/** A token set, or what a store holds: the session's number (1 or 2) times 16, plus the lag; 0 is nothing. */
export type TokenSet = number
export const NOTHING: TokenSet = 0
/** What a read found: there was a record, and somebody took it away (`session-store.ts`, `'gone'`). */
export const GONE: TokenSet = 0xf0
export const tokenSet = (session: number, lag: number): TokenSet => session * 16 + lag
export const sessionOf = (tokens: TokenSet) => tokens >> 4
export const lagOf = (tokens: TokenSet) => tokens & 15
/** A sign-in beats the sessions before it; within a session, the later rotation beats the earlier. */
export const isNewer = (one: TokenSet, other: TokenSet) =>
  sessionOf(one) !== sessionOf(other) ? one > other : lagOf(one) < lagOf(other)

/** Where a tab's chart is (`auth.machine.ts`), as far as a request can tell. */
export const RENEWABLE = 0
export const TERMINAL = 1
/** `refreshing`, by its gate: the old token still works, or none does. */
export const OPEN = 2
export const CLOSED = 3
export const AUTHENTICATING = 4
export const EXPIRED = 5
/** `signingOut`, `loggedOut` and `anonymous`: nobody is signed in, and nobody waits. */
export const LOGGED_OUT = 6
export const RESTORING = 7
export type Place = number

/** What the `exchange` region does while the chart is `refreshing`. */
export const REQUESTING = 0
export const BACKING_OFF = 1
export const SUSPENDED = 2
export const UNCERTAIN = 3

/** One run of `attempt` (`exchange.ts`). It may outlive the state that asked for it. */
export interface Exchange {
  stage: number
  /** In READ and REREAD: what the store said. In SENT: whose refresh token. In GRANTED: the new tokens. */
  tokens: TokenSet
  /** Its mark still fits: nothing happened to the vault since it began. */
  current: boolean
  /** The mark of its look into the store still fits. */
  readCurrent: boolean
  /** The epoch is the one it began in. */
  sameEpoch: boolean
  /** It holds the lock. */
  locked: boolean
  /** The client gave up waiting (`timeouts.refresh`), but its answer may come. */
  late: boolean
  /** Its tab is gone; only the server may still act. */
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

/** A look into the store, outside of an exchange. */
export interface Look {
  /** Who looks: nobody, `syncWithStore`, the chart's `readSession`, or a `readSession` that the chart left. */
  by: number
  tokens: TokenSet
  /** Its mark still fits. */
  current: boolean
  /** The epoch is still that of its mark. */
  sameEpoch: boolean
}
export const NOBODY = 0
export const SYNC = 1
export const CHART = 2
export const STRAY = 3

export interface Tab {
  place: Place
  exchange: number
  /** What the vault holds. */
  tokens: TokenSet
  /** The session that ended by itself, until something else happens: the vault's `predecessor`. */
  erased: number
  /** The refresh token is dead: `renewable` in the chart's context is `false`. */
  last: boolean
  /** The chart knows that this access token is dead. */
  knownDead: boolean
  /** `holds` in `session-store.ts`. */
  knowsRecord: boolean
  /** `keeps` in `session-store.ts`: until then an empty store may be one that keeps nothing. */
  hasSeenRecord: boolean
  /** Sessions that it has left: bits 1 and 2. */
  left: number
  /** Its own user signed out here, and nobody has signed in since. */
  departed: boolean
  /** Messages under way to this tab, oldest first; see `messages.ts`. */
  readonly inbox: number[]
  readonly exchanges: readonly Exchange[]
  /** What `syncWithStore` or the chart looks at in the store. */
  readonly look: Look
}

/**
 * Whether a look into the store brought something to take over. Whoever signed out meanwhile must not come back by it:
 * `current`, the mark of that look still fits.
 */
export const isWorthAdopting = (tab: Tab, found: TokenSet, current: boolean) =>
  found !== NOTHING && found !== GONE && (tab.tokens === NOTHING ? current : isNewer(found, tab.tokens))

/** The store is answering a question of this tab. */
export const isReading = ({ look, exchanges }: Tab) =>
  look.by !== NOBODY || exchanges.some(({ stage }) => stage === READ || stage === REREAD)

export interface Session {
  /** 0: not begun; 1: alive; 2: dead at the server. */
  life: number
  /** Access tokens of this lag and more are dead; NONE_DEAD: none is. */
  deadFrom: number
  /** Lags of refresh tokens whose answer reached a tab: presenting one of those again is what I2 forbids. */
  answered: number
  /** Its user signed out on purpose. */
  signedOut: boolean
  /** A revocation is under way to the server (RFC 7009). */
  revoking: boolean
}
export const NONE_DEAD = 15
export const NOT_BEGUN = 0
export const ALIVE = 1
export const DEAD = 2

export interface Request {
  tab: number
  stage: number
  /** How old the pass is that it was sent with, or the one it waits for, as the tab sees it. */
  pass: number
}
export const IDLE = 0
export const IN_FLIGHT = 1
export const HELD = 2
/** Let go, or given a newer token, and not yet sent: there is an `await` in between. */
export const RELEASED = 3
export const HELD_AGAIN = 4
export const RELEASED_AGAIN = 5
/** Given a newer token that was at hand, without a wait. */
export const AT_HAND = 6
/** A replay is in flight that did not wait for a fresh token. */
export const REPLAYED = 7
/** Given back, rejected, aborted; or in flight with nothing left that could depend on its answer. */
export const SETTLED = 8

/** The tab's token set of now; for one who waits: made in the session of now. */
export const CURRENT = 0
/** An older token set of the same epoch. */
export const OLDER = 1
/** The epoch before, which ended by itself and came back: the vault may serve it. */
export const REVIVED = 2
/** Another user's. */
export const FOREIGN = 3
/** Made while nobody was signed in. */
export const UNOWNED = 4

export interface World {
  readonly budget: Budget
  /** Faults that happened, as far as they excuse something; see `invariants.ts`. */
  excuses: number
  /** What the shared store holds. */
  stored: TokenSet
  readonly sessions: readonly [Session, Session]
  readonly tabs: readonly [Tab, Tab]
  readonly requests: readonly Request[]
}
