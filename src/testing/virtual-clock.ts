import type { Clock } from '../core/ports.ts'

/** Time that moves when a test says so. */
export interface VirtualClock extends Clock {
  /**
   * Lets `ms` milliseconds pass: timers fire in the order they are due, those of one instant in the order they were set,
   * and every promise job they leave behind is done before the next one fires.
   */
  advance(ms: number): Promise<void>
  /** Moves `now()`, back too, and no timer: what a machine's sleep, or a clock that was set, looks like from inside. */
  jump(ms: number): void
  /** Timers that neither fired nor were cleared; those that never fire are among them. */
  readonly pending: number
}

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** Kept from before any test fakes it. */
const { setImmediate } = globalThis

/** Comes back once every promise job is done, and those they made. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A Sunday in 2023: far from 0, so that a relative time taken for an instant shows. */
const START = 1_700_000_000_000

/**
 * @param start what `now()` gives at first, in milliseconds since the Unix epoch
 * @returns a clock that stands still until it is advanced
 */
export function createVirtualClock(start = START): VirtualClock {
  let uptime = 0
  let wall = start
  /** By due time, the earliest first. */
  const queue: Timer[] = []
  const waiting = new Set<Timer>()

  /** Where a timer goes: behind all that are due at the same instant. */
  function placeOf(due: number): number {
    let low = 0
    let high = queue.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((queue[middle]?.due ?? 0) <= due) low = middle + 1
      else high = middle
    }
    return low
  }

  function takeDue(until: number): Timer | undefined {
    for (let [timer] = queue; timer && timer.due <= until; [timer] = queue) {
      queue.shift()
      if (waiting.delete(timer)) return timer
    }
    return undefined
  }

  function pass(to: number) {
    if (to <= uptime) return
    wall += to - uptime
    uptime = to
  }

  return {
    now: () => wall,
    setTimeout(callback, delay) {
      const timer = { due: uptime + (delay > 0 ? delay : 0), callback }
      waiting.add(timer)
      if (timer.due < Number.POSITIVE_INFINITY) queue.splice(placeOf(timer.due), 0, timer)
      return timer
    },
    clearTimeout(handle) {
      waiting.delete(handle as Timer)
    },
    async advance(ms) {
      const until = uptime + ms
      await settled()
      for (let timer = takeDue(until); timer; timer = takeDue(until)) {
        pass(timer.due)
        timer.callback()
        await settled()
      }
      pass(until)
    },
    jump(ms) {
      wall += ms
    },
    get pending() {
      return waiting.size
    },
  }
}
