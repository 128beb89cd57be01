import { checkNumber } from '../core/check-options.ts'
import type { CoordinatorFeature, StorageFeature } from '../core/features/feature.ts'
import { BackgroundClock } from '../core/platform/background-clock.ts'
import type { Clock } from '../core/ports.ts'
import { systemClock } from '../environment/clock.ts'
import { FleetCoordinator, patienceOf } from '../fleet/coordinator.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { boundedFleet } from './bounded-fleet.ts'
import { FleetStore } from './fleet-store.ts'
import { hashKey } from './hash-key.ts'
import type { KeyRing } from './key-ring.ts'
import { randomKey } from './random-key.ts'
import { Retries } from './retries.ts'
import type { StoreWorld } from './store-world.ts'

/** Options of `fleetSession`. */
export interface FleetSessionOptions {
  /** The database: `redisFleet()`, `postgresFleet()`, `memoryFleet()`. */
  readonly fleet: Fleet
  /** The name of the session. Processes that use the same name share it. The database holds only its hash. */
  readonly key: string
  /** What the session is sealed with: `keyRing({ name: secret })`, the same in all processes. */
  readonly keys: KeyRing
  /**
   * How long the session is stored after it was written last, in milliseconds, if the end of its refresh token is unknown. Default:
   * 30 days.
   */
  readonly ttl?: number
  /**
   * For how long after a refresh the authorization server still accepts the previous refresh token, in milliseconds. If a process
   * vanishes during a refresh, another one sends its refresh token again after a quarter of this time. Default: not at all, so
   * the answer is awaited for as long as it may come.
   */
  readonly reuseGrace?: number
  /** Default: the clock of the system. */
  readonly clock?: Clock
}

/** What `fleetSession` returns, to be spread into `createAuth`. */
export interface FleetSession {
  /** The option `storage`: the sealed session in the database. */
  readonly storage: StorageFeature
  /** The option `coordinator`: the turns of the processes, and their messages. */
  readonly coordinator: CoordinatorFeature
}

/** How often a process looks for changes, in milliseconds: if the database reports them, and if not. */
const LOOK_EVERY = { notified: 5_000, alone: 400 } as const

/** How long a call of the database may take, in milliseconds. The session itself waits no longer than `timeouts.storage`. */
const LONGEST_CALL = 10_000

/** Default of `ttl`, in milliseconds. */
export const DEFAULT_TTL = 30 * 86_400_000

/**
 * One session that several processes share through a database: of a service that calls an API, or of a command-line tool. The
 * processes take turns to refresh it, so that no refresh token is sent twice. What is stored is sealed with AES-256-GCM. For the
 * sessions of many users, use `createAuthPool`.
 *
 * If the database fails, the session goes on with the tokens that it has. It refreshes them when the database is back.
 *
 * @param options the database, the name of the session and the keys; times are in milliseconds
 * @returns the options `storage` and `coordinator` of one `createAuth`. Methods of `storage` reject with a `StorageError`. The
 * `reason` is `'unknown_key'` if the key that sealed the session is not in the key ring, `'box_refused'` if the stored session
 * was changed, moved or sealed with another secret, `'newer_version'` if only a newer version of the library can read it,
 * `'not_a_box'` for anything else that is stored there, and otherwise the kind of the database's error
 * @throws TypeError if an option is wrong
 *
 * @example
 * ```ts
 * const auth = createAuth({ refresh, ...fleetSession({ fleet, key: 'billing', keys: keyRing({ '2026-11': secret }) }) })
 * ```
 */
export function fleetSession(options: FleetSessionOptions): FleetSession {
  checkFleet('fleetSession', options)
  const { key, keys, ttl = DEFAULT_TTL, reuseGrace, clock = systemClock } = options
  if (typeof key !== 'string' || key === '')
    throw new TypeError('fleetSession: key must be a text that is not empty.')
  checkNumber('fleetSession: ttl', ttl, 1)
  checkNumber('fleetSession: reuseGrace', reuseGrace, 0)
  const fleet = boundedFleet(options.fleet, clock, LONGEST_CALL)
  const hash = hashKey(key)
  const retries = new Retries(clock)
  const world: StoreWorld = {
    fleet,
    keys,
    clock,
    ttl,
    // A session that is used every five seconds at most, by a few processes.
    lastUseEvery: 0,
    failed: (store) => retries.add(store),
    succeeded: (store) => retries.delete(store),
  }
  const store = new WatchedStore(world, hash)
  const coordinator = new FleetCoordinator(fleet, hash, randomKey(), patienceOf(reuseGrace))
  store.coordinator = coordinator
  return { storage: store, coordinator }
}

/** @throws TypeError */
export function checkFleet(
  creator: string,
  { fleet, keys }: { readonly fleet: Fleet; readonly keys: KeyRing },
): void {
  if (typeof fleet?.acquire !== 'function')
    throw new TypeError(`${creator}: fleet must be made by redisFleet(), postgresFleet() or memoryFleet().`)
  if (typeof keys?.current !== 'string' || typeof keys.key !== 'function')
    throw new TypeError(`${creator}: keys must be made by keyRing({ name: secret }).`)
}

/** A store that also looks for changes of which the database has not notified it. It keeps no process alive. */
class WatchedStore extends FleetStore {
  readonly #clock: Clock
  readonly #delay: number

  constructor(world: StoreWorld, key: Promise<string>) {
    super(world, key)
    this.#clock = world.clock
    this.#delay = world.fleet.notifies ? LOOK_EVERY.notified : LOOK_EVERY.alone
  }

  override subscribe(onChange: () => void): () => void {
    const stop = super.subscribe(onChange)
    const timers = new BackgroundClock(this.#clock)
    let isStopped = false
    const wait = () => {
      if (isStopped) return
      timer = timers.setTimeout(() => void this.check().then(wait), this.#delay * (0.9 + Math.random() / 5))
    }
    let timer: unknown
    wait()
    return () => {
      isStopped = true
      timers.clearTimeout(timer)
      stop()
    }
  }
}
