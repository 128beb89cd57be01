import { createAuthWith } from '../core/create-auth.ts'
import type { AuthOptions, Settings } from '../core/options.ts'
import type { Clock } from '../core/ports.ts'
import { resolveOptions } from '../core/resolve-options.ts'
import { emptyEnvironment } from '../environment/browser.ts'
import { report } from '../environment/report.ts'
import { FleetCoordinator, patienceOf } from '../fleet/coordinator.ts'
import { boundedFleet } from './bounded-fleet.ts'
import { publishSpared, SPARED } from './end-messages.ts'
import { DEFAULT_TTL } from './fleet-session.ts'
import { FleetStore } from './fleet-store.ts'
import type { PoolEvents } from './pool-events.ts'
import type { AuthPoolOptions } from './pool-types.ts'
import { randomKey } from './random-key.ts'
import { Resident } from './resident.ts'
import { Retries } from './retries.ts'
import { Revocations } from './revocations.ts'
import type { StoreWorld } from './store-world.ts'

/** A use is written this often at most, in milliseconds, and ten times within the idle limit. */
const LAST_USE_EVERY = 60_000

/** Makes the sessions of a pool. All of them share one set of options. */
export class SessionFactory {
  readonly world: StoreWorld
  readonly revocations: Revocations
  readonly #options: AuthOptions<never>
  readonly #settings: Settings
  readonly #events: PoolEvents
  readonly #patience: number | undefined
  /** Calls of the app's `refresh` function. */
  refreshes = 0

  /** @throws TypeError if an option is wrong */
  constructor(given: AuthPoolOptions<never> & { readonly clock: Clock }, events: PoolEvents) {
    const { fleet: unbounded, keys, resident: _, ttl = DEFAULT_TTL, reuseGrace, ...options } = given
    const { clock, limits, refresh } = options
    const pooled: AuthOptions<never> = { ...options, refreshOn: 'demand', historyLimit: 0 }
    this.#settings = resolveOptions(pooled)
    const fleet = boundedFleet(unbounded, clock, this.#settings.timeouts.storage)
    this.#events = events
    this.#patience = patienceOf(reuseGrace)
    this.revocations = new Revocations(fleet, keys, clock, options)
    const retries = new Retries(clock)
    this.world = {
      fleet,
      keys,
      clock,
      ttl,
      lastUseEvery: Math.min(LAST_USE_EVERY, (limits?.idle ?? Number.POSITIVE_INFINITY) / 10),
      failed: (store) => retries.add(store),
      succeeded: (store) => retries.delete(store),
    }
    const { port: revoke } = this.revocations
    this.#options = {
      ...pooled,
      refresh: (request) => {
        this.refreshes++
        return refresh(request)
      },
      ...(revoke && { revoke }),
    }
  }

  storeOf(hash: string): FleetStore {
    return new FleetStore(this.world, hash)
  }

  make(key: string, hash: string, store: FleetStore): Resident {
    const { clock, fleet } = this.world
    const coordinator = new FleetCoordinator(fleet, hash, randomKey(), this.#patience)
    store.coordinator = coordinator
    const auth = createAuthWith<never, unknown>(
      // Inherited, because a copy of all options costs each session more than what it adds.
      Object.assign(Object.create(this.#options), { storage: store, coordinator }),
      { clock, environment: emptyEnvironment, report, settings: this.#settings },
    )
    const resident = new Resident(key, hash, auth, store, clock.now())
    auth.on('*', (event) => this.#events.receive(resident, event))
    return resident
  }

  /** Ends a session in all processes as if another one had done it. None of them revokes its tokens. */
  async endWithoutRevocation(hash: string, { coordinator }: FleetStore): Promise<void> {
    coordinator?.receive(SPARED)
    await publishSpared(this.world, hash)
  }
}
