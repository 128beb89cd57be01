/** The clock of the device the page runs on: it can be set, and it can sleep. */
import type { Clock } from 'authchart'

export interface DeviceClock extends Clock {
  /** Sets the time of day: so many milliseconds forwards, or back. No timer notices. */
  shift(ms: number): void
  /** Stops all timers where they are, those that are set from now on too. */
  freeze(): void
  /** Lets them run again, with what was left of each. */
  thaw(): void
  readonly isFrozen: boolean
}

/** Browsers fire longer delays at once: they keep them in 32 bits. */
const LONGEST = 2 ** 31 - 1

/** A timer that can be stopped and go on. */
class Timer {
  #left: number
  #since = 0
  #handle: ReturnType<typeof setTimeout> | undefined
  readonly #fire: () => void

  constructor(delay: number, fire: () => void) {
    this.#left = delay
    this.#fire = fire
  }

  run() {
    if (this.#left === Number.POSITIVE_INFINITY) return
    this.#since = performance.now()
    const step = Math.min(this.#left, LONGEST)
    this.#handle = setTimeout(() => {
      this.#left -= step
      if (this.#left > 0) this.run()
      else this.#fire()
    }, step)
  }

  stop() {
    if (this.#handle === undefined) return
    clearTimeout(this.#handle)
    this.#handle = undefined
    this.#left = Math.max(0, this.#left - (performance.now() - this.#since))
  }
}

/** @param ahead how far it is ahead of the system's, in milliseconds */
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
