import type { Clock } from '../core/ports.ts'
import { systemClock } from '../environment/clock.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { unreachable } from './fleet-store.ts'
import { hashKey } from './hash-key.ts'

/** How often a name may be forgotten while a database remembers that. */
const MOST = 20

/** Names that all processes remember. */
export interface FleetMemory {
  /**
   * Remembers a name for that many milliseconds.
   *
   * @returns `false` if it is remembered already
   * @throws StorageError if the database does not answer
   */
  remember(name: string, lifetime: number): Promise<boolean>
  /**
   * Forgets a name.
   *
   * @throws StorageError if the database does not answer
   */
  forget(name: string): Promise<void>
}

/**
 * Remembers names in a fleet, such as those of logout tokens, which count once. The database holds only their hashes.
 *
 * @param fleet the database
 * @param clock default: the clock of the system
 *
 * @example
 * ```ts
 * const logout = createLogoutVerifier({ issuer, clientId, ...fleetMemory(fleet) })
 * ```
 */
export function fleetMemory(fleet: Fleet, clock: Pick<Clock, 'now'> = systemClock): FleetMemory {
  const keyOf = (name: string, round: number) => hashKey(JSON.stringify(['name', name, round]))
  const guarded = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw unreachable(error)
    })

  async function remember(name: string, lifetime: number): Promise<boolean> {
    const startedAt = clock.now()
    // One `id`, so that the first one to write it wins.
    const entry = { id: 'name', rotation: 0, startedAt, until: startedAt + lifetime, tags: [], box: '' }
    for (let round = 0; round < MOST; round++) {
      const result = await fleet.replace(await keyOf(name, round), entry, undefined)
      // A database remembers that something was removed, and takes it no more: the next round has another key.
      if (result !== 'gone') return result === 'written'
    }
    return false
  }

  async function forget(name: string): Promise<void> {
    for (let round = 0; round < MOST; round++) if (await fleet.remove(await keyOf(name, round))) return
  }

  return {
    remember: (name, lifetime) => guarded(remember(name, lifetime)),
    forget: (name) => guarded(forget(name)),
  }
}
