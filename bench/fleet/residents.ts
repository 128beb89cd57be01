import { randomUUID } from 'node:crypto'
import type { Fleet, StoredSession } from '../../src/fleet/fleet.ts'
import { heapUsed } from '../heap.ts'
import type { Engine } from './engines.ts'
import { signInUsers, tokenWorld } from './pools.ts'

const RESIDENT = 10_000
const STORED = 100_000
const WARM_UP = 200
const BATCH = 1_000

export const RESIDENTS = `${RESIDENT} sessions in the memory of a pool, and ${STORED} that are only in the database`

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
const settled = () => new Promise((resolve) => setTimeout(resolve, 100))

/** Stores the session of one user under other keys. */
async function storeCopies(fleet: Fleet, times: number) {
  const { createPool } = tokenWorld(0)
  let record: StoredSession | undefined
  const replace: Fleet['replace'] = (key, next, expected) => {
    record = next
    return fleet.replace(key, next, expected)
  }
  const pool = createPool({ ...fleet, replace })
  await signInUsers(pool, 1)
  await pool.dispose()
  const copy = record
  if (!copy) throw new Error('The sign-in has stored nothing.')
  await Promise.all(Array.from({ length: times }, () => fleet.replace(randomUUID(), copy, undefined)))
}

/** What sessions cost the process: those in its memory, and those that are only stored. */
export async function measureResidents({ fleet }: Engine): Promise<string[]> {
  const { createPool } = tokenWorld(0)
  const signer = createPool(fleet, { most: 1 })
  const keys = await signInUsers(signer, WARM_UP + RESIDENT)
  const pool = createPool(fleet, { most: 2 * RESIDENT, idle: 600_000 })
  const open = (some: string[]) => Promise.all(some.map((key) => pool.use(key, () => undefined)))

  await open(keys.slice(0, WARM_UP))
  await settled()
  const before = heapUsed()
  for (let n = WARM_UP; n < keys.length; n += 500) await open(keys.slice(n, n + 500))
  await settled()
  const each = (heapUsed() - before) / RESIDENT
  await Promise.all([pool.dispose(), signer.dispose()])

  await settled()
  const [emptyHeap, emptyTimers] = [heapUsed(), timers()]
  const other = createPool(fleet, { most: 1, idle: 0 })
  for (let stored = keys.length; stored < STORED; stored += BATCH) await storeCopies(fleet, BATCH)
  await other.use(keys[0] ?? '', () => undefined)
  await settled()
  const row = [
    `${(each / 1_000).toFixed(1)} kB`,
    `${Math.max(0, (heapUsed() - emptyHeap) / STORED).toFixed(1)} B`,
    String(timers() - emptyTimers),
  ]
  await other.dispose()
  return row
}
