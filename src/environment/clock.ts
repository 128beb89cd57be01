import type { Clock } from '../core/ports.ts'

/** Browsers and Node fire longer delays at once: they keep them in 32 bits. */
const LONGEST = 2 ** 31 - 1

/** The system's clock, for delays of any length. */
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
    // NaN never comes to be larger than 0 either; a delay that is no number fires at once, as the platform has it.
    this.#arm(callback, delay > 0 ? delay : 0)
  }

  #arm(callback: () => void, left: number) {
    if (left === Number.POSITIVE_INFINITY) return
    const step = Math.min(left, LONGEST)
    this.#handle = setTimeout(() => (left > step ? this.#arm(callback, left - step) : callback()), step)
    if (this.#background) this.unref()
  }

  clear() {
    clearTimeout(this.#handle)
  }

  /** In Node: does not keep the process alive. */
  unref() {
    this.#background = true
    const handle: unknown = this.#handle
    if (typeof handle === 'object' && handle !== null && 'unref' in handle) (handle as NodeJS.Timeout).unref()
  }
}
