import type { EndedSession, Replaced, StoredRotation } from '../core/ports.ts'

/** One stored session: what an engine compares, and a box that only the processes of the app can open. */
export interface StoredSession extends StoredRotation {
  /** When it started, in milliseconds since the Unix epoch. */
  readonly startedAt: number
  /** When the engine may forget it, in milliseconds since the Unix epoch. */
  readonly until: number
  /** Names by which `find` finds it. They never change. */
  readonly tags: readonly string[]
  /** The sealed record. */
  readonly box: string
}

/** A session that was found. */
export interface FoundSession extends StoredSession {
  /** How long ago it was written, in milliseconds, by the database's clock. */
  readonly age: number
}

/** A part of the keys that were found. */
export interface FoundKeys {
  /** The keys. A part may be empty although it is not the last one. */
  readonly keys: readonly string[]
  /** Finds the next part; `undefined` after the last one. */
  readonly cursor: string | undefined
}

/** The holder of a turn: numbers grow with each turn of a key, and owners are random. */
export interface Holder {
  /** The number of the turn: higher than that of any earlier turn of the key. */
  readonly fence: number
  /** The random name of the process that holds the turn. */
  readonly owner: string
}

/** What came of one attempt to acquire a turn. */
export type Acquired =
  | {
      /** The turn belongs to the caller now. */
      readonly result: 'granted'
      /** The number of the turn: higher than that of any earlier turn of the key. */
      readonly fence: number
      /** Another owner presented the refresh token of this rotation, and its answer is not stored. */
      readonly interrupted: number | undefined
      /**
       * Another process may hold newer tokens: the record was written to another server than this one, or to this one before its
       * last start; it is missing, although the session has not ended; or it was only written again since then. The next answer to
       * a token that was presented here ends the suspicion, and so does another session.
       */
      readonly isSuspect: boolean
    }
  | {
      /** The turn belongs to another owner, or an answer to a presented token may still come: try again later. */
      readonly result: 'held'
      /** When a refresh token was presented whose answer may still come, by the database's clock; it identifies the mark. */
      readonly markedAt: number | undefined
    }

/**
 * A database in which processes share sessions: `redisFleet()`, `postgresFleet()`, `memoryFleet()`, or one of your own. Each
 * method is atomic, and only the database reads the time, so that the clocks of the processes do not matter. Every method rejects
 * if the database cannot be reached.
 */
export interface Fleet {
  /**
   * How long a turn lasts unless `acquire` and `present` are given another time, in milliseconds. After that another process may
   * take it over. `present` extends it.
   */
  readonly lease: number
  /** Whether `subscribe` reports changes. Otherwise processes look for them. */
  readonly notifies: boolean

  /** Returns what is stored under a key; `undefined` if there is nothing. */
  read(key: string): Promise<FoundSession | undefined>
  /** Returns `startedAt` of the stored session, or else of the end that is remembered; `undefined` if there is neither. */
  readStart(key: string): Promise<number | undefined>
  /**
   * Writes `next` unless something newer is stored (`SessionStorage.replace`), forgets the mark of `present` if it is about an older
   * rotation or the session of another `id`, and notifies all processes with `id` and `rotation`, separated by a space.
   *
   * - The same `id`: written if `next.rotation` is higher, or equal and exactly what `expected` names. Otherwise `'newer'`.
   * - Another `id`: written if `next` started later. Otherwise `'newer'`.
   * - Nothing stored: `'gone'` if a removed session covers `next` (`EndedSession`), otherwise written.
   */
  replace(key: string, next: StoredSession, expected: StoredRotation | undefined): Promise<Replaced>
  /**
   * Removes the session, unless it is one that `ended` does not cover, and notifies all processes with an empty message. The end is
   * remembered until the time `until` of the record, at least for a day: of `ended`, or else of what was stored. An end that is
   * remembered already is not narrowed by an earlier one.
   *
   * @returns what was removed
   */
  remove(key: string, ended?: EndedSession): Promise<StoredSession | undefined>
  /**
   * Finds the keys of the sessions with that tag, a part of them with each call. A key may come twice.
   *
   * @param cursor what the call before returned. The first call has none
   */
  find(tag: string, cursor?: string): Promise<FoundKeys>

  /** How long ago the session was last used, in milliseconds, by the database's clock. It is stored beside the session. */
  readLastUse(key: string): Promise<number | undefined>
  /** Stores that the session was last used so many milliseconds ago. `remove` forgets it. */
  writeLastUse(key: string, ago: number): Promise<void>

  /**
   * Makes one attempt to acquire the turn of a key. Never waits. The turn is granted if it is free, its lease
   * has ended, or it is the owner's own; and if no other owner has marked a presented token, or that mark is the one named by
   * `awaited`. The mark stays until `present` replaces it.
   *
   * @param awaited the `markedAt` of a token whose answer was awaited long enough
   * @param lease how long the turn lasts, in milliseconds. Default: `lease` of the fleet
   */
  acquire(key: string, owner: string, awaited: number | undefined, lease?: number): Promise<Acquired>
  /**
   * Marks the refresh token of a session's rotation as presented and extends the turn, if `holder` was the last to acquire it and
   * has not released it. Neither another session nor a newer rotation may be stored; and if nothing is stored, no end may be
   * remembered that has an `id` or covers every session (`startedAt: Infinity`).
   *
   * @param lease how long the turn lasts from now on, in milliseconds. Default: `lease` of the fleet
   * @returns whether that was so
   */
  present(key: string, holder: Holder, presented: StoredRotation, lease?: number): Promise<boolean>
  /**
   * Ends the turn, if `holder` was the last to acquire it, and notifies all processes with the message `'free'`.
   *
   * @param isSettled also removes the mark of `present`, if it is the holder's own
   */
  release(key: string, holder: Holder, isSettled: boolean): Promise<void>

  /** Sends a message to all processes. It may be lost. */
  publish(key: string, message: string): Promise<void>
  /** Receives the messages about a key, also those of this process. Returns a function that stops it. */
  subscribe(key: string, hear: (message: string) => void): () => void
}

/**
 * Default of `lease`, in milliseconds: enough for the steps until the refresh token leaves. From then on its mark keeps others from
 * presenting it, so a slow token endpoint needs no longer lease.
 */
export const DEFAULT_LEASE = 3_000

/** The shortest time for which an end is remembered, in milliseconds. */
export const SHORTEST_MEMORY = 86_400_000
