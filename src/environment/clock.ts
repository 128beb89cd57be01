import { PatientClock } from '../core/platform/patient-clock.ts'
import { unref } from '../core/platform/unref.ts'
import type { Clock } from '../core/ports.ts'
import { outsideZones } from './outside-zones.ts'

/** Browsers and Node store delays in 32 bits: a longer one fires immediately. */
const LONGEST = 2 ** 31 - 1

const platformTimeout = globalThis.setTimeout

/** The system's clock. It supports delays of any length. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, delay) {
    return new Timer(callback, delay)
  },
  clearTimeout(handle) {
    if (handle instanceof Timer) handle.clear()
  },
  turn(callback) {
    // Under the fake timers of a test, only the test decides how long a turn takes.
    if (globalThis.setTimeout !== platformTimeout) callback()
    else if (typeof setImmediate === 'function') setImmediate(callback)
    else if (typeof MessageChannel === 'function') nextMessage(callback)
    else setTimeout(callback)
  },
}

/** Browsers delay nested timers, and those of hidden pages. Messages they deliver at once. */
function nextMessage(callback: () => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    port1.close()
    callback()
  }
  port2.postMessage(undefined)
}

/** For timeouts: a timer that was held up waits again. The core does this with any clock. */
export const patientClock: Clock = /* @__PURE__ */ new PatientClock(systemClock)

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
    const next = () => (delay > step ? this.#arm(callback, delay - step) : callback())
    this.#handle = outsideZones(() => setTimeout(next, step))
    if (this.#background) this.unref()
  }

  clear() {
    clearTimeout(this.#handle)
  }

  /** In Node, lets the process exit while this timer is pending. */
  unref() {
    this.#background = true
    unref(this.#handle)
  }
}
