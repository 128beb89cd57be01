import type { Clock } from '../core/ports.ts'

/** Browsers and Node store delays in 32 bits: a longer one fires immediately. */
const LONGEST = 2 ** 31 - 1

/** The system's clock. It supports delays of any length. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, delay) {
    return new Timer(callback, delay)
  },
  clearTimeout(handle) {
    if (handle instanceof Timer) handle.clear()
  },
}

class Timer {
  #handle: ReturnType<typeof setTimeout> | undefined
  #background = false

  constructor(callback: () => void, delay: number) {
    // NaN is not larger than 0 either: a delay that is not a number fires immediately, as on the platform.
    this.#arm(callback, delay > 0 ? delay : 0)
  }

  #arm(callback: () => void, delay: number) {
    if (delay === Number.POSITIVE_INFINITY) return
    const step = Math.min(delay, LONGEST)
    this.#handle = setTimeout(() => (delay > step ? this.#arm(callback, delay - step) : callback()), step)
    if (this.#background) this.unref()
  }

  clear() {
    clearTimeout(this.#handle)
  }

  /** In Node, lets the process exit while this timer is pending. */
  unref() {
    this.#background = true
    const handle: unknown = this.#handle
    if (typeof handle === 'object' && handle !== null && 'unref' in handle) (handle as NodeJS.Timeout).unref()
  }
}
