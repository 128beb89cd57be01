import type { AuthEmitted } from '../../machines/emitted.ts'
import type { Auth } from '../core/auth.ts'
import type { AuthOptions } from '../core/options.ts'
import type { AsyncDisposes, SymbolNamed } from '../core/platform/disposal.ts'
import type { Session, UserFacts } from '../core/ports.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { KeyRing } from './key-ring.ts'
import type { StoreWorld } from './store-world.ts'

/** The key of what a backend for frontends shares with its pool. */
export const POOL_WORLD: unique symbol = Symbol.for('authchart.pool')

/** What belongs to the pool, and not to one session. */
type OwnOptions =
  | 'storage'
  | 'coordinator'
  | 'persist'
  | 'initialTokens'
  | 'silentSignIn'
  | 'singleUser'
  | 'refreshOn'
  | 'historyLimit'

/** Options of `createAuthPool`: those of `createAuth` that make sense for all sessions, and these. Times are milliseconds. */
export interface AuthPoolOptions<Credentials = unknown, User = object>
  extends Omit<AuthOptions<Credentials, User>, OwnOptions> {
  /** The database: `redisFleet()`, `postgresFleet()`, `memoryFleet()`. */
  readonly fleet: Fleet
  /** What sessions are sealed with: `keyRing({ name: secret })`, the same in all processes. */
  readonly keys: KeyRing
  /** Which sessions stay in the memory of this process after they were used. */
  readonly resident?: {
    /** How many. Those in use stay in any case. Default: 1,000. */
    readonly most?: number
    /** How long after the last use. Default: 60,000. */
    readonly idle?: number
  }
  /** How long a session is stored after its last refresh, if the end of its refresh token is unknown. Default: 30 days. */
  readonly ttl?: number
  /**
   * For how long after a refresh the authorization server still accepts the previous refresh token, in milliseconds. If a process
   * vanishes during a refresh, another one sends its refresh token again after a quarter of this time. Default: not at all.
   */
  readonly reuseGrace?: number
}

/** The session that a task uses. Sign-ins go through the pool, because a new user gets a new key. */
export type PooledAuth<Claims = Readonly<Record<string, unknown>>, User = UserFacts> = Omit<
  Auth<never, Claims, User>,
  'signIn' | 'setTokens' | 'dispose' | SymbolNamed<'dispose'>
>

/** An event of a session, with the hash of its key. */
export type PoolEvent = AuthEmitted & {
  /** The hash of the session's key, which signs no one in. */
  readonly key: string
}

/** Events of a pool, by the name to listen for. */
export type PoolEventMap = { readonly [T in AuthEmitted['type']]: Extract<PoolEvent, { type: T }> } & {
  /** Every event. */
  readonly '*': PoolEvent
}

/** Which sessions `end` ends. */
export type Ended =
  | {
      /** The session of that key, as `signIn` returned it. */
      readonly key: string
    }
  | {
      /** All sessions of a user: the `subject` of the session. */
      readonly subject: string
    }
  | {
      /** The sessions whose ID token has that `sid` (OpenID Connect Back-Channel Logout §2.1). */
      readonly sid: string
    }

/** Options of `pool.end`. */
export interface EndOptions {
  /** Also revokes the tokens, if there is a `revoke` function, and those of a refresh that still runs. Default: `true`. */
  readonly revoke?: boolean
}

/** What a pool has done and holds, for metrics. */
export interface PoolCounts {
  /** Sessions in the memory of this process. */
  readonly resident: number
  /** Tasks that run. */
  readonly inUse: number
  /** Requests that wait for a token. */
  readonly held: number
  /** Calls of the `refresh` function, since the start. */
  readonly refreshes: number
  /** Sessions that were read from the database, since the start. */
  readonly opened: number
  /**
   * What the current pass of `reseal`, or the last one, could not open: it was damaged, or sealed with a key that is not in the
   * ring. Starts at 0 with each pass.
   */
  readonly unreadable: number
}

/** Many sessions in one server, made by `createAuthPool`. */
export interface AuthPool<Credentials = unknown, Claims = Readonly<Record<string, unknown>>, User = UserFacts>
  extends AsyncDisposes {
  /**
   * Runs a task with the session of a key. The session stays in memory while tasks run and a while longer. All tasks of one
   * key in this process share one session; no task gets the session of another key.
   *
   * @param key what `signIn` returned
   * @param task gets the session. It must not keep it
   * @returns what the task returns
   * @throws SignedOutError if there is no session of that key
   * @throws SessionExpiredError if it is found to have expired
   * @throws StorageError if the session is not in memory, and the database does not answer or its box cannot be opened
   * @throws DisposedError
   * @throws what the task throws
   */
  use<T>(key: string, task: (auth: PooledAuth<Claims, User>) => T | PromiseLike<T>): Promise<T>

  /**
   * Signs in with the `signIn` function. The session gets a new random key of 256 bits, so that no key from before the sign-in
   * leads to it (session fixation).
   *
   * @param oldKey the key of the session before, if there was one. That session ends. Its tokens are revoked, unless they belong
   * to the same user: some servers revoke all tokens of a user at once
   * @returns the key, to be stored in a cookie, and the facts of the session
   * @throws what `auth.signIn` throws
   * @throws StorageError if the session could not be stored. Its tokens are revoked
   */
  signIn(
    credentials: Credentials,
    oldKey?: string,
  ): Promise<{
    /** Leads to the session, like a password: only a cookie that no script can read should hold it. */
    readonly key: string
    /** The facts of the new session, without tokens. */
    readonly session: Session<Claims, User>
  }>

  /**
   * Ends sessions here and in all processes. Their tokens are revoked afterwards, in the background: `dispose` waits for that. A
   * refresh that runs elsewhere is discarded and revoked, too. What cannot be revoked is tried again for a day.
   *
   * @returns how many sessions ended, when they have ended in the database
   * @throws TypeError unless `who` has one of the three, as a text
   * @throws StorageError if the database does not answer. Then some may not have ended: try again
   */
  end(who: Ended, options?: EndOptions): Promise<number>

  /**
   * Seals with the first key of the ring what another key has sealed: sessions, and tokens that are still to be revoked. Call it in
   * the background after a change of the keys, until it returns 0. Then the old key can be removed. What cannot be opened is
   * skipped: `counts.unreadable` says how much that was.
   *
   * @param options `most`: how many at once. Default: 1,000
   * @returns how many it sealed
   * @throws StorageError if the database does not answer
   */
  reseal(options?: { readonly most?: number }): Promise<number>

  /**
   * Listens to the events of all sessions in this process. They carry the hash of the session's key, which signs no one in.
   *
   * @returns removes the listener
   */
  on<T extends keyof PoolEventMap>(type: T, listener: (event: PoolEventMap[T]) => void): () => void

  /** What the pool has done and holds now. Each read returns new numbers. */
  readonly counts: PoolCounts

  /** @internal for `createBff` */
  readonly [POOL_WORLD]: Pick<StoreWorld, 'fleet' | 'keys' | 'clock'>

  /**
   * Lets tasks, refreshes and revocations end, for at most `timeouts.hold`, and forgets all sessions here. They stay in the
   * database, and so do tokens that could not be revoked in that time. Call it before the process exits. `await using` calls it at the
   * end of a block.
   */
  dispose(): Promise<void>
}
