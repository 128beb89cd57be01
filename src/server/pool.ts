import { checkNumber } from '../core/check-options.ts'
import { DisposedError, SignedOutError, StorageError } from '../core/errors.ts'
import { asyncDisposeKey } from '../core/platform/disposal.ts'
import type { Clock, KnownUser, Session } from '../core/ports.ts'
import { sessionEnded } from '../core/requests/refusal.ts'
import { systemClock } from '../environment/clock.ts'
import { findAll } from '../fleet/find-all.ts'
import { checkFleet } from './fleet-session.ts'
import { hashKey, hashTag } from './hash-key.ts'
import { inParallel } from './in-parallel.ts'
import { LossWatch } from './loss-watch.ts'
import { PoolEvents } from './pool-events.ts'
import {
  type AuthPool,
  type AuthPoolOptions,
  type Ended,
  type EndOptions,
  POOL_WORLD,
  type PoolCounts,
  type PoolEventMap,
  type PooledAuth,
} from './pool-types.ts'
import { randomKey } from './random-key.ts'
import { Resealing } from './reseal.ts'
import type { Resident } from './resident.ts'
import { Residents } from './residents.ts'
import { checkEnded, isMeant, LONGEST_KEY, SessionEnds } from './session-ends.ts'
import { SessionFactory } from './session-factory.ts'
import type { StoreWorld } from './store-world.ts'
import { reached } from './unreachable.ts'

/** How old what a session knows of the database may be when it is used, in milliseconds. */
const LOOK_AFTER = { notified: 5_000, alone: 1_000 } as const
/** How often `dispose` looks whether all is quiet, in milliseconds. */
const DISPOSE_POLL = 20
/** How long `dispose` waits for the database to keep tokens that are not revoked, in milliseconds. */
const LONGEST_KEEP = 5_000

/**
 * Holds the sessions of many users in one server. Those in use are in memory, all others only in a database, sealed. All
 * processes of a server share them: a refresh happens once for all of them, and a sign-out ends the session in all.
 *
 * @param options the database, the keys, and the options of `createAuth` for all sessions. Times are in milliseconds
 * @returns the pool, one for each process
 * @throws TypeError if an option is wrong
 *
 * @example
 * ```ts
 * const pool = createAuthPool({ fleet, keys: keyRing({ '2026-11': secret }), signIn, refresh, revoke })
 * const { key } = await pool.signIn({ username, password }) // to be stored in a cookie
 * const answer = await pool.use(key, (auth) => createAuthFetch(auth, { origins })('https://api.example.com/me'))
 * ```
 */
export function createAuthPool<
  Credentials = unknown,
  Claims = Readonly<Record<string, unknown>>,
  User = object,
>(options: AuthPoolOptions<Credentials, User>): AuthPool<Credentials, Claims, KnownUser<User>> {
  return new Pool(options as AuthPoolOptions<never>) as unknown as AuthPool<
    Credentials,
    Claims,
    KnownUser<User>
  >
}

type Task<T> = (auth: PooledAuth<unknown>) => T | PromiseLike<T>

/** A session that is being read from the database. */
interface Opening {
  readonly hash: Promise<string>
  readonly resident: Promise<Resident>
  /** How many tasks wait for it. */
  waiting: number
}

class Pool implements AuthPool<never, unknown> {
  readonly #clock: Clock
  readonly #sessions: SessionFactory
  readonly #residents: Residents
  readonly #resealing: Resealing
  readonly #ends: SessionEnds
  readonly #events: PoolEvents
  readonly #openings = new Map<string, Opening>()
  /** Only if the database sends no messages. */
  readonly #watch: LossWatch | undefined
  readonly #lookAfter: number
  readonly #patience: number
  declare readonly [Symbol.asyncDispose]: () => Promise<void>
  #inUse = 0
  /** How many sign-ins are under way. */
  #signIns = 0
  #opened = 0
  #disposed: Promise<void> | undefined

  constructor(options: AuthPoolOptions<never>) {
    checkFleet('createAuthPool', options)
    const { clock = systemClock, resident, ttl, reuseGrace } = options
    checkNumber('createAuthPool: resident.most', resident?.most, 1)
    checkNumber('createAuthPool: resident.idle', resident?.idle, 0)
    checkNumber('createAuthPool: ttl', ttl, 1)
    checkNumber('createAuthPool: reuseGrace', reuseGrace, 0)
    Object.defineProperty(this, asyncDisposeKey(), { value: () => this.dispose() })
    this.#clock = clock
    this.#residents = new Residents(resident?.most ?? 1_000, resident?.idle ?? 60_000, clock)
    this.#events = new PoolEvents(this.#residents)
    this.#sessions = new SessionFactory({ ...options, clock }, this.#events)
    this.#ends = new SessionEnds(this.#sessions, this.#residents, (hash) => this.#openedOf(hash))
    this.#resealing = new Resealing(this.#sessions.world)
    const isNeeded = () => !this.#disposed && this.#residents.size > 0
    const { fleet } = this.#sessions.world
    this.#watch = fleet.notifies ? undefined : new LossWatch(fleet, clock, isNeeded, () => this.#checkAll())
    this.#lookAfter = options.fleet.notifies ? LOOK_AFTER.notified : LOOK_AFTER.alone
    this.#patience = options.timeouts?.hold ?? 30_000
  }

  use<T>(key: string, task: Task<T>): Promise<T> {
    const resident = this.#residents.get(key)
    if (!resident || this.#disposed) return this.#openAndRun(key, task)
    this.#residents.enter(resident)
    return this.#run(resident, task)
  }

  async signIn(credentials: never, oldKey?: string): Promise<{ key: string; session: Session<unknown> }> {
    this.#assertAlive()
    const key = randomKey()
    const hash = await hashKey(key)
    const store = this.#sessions.storeOf(hash)
    store.startEmpty()
    const resident = this.#sessions.make(key, hash, store)
    this.#signIns++
    const session = await this.#begin(resident, credentials).finally(() => this.#signIns--)
    this.#residents.add(resident)
    this.#watch?.start()
    this.#sessions.revocations.tryAgain()
    // Some servers revoke all tokens of a user at once, those of this sign-in included.
    const revokes = (subject: string | undefined) => subject === undefined || subject !== session.subject
    // The user is signed in, whether or not the database still answers.
    if (oldKey !== undefined && oldKey !== key) await this.#ends.endKey(oldKey, revokes).catch(() => 0)
    return { key, session }
  }

  async end(who: Ended, { revoke = true }: EndOptions = {}): Promise<number> {
    this.#assertAlive()
    checkEnded(who)
    if ('key' in who) return this.#ends.endKey(who.key, revoke)
    const tag = await ('subject' in who ? hashTag('sub', who.subject) : hashTag('sid', who.sid))
    const hashes = new Set(await reached(findAll(this.#sessions.world.fleet, tag)))
    // The database may have lost sessions that this process holds.
    for (const { auth, hash } of this.#residents.all()) if (isMeant(auth.session, who)) hashes.add(hash)
    return this.#ends.endHashes([...hashes], revoke)
  }

  async reseal({ most = 1_000 }: { readonly most?: number } = {}): Promise<number> {
    this.#assertAlive()
    checkNumber('pool.reseal: most', most, 1)
    return this.#resealing.some(most)
  }

  on<T extends keyof PoolEventMap>(type: T, listener: (event: PoolEventMap[T]) => void): () => void {
    return this.#events.on(type, listener)
  }

  get [POOL_WORLD](): StoreWorld {
    return this.#sessions.world
  }

  get counts(): PoolCounts {
    const residents = this.#residents.all()
    return {
      resident: residents.length,
      inUse: this.#inUse,
      held: residents.reduce((sum, { auth }) => sum + auth.actor.getSnapshot().context.held, 0),
      refreshes: this.#sessions.refreshes,
      opened: this.#opened,
      unreadable: this.#resealing.unreadable,
    }
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#end()
    return this.#disposed
  }

  async #openAndRun<T>(key: string, task: Task<T>): Promise<T> {
    this.#assertAlive()
    if (typeof key !== 'string') throw new TypeError('pool.use: key must be a text.')
    if (key === '' || key.length > LONGEST_KEY) throw new SignedOutError()
    const opening = this.#openings.get(key) ?? this.#beginOpening(key)
    opening.waiting++
    return this.#run(await opening.resident, task)
  }

  #beginOpening(key: string): Opening {
    const open = async () => {
      try {
        const resident = await this.#open(key, await opening.hash)
        // The tasks that wait use it from now on, so that it cannot leave before they run.
        resident.uses = opening.waiting
        this.#residents.add(resident)
        this.#watch?.start()
        return resident
      } finally {
        this.#openings.delete(key)
      }
    }
    // In a promise, so that `opening` exists by then.
    const opening: Opening = { hash: hashKey(key), resident: Promise.resolve().then(open), waiting: 0 }
    this.#openings.set(key, opening)
    return opening
  }

  async #open(key: string, hash: string): Promise<Resident> {
    const store = this.#sessions.storeOf(hash)
    this.#opened++
    if (!(await store.prefetch())) throw new SignedOutError()
    const resident = this.#sessions.make(key, hash, store)
    const { auth } = resident
    await auth.ready()
    this.#sessions.revocations.tryAgain()
    if (auth.session) return resident
    // Later, so that the tokens of a session that reached a limit can be revoked.
    this.#residents.end(resident)
    throw endOf(resident)
  }

  async #run<T>(resident: Resident, task: Task<T>): Promise<T> {
    this.#inUse++
    try {
      const look = this.#look(resident)
      if (look) {
        await look
        if (resident.endedAt !== undefined) throw endOf(resident)
      }
      return await task(resident.auth)
    } finally {
      this.#inUse--
      this.#residents.leave(resident)
    }
  }

  /** Looks in the database now and then. Without messages the task waits for that, because its session may have ended elsewhere. */
  #look({ auth, store }: Resident): Promise<void> | undefined {
    if (Math.abs(this.#clock.now() - store.lookedAt) > this.#lookAfter)
      void store.check(auth.session !== undefined)
    return this.#watch && store.checking
  }

  /** Signs in. A session that only this process knows would be unknown to the process that answers the next request. */
  async #begin({ auth, store }: Resident, credentials: never): Promise<Session<unknown>> {
    const session = await auth.signIn(credentials).catch((error) => {
      auth.dispose()
      throw error
    })
    if (!store.isBehind) return session
    void this.#sessions.revocations.count(auth.signOut()).then(() => auth.dispose())
    throw new StorageError('The session could not be stored. Sign in again later.', {
      reason: 'not_stored',
    })
  }

  /** The session of a key, after it was opened. */
  async #openedOf(hash: string): Promise<Resident | undefined> {
    for (const opening of this.#openings.values())
      if ((await opening.hash) === hash) await opening.resident.catch(() => {})
    return this.#residents.withHash(hash)
  }

  /** Writes back what the database has lost. */
  #checkAll(): Promise<unknown> {
    return inParallel(this.#residents.all(), ({ auth, store }) => store.check(auth.session !== undefined))
  }

  #assertAlive(): void {
    if (this.#disposed) throw new DisposedError()
  }

  async #end(): Promise<void> {
    const { revocations } = this.#sessions
    const isBusy = () =>
      this.#inUse + this.#signIns + this.#openings.size > 0 ||
      this.#residents.all().some((one) => one.isBusy) ||
      revocations.isBusy
    await this.#while(isBusy, this.#patience)
    this.#residents.dispose()
    this.#watch?.stop()
    revocations.close()
    await this.#while(() => revocations.isBusy, LONGEST_KEEP)
  }

  async #while(isBusy: () => boolean, longest: number): Promise<void> {
    const end = this.#clock.now() + longest
    while (isBusy() && this.#clock.now() < end)
      await new Promise<void>((resolve) => void this.#clock.setTimeout(resolve, DISPOSE_POLL))
  }
}

const endOf = ({ auth }: Resident) => sessionEnded(auth.actor.getSnapshot().context)
