import type { Clock } from '../ports.ts'
import { unref } from './unref.ts'

/**
 * The clock for timers that must not keep a Node process alive, such as a scheduled refresh. Pending requests have timers
 * of their own, which do.
 */
export class BackgroundClock {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  setTimeout(callback: () => void, delay: number): unknown {
    // It never comes, and a server has thousands of sessions that wait for it.
    if (delay === Number.POSITIVE_INFINITY) return undefined
    return unref(this.#clock.setTimeout(callback, delay))
  }

  clearTimeout(handle: unknown): void {
    this.#clock.clearTimeout(handle)
  }
}
