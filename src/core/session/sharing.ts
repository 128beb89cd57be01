import type { Lineage } from '../../../machines/policies.ts'
import type { Reason } from '../../../machines/vocabulary.ts'
import type { Kernel } from '../kernel.ts'
import type { Coordinator } from '../ports.ts'
import type { GuardedTurn } from './guarded-turn.ts'
import type { Limits } from './limits.ts'
import type { Merged } from './record.ts'
import type { RevocationList } from './revocable.ts'
import type { Vault } from './vault.ts'

/** What gives out turns to refresh. */
export type Turns = Pick<Coordinator, 'exclusive' | 'lock'>

/** An attempt to refresh that runs under the lock. */
export interface LockedAttempt<T> {
  readonly run: (turn?: GuardedTurn) => Promise<T>
  /**
   * After the attempt: resolves when its late answer is stored, or will not come; `undefined` if it is not late. Other tabs
   * wait for that, too, for at most `timeouts.refresh`. The next attempt made here does not. Default: it is never late.
   */
  readonly late?: () => Promise<unknown> | undefined
  /** Whether there is still something to do. Default: yes. */
  readonly isWanted?: () => boolean
}

/** What others did to the stored session while it was refreshed here. */
export type Overtaken = 'gone' | 'newer'

/**
 * How a session is shared: with other tabs and processes, with a later visit, and with other answers that set the same
 * cookie. A session that is not shared has `unshared()`.
 */
export interface Sharing {
  /** Whether there may be a stored session to restore. */
  readonly restores: boolean
  /** What gives out the turns of `withLock`, if there is a lock. */
  readonly turns?: Turns | undefined
  /** Gives out the turns instead, as soon as the session has branches. */
  branches?: Pick<Sharing, 'withLock'>
  /** Merges what the store holds if it is newer. Never rejects. */
  reload(): Promise<Merged | undefined>
  /**
   * Stores the session and notifies other tabs. Tokens of a refresh give way to what other tabs did meanwhile.
   *
   * @param isSignIn whether a user has just signed in
   * @returns a promise for what takes time, until `timeouts.storage` at most, which resolves to how others overtook a refresh;
   * `undefined` if nothing takes time
   */
  persist(refreshed?: boolean, isSignIn?: boolean): Promise<Overtaken | undefined> | undefined
  /**
   * Runs an attempt to refresh while no other tab makes one. Without a lock it runs all the same, because the commit is
   * guarded, unless the coordinator requires the lock.
   *
   * @throws FailureCause if a required lock cannot be had
   */
  withLock<T>(attempt: LockedAttempt<T>): Promise<T>
  /**
   * Cookie mode: everything that is answered with a cookie takes turns. Otherwise a late answer could restore the cookie of
   * another session. At most half of `time` (milliseconds) is spent waiting; `task` is given what is left.
   */
  takeTurn<T>(task: (timeLeft: number) => Promise<T>, time: number): Promise<T>
  /** Looks in the store for what another tab changed. */
  checkStore(): void
  /** The user looks at the app: asks the store again for what it has failed to do. */
  retry?(): void
  /** The session ended by itself. */
  expired(ended: Lineage, reason: Reason | undefined): void
  /**
   * The user signed out.
   *
   * @param ended the session that was held, or that had expired
   * @param revocation receives the session in the store, if only the store has tokens
   */
  signedOut(ended: Lineage | undefined, revocation?: RevocationList): void
  /** The session ended in another tab, which has cleared the store. */
  endedElsewhere(): void
  /** The user signs out although no session is known: one that could not be read is removed. */
  abandon(): void
  /** Resolves when a write that takes longer than `timeouts.storage` has ended; `undefined` without one. */
  readonly late?: Promise<unknown> | undefined
  /** Resolves when the store has done everything it was asked to do. */
  idle(): Promise<void>
  /** Begins to listen to other tabs. Returns functions that stop it. */
  start(): readonly (() => void)[]
  /** Nothing waits any more. The store goes on until `refreshed` settles. */
  dispose(reason: unknown, refreshed: Promise<unknown> | undefined): void
}

/** The parts of a session that hold its tokens and share them. */
export interface SessionParts {
  readonly kernel: Kernel
  readonly vault: Vault
  readonly sharing: Sharing
}

/** What a store, a coordinator or cookie mode brings along. */
export type CreateSharing = (kernel: Kernel, vault: Vault, limits: Limits) => Sharing

const nothing = () => {}
const resolved = async () => undefined

/** How a session is shared that is not. */
export const unshared = (): Sharing => ({
  restores: false,
  reload: resolved,
  persist: () => undefined,
  withLock: (attempt) => attempt.run(),
  takeTurn: (task, time) => task(time),
  checkStore: nothing,
  expired: nothing,
  signedOut: nothing,
  endedElsewhere: nothing,
  abandon: nothing,
  idle: resolved,
  start: () => [],
  dispose: nothing,
})
