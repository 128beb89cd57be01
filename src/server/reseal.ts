import { keysWith } from '../fleet/find-all.ts'
import type { FoundSession } from '../fleet/fleet.ts'
import { withTime } from './clock-skew.ts'
import { inParallel } from './in-parallel.ts'
import { isCurrent, open, seal } from './seal.ts'
import { openSession, placeOf, placeOfTokens, REVOCATION, SESSION } from './session-box.ts'
import type { StoreWorld } from './store-world.ts'
import { reached } from './unreachable.ts'

/** What came of sealing something again: `'unreadable'` if its box cannot be opened, which stays as it is. */
type Resealed = 'sealed' | 'current' | 'unreadable'

type World = Pick<StoreWorld, 'fleet' | 'keys' | 'clock'>

/** How many are looked at before the decision whether to go on. */
const BATCH = 100

/** Seals what another key has sealed again, a part with each call: a database may have a million sessions. */
export class Resealing {
  readonly #world: World
  /** Where the last call ended. */
  #pass: AsyncGenerator<() => Promise<Resealed>> | undefined
  /** What came of this pass, or of the last one. */
  #results = { sealed: 0, current: 0, unreadable: 0 }

  constructor(world: World) {
    this.#world = world
  }

  get unreadable(): number {
    return this.#results.unreadable
  }

  /**
   * @param most how many are sealed
   * @returns how many were sealed; 0 if a whole pass has found none
   * @throws StorageError if the database does not answer. Then the next call begins again
   */
  async some(most: number): Promise<number> {
    let sealed = 0
    try {
      while (sealed < most) {
        const batch = await this.#next(Math.min(BATCH, most - sealed))
        const results = await inParallel(batch, (reseal) => reseal())
        for (const result of results) this.#results[result]++
        sealed += results.filter((result) => result === 'sealed').length
        if (batch.length > 0) continue
        this.#pass = undefined
        // What was sealed by calls before this one may not be all: other processes have sealed as well.
        if (sealed > 0 || this.#results.sealed === 0) break
      }
      return sealed
    } catch (error) {
      this.#pass = undefined
      throw error
    }
  }

  async #next(count: number): Promise<(() => Promise<Resealed>)[]> {
    if (!this.#pass) this.#results = { sealed: 0, current: 0, unreadable: 0 }
    this.#pass ??= everything(this.#world)
    // Another call may end the pass meanwhile.
    const pass = this.#pass
    const batch: (() => Promise<Resealed>)[] = []
    while (batch.length < count) {
      const { value, done } = await reached(pass.next())
      if (done) break
      batch.push(value)
    }
    return batch
  }
}

/** What seals each entry again, in an order of the database. */
async function* everything(world: World): AsyncGenerator<() => Promise<Resealed>> {
  for (const [tag, one] of [
    [REVOCATION, resealTokens],
    [SESSION, resealSession],
  ] as const)
    for await (const key of keysWith(world.fleet, tag)) yield () => one(world, key)
}

function resealSession(world: World, key: string): Promise<Resealed> {
  const { keys, clock } = world
  return reseal(world, key, async (stored) => {
    const now = clock.now()
    const record = await openSession(keys, key, stored, now)
    return seal(keys, placeOf(key, stored), JSON.stringify(withTime(record, now)))
  })
}

/** Of tokens that are still to be revoked. */
function resealTokens(world: World, key: string): Promise<Resealed> {
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
