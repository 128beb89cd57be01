import type { Clock } from '../core/ports.ts'
import { systemClock } from '../environment/clock.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { CLOCK_MARGIN } from './clock-skew.ts'
import { hashKey } from './hash-key.ts'
import { reached } from './unreachable.ts'

/** Names that all processes remember. */
export interface FleetMemory {
  /**
   * Remembers a name for at least that many milliseconds, whichever time the clock of this process has.
   *
   * @returns `false` if it is remembered already
   * @throws StorageError if the database does not answer
   */
  remember(name: string, lifetime: number): Promise<boolean>
  /**
   * Whether a name is remembered.
   *
   * @throws StorageError if the database does not answer
   */
  isRemembered(name: string): Promise<boolean>
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
  const keyOf = (name: string) => hashKey(JSON.stringify(['name', name]))

  async function remember(name: string, lifetime: number): Promise<boolean> {
    const startedAt = clock.now()
    // One `id`, so that the first one to write it wins.
    const entry = {
      id: 'name',
      rotation: 0,
      startedAt,
      until: startedAt + lifetime + CLOCK_MARGIN,
      tags: [],
      box: '',
    }
    return (await fleet.replace(await keyOf(name), entry, undefined)) === 'written'
  }

  return {
    remember: (name, lifetime) => reached(remember(name, lifetime)),
    isRemembered: (name) => reached(keyOf(name).then(async (key) => (await fleet.read(key)) !== undefined)),
  }
}
