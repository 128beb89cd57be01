/** How often each thing may still happen that nothing in the library makes happen. */
export interface Budget {
  /** The current access token dies at the server. */
  deaths: number
  /** The clock says that a token is due for its early renewal, in one tab. */
  timers: number
  signOuts: number
  signIns: number
  /** The token endpoint fails (5xx), its answer is lost, or it comes after the deadline. */
  network: number
  /** A lock is lost, or a wait for it given up. */
  locks: number
  /** The store does not answer, or refuses a write. */
  store: number
  /** A tab crashes and is loaded again. */
  crashes: number
}
export const BUDGETS = [
  'deaths',
  'timers',
  'signOuts',
  'signIns',
  'network',
  'locks',
  'store',
  'crashes',
] as const satisfies readonly (keyof Budget)[]

export const NO_BUDGET: Budget = {
  deaths: 0,
  timers: 0,
  signOuts: 0,
  signIns: 0,
  network: 0,
  locks: 0,
  store: 0,
  crashes: 0,
}

/* What faults leave behind: they excuse something from then on, see `invariants.ts`. */

/** A lock was lost, or given up. */
export const LOCK_FAULT = 1
/** A refresh token may be spent whose answer nobody got. */
export const ANSWER_LOST = 2
/** The store failed. */
export const STORE_FAULT = 4
/** An answer did not come in time, and may still come. */
export const ANSWER_LATE = 8
