/** The protections that make the protocol safe. A test removes one to check that the search finds the violation. */
export interface Protections {
  /** A refresh runs under the coordinator's lock (`session/refresh.ts`). */
  readonly lock: boolean
  /** Inside the lock the store is read again, and newer tokens are merged (`#attempt`). */
  readonly rereadInLock: boolean
  /** A result is committed only if its revision is up to date (`session/vault.ts`, `refresh`). */
  readonly compareAndSet: boolean
  /** A 401 for an older token set starts no refresh (`reportUnauthorized` in `gate.ts`, `isCurrentGeneration`). */
  readonly generationCheck: boolean
  /** A released request is checked again before it is sent (`bearer-request.ts`, `gate.admits`). */
  readonly checkAfterRelease: boolean
  /** The same check for a replay that got a newer token without waiting. */
  readonly checkAtHand: boolean
  /** A second 401 goes to the caller instead of causing another replay (`bearer-request.ts`, `replay`). */
  readonly replayLimit: boolean
  /** Held requests are rejected when the session expires (`requests/gate.ts`, `flush`). */
  readonly rejectHeldOnExpiry: boolean
  /** A 5xx answer does not end the session (`failure.ts`). */
  readonly toleratesFailures: boolean
  /** Before a write, the store is read. A newer session is not overwritten, and a removed one is not written again. */
  readonly guardedWrite: boolean
  /** A session that expires removes its own record, but not the record of a newer session. */
  readonly guardedClear: boolean
  /** Every read reports the removed record until the tab has ended the session, not only the first read. */
  readonly remembersRemoval: boolean
  /** A successful write is enough to trust the store: an empty store then means that the record was removed. */
  readonly trustsWrites: boolean
  /** The message about the end of a session names the session, and ends only that one and earlier ones in other tabs. */
  readonly endNamesSession: boolean
  /** That message says why: a session that expired is expired in every tab (`session/peers.ts`). */
  readonly endSaysWhy: boolean
  /** A missing record is looked for again after a pause, in which messages arrive (`session/store-queue.ts`). */
  readonly looksTwice: boolean
}

/** Properties of the environment. */
export interface Circumstances {
  /** The server also accepts the refresh token before the current one, and returns the current tokens for it. */
  readonly grace: boolean
  /** A sign-out is reported to the server (RFC 7009). */
  readonly revokes: boolean
  /** A tab receives the messages of the other tab in the order in which they were sent. */
  readonly ordered: boolean
  /** Invariants that are not checked, by the letter and number with which they begin. */
  readonly unchecked: readonly string[]
}

export type Rules = Protections & Circumstances

/** Every protection is in place. */
export const ALL_PROTECTIONS: Protections = {
  lock: true,
  rereadInLock: true,
  compareAndSet: true,
  generationCheck: true,
  checkAfterRelease: true,
  checkAtHand: true,
  replayLimit: true,
  rejectHeldOnExpiry: true,
  toleratesFailures: true,
  guardedWrite: true,
  guardedClear: true,
  remembersRemoval: true,
  trustsWrites: true,
  endNamesSession: true,
  endSaysWhy: true,
  looksTwice: true,
}

/**
 * The protections that `src/core` has: all but `trustsWrites`, which is a known trade-off.
 *
 * An empty store can mean two things: another tab signed out and removed the record, or the store accepts every write
 * and keeps nothing. The core assumes a removal only if the store has proved that it keeps records: it has `subscribe`,
 * or it has returned a record to this tab. Otherwise a store that keeps nothing would end every session at its first
 * refresh. The cost: if a store has no `subscribe` and has not returned a record to this tab yet, a sign-out in another
 * tab can go unnoticed. If no message about it reaches this tab either, its next refresh stores the session again after
 * the sign-out. `broken.test.ts` has the shortest way there, 11 steps: this tab reloads while the store is empty, a
 * user signs in here, another tab that still has the previous session signs out, and this tab refreshes. The message
 * of that sign-out names the previous session, so it does not end the new one.
 */
export const CORE_PROTECTIONS: Protections = { ...ALL_PROTECTIONS, trustsWrites: false }

/** No grace, no revocation, ordered messages; every invariant is checked. */
export const DEFAULT_CIRCUMSTANCES: Circumstances = {
  grace: false,
  revokes: false,
  ordered: true,
  unchecked: [],
}
