/** How many more times each event may happen that the library itself does not cause. */
export interface Budget {
  /** The server stops accepting the current access token. */
  invalidations: number
  /** The time for an early refresh comes in one tab. */
  timers: number
  signOuts: number
  signIns: number
  /** The token endpoint fails (5xx), its answer is lost, or the answer comes after the deadline. */
  network: number
  /** A lock is lost, or a tab stops waiting for it. */
  locks: number
  /** The store does not answer, or rejects a write. */
  store: number
  /** A tab crashes and is reloaded. */
  crashes: number
}
export const BUDGETS = [
  'invalidations',
  'timers',
  'signOuts',
  'signIns',
  'network',
  'locks',
  'store',
  'crashes',
] as const satisfies readonly (keyof Budget)[]

export const NO_BUDGET: Budget = {
  invalidations: 0,
  timers: 0,
  signOuts: 0,
  signIns: 0,
  network: 0,
  locks: 0,
  store: 0,
  crashes: 0,
}

/* Faults that have happened, as bits. Some invariants allow for them, see `invariants.ts`. */

/** A lock was lost, or a tab stopped waiting for it. */
export const LOCK_FAULT = 1
/** A refresh token may have been used although no tab received the answer. */
export const ANSWER_LOST = 2
/** The store failed. */
export const STORE_FAULT = 4
/** An answer missed its deadline, and may still arrive. */
export const ANSWER_LATE = 8
