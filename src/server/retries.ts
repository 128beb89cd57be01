import { BackgroundClock } from '../core/platform/background-clock.ts'
import type { Clock } from '../core/ports.ts'
import type { Looking } from './store-world.ts'

/** The first wait, and the longest one, in milliseconds. */
const FIRST = 250
const LONGEST = 5_000
/** How many sessions look at once: one is enough to see whether the database is back. */
const AT_ONCE = 50

/**
 * The sessions whose last operation failed. Now and then some of them look at what is stored, until that succeeds: a session
 * that holds newer tokens then writes them. One timer for all of them.
 */
export class Retries {
  readonly #timers: BackgroundClock
  readonly #failed = new Set<Looking>()
  #delay = FIRST
  #timer: unknown

  constructor(clock: Clock) {
    this.#timers = new BackgroundClock(clock)
  }

  add(store: Looking): void {
    // At the end, so that each gets its turn.
    this.#failed.delete(store)
    this.#failed.add(store)
    this.#wait()
  }

  delete(store: Looking): void {
    if (!this.#failed.delete(store)) return
    this.#delay = FIRST
    if (this.#failed.size > 0) return
    this.#timers.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #wait(): void {
    // Spread, because all processes lost the database at the same time.
    const delay = this.#delay * (0.75 + Math.random() / 2)
    this.#timer ??= this.#timers.setTimeout(() => this.#look(), delay)
  }

  #look(): void {
    this.#timer = undefined
    if (this.#failed.size === 0) return
    this.#delay = Math.min(LONGEST, this.#delay * 2)
    let left = AT_ONCE
    for (const store of this.#failed) {
      if (left-- === 0) break
      store.look()
    }
    this.#wait()
  }
}
