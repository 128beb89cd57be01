import type { FoundSession } from '../fleet/fleet.ts'
import { withTime } from './clock-skew.ts'
import { isCurrent, open, seal } from './seal.ts'
import { openSession, placeOf, placeOfTokens } from './session-box.ts'
import type { StoreWorld } from './store-world.ts'
import { reached } from './unreachable.ts'

/** What came of sealing something again: `'unreadable'` if its box cannot be opened, which stays as it is. */
export type Resealed = 'sealed' | 'current' | 'unreadable'

type World = Pick<StoreWorld, 'fleet' | 'keys' | 'clock'>

/**
 * Seals a session again, if another key sealed it.
 *
 * @throws StorageError if the database does not answer
 */
export function resealSession(world: World, key: string): Promise<Resealed> {
  const { keys, clock } = world
  return reseal(world, key, async (stored) => {
    const now = clock.now()
    const record = await openSession(keys, key, stored, now)
    return seal(keys, placeOf(key, stored), JSON.stringify(withTime(record, now)))
  })
}

/**
 * Seals tokens that are still to be revoked again, if another key sealed them.
 *
 * @throws StorageError if the database does not answer
 */
export function resealTokens(world: World, key: string): Promise<Resealed> {
  const { keys } = world
  const place = placeOfTokens(key)
  return reseal(world, key, async ({ box }) => seal(keys, place, await open(keys, place, box)))
}

async function reseal(
  { fleet, keys }: World,
  key: string,
  sealAgain: (stored: FoundSession) => Promise<string>,
): Promise<Resealed> {
  const stored = await reached(fleet.read(key))
  if (!stored) return 'current'
  let box: string
  try {
    if (isCurrent(keys, stored.box)) return 'current'
    box = await sealAgain(stored)
  } catch {
    return 'unreadable'
  }
  const result = await reached(fleet.replace(key, { ...stored, box }, stored))
  // If it was refreshed meanwhile, it was sealed with the new key.
  return result === 'written' ? 'sealed' : 'current'
}
