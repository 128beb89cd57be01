/** What makes the protocol safe. Each can be taken away, to see that the search finds what breaks. */
export interface Protections {
  /** The exchange runs under the coordinator's lock (`exchange.ts`, `locked`). */
  readonly lock: boolean
  /** Inside the lock the store is read again, and what is newer there is taken over (`attempt`). */
  readonly rereadInLock: boolean
  /** A result is committed only while its mark fits (`vault.ts`, `renew`). */
  readonly compareAndSet: boolean
  /** A 401 for an older token set starts no refresh (`gate.ts`, `reportUnauthorized`; the chart's `isCurrentGeneration`). */
  readonly generationCheck: boolean
  /** Who was let go is asked again before it is sent (`bearer-request.ts`, `gate.admits`). */
  readonly checkAfterRelease: boolean
  /** The same for a replay whose newer token was at hand. */
  readonly checkAtHand: boolean
  /** A second refusal is the caller's (`bearer-request.ts`, `replay`). */
  readonly replayLimit: boolean
  /** Who waits is turned away when the session ends (`gate.ts`, `settle`). */
  readonly emptyQueueOnExpiry: boolean
  /** 5xx is no reason to end a session (`failure.ts`). */
  readonly patience: boolean
  /** What is to be written is compared with what is there: a newer session, or none where one was, is left alone. */
  readonly guardedWrite: boolean
  /** A session that expires takes its own record away only, not that of a newer session. */
  readonly guardedClear: boolean
  /** That the record is gone stays news for as long as the session is at hand. */
  readonly remembersGone: boolean
  /** A store that took a record is known to have it, and believed from then on when it says that it is gone. */
  readonly readsBack: boolean
  /** That one tab's session ended concerns only tabs with the same session. */
  readonly namedEnds: boolean
}

/** What the world around is like. */
export interface Circumstances {
  /** The server takes the refresh token before the current one, too, and gives the current tokens for it. */
  readonly grace: boolean
  /** Sign-outs are told to the server. */
  readonly revokes: boolean
  /** A tab hears of what another did in the order in which it was done. */
  readonly ordered: boolean
  /** Invariants that are not looked at, by the letter and number they begin with. */
  readonly unchecked: readonly string[]
}

export type Rules = Protections & Circumstances

export const SOUND: Protections = {
  lock: true,
  rereadInLock: true,
  compareAndSet: true,
  generationCheck: true,
  checkAfterRelease: true,
  checkAtHand: true,
  replayLimit: true,
  emptyQueueOnExpiry: true,
  patience: true,
  guardedWrite: true,
  guardedClear: true,
  remembersGone: true,
  readsBack: true,
  namedEnds: true,
}

/** What `src/` does today. Where it differs from SOUND, `broken.test.ts` shows what that costs. */
export const AS_THE_CODE_IS: Protections = { ...SOUND, readsBack: false }

export const PLAIN: Circumstances = { grace: false, revokes: false, ordered: true, unchecked: [] }
