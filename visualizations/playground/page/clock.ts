/** A clock for the simulated device: it can be set, and it can sleep. */
import type { Clock } from 'authchart'

export interface DeviceClock extends Clock {
  /** Moves the time of day forwards or back, in milliseconds. Timers are not affected. */
  shift(ms: number): void
  /** Pauses all timers, also those that are set later. */
  freeze(): void
  /** Resumes all timers with their remaining delays. */
  thaw(): void
  readonly isFrozen: boolean
}

/** The longest delay of `setTimeout`, in milliseconds. Browsers use 32 bits, and fire longer delays at once. */
const LONGEST = 2 ** 31 - 1

/** A timer that can be paused and resumed. */
class Timer {
  #remaining: number
  #since = 0
  #handle: ReturnType<typeof setTimeout> | undefined
  readonly #fire: () => void

  constructor(delay: number, fire: () => void) {
    this.#remaining = delay
    this.#fire = fire
  }

  run() {
    if (this.#remaining === Number.POSITIVE_INFINITY) return
    this.#since = performance.now()
    const step = Math.min(this.#remaining, LONGEST)
    this.#handle = setTimeout(() => {
      this.#remaining -= step
      if (this.#remaining > 0) this.run()
      else this.#fire()
    }, step)
  }

  stop() {
    if (this.#handle === undefined) return
    clearTimeout(this.#handle)
    this.#handle = undefined
    this.#remaining = Math.max(0, this.#remaining - (performance.now() - this.#since))
  }
}

/** @param ahead how far the clock is ahead of the system clock, in milliseconds */
export function createDeviceClock(ahead = 0): DeviceClock {
  const timers = new Set<Timer>()
  let isFrozen = false

  return {
    now: () => Date.now() + ahead,
    setTimeout(callback, delay) {
      const timer = new Timer(delay, () => {
        timers.delete(timer)
        callback()
      })
      timers.add(timer)
      if (!isFrozen) timer.run()
      return timer
    },
    clearTimeout(handle) {
      if (!(handle instanceof Timer) || !timers.delete(handle)) return
      handle.stop()
    },
    shift(ms) {
      ahead += ms
    },
    freeze() {
      isFrozen = true
      for (const timer of timers) timer.stop()
    },
    thaw() {
      if (!isFrozen) return
      isFrozen = false
      for (const timer of timers) timer.run()
    },
    get isFrozen() {
      return isFrozen
    },
  }
}
