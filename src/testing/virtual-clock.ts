import type { Clock } from '../core/ports.ts'

/**
 * A clock that a test controls. It works as the `Clock` of `createAuth` and `createTokenServer`, and as the clock of XState's
 * `createActor(machine, { clock })`.
 *
 * It has two times: the time of day, which `now()` returns, and the time that timers count. `advance` moves both. `sleep` and
 * `jump` move the time of day only.
 */
export interface VirtualClock extends Clock {
  /**
   * Advances the time and fires the timers that are due. Timers fire in the order of their due time, and in the order of
   * creation if that is equal. All promise jobs of a timer finish before the next timer fires. Overlapping calls run one after
   * another. If a timer throws, the time stops there and the promise rejects with the error.
   *
   * It does not wait for real I/O: over real sockets, the time would run ahead of the answers. Await the answers first, or
   * answer in process.
   *
   * @param ms milliseconds, at least 0; 0 fires the timers that are due now
   * @throws RangeError (as a rejection) if `ms` is negative or not finite
   * @example
   * clock.setTimeout(() => console.log('a minute later'), 60_000)
   * await clock.advance(60_000)
   */
  advance(ms: number): Promise<void>
  /**
   * Suspends the machine, as closing a laptop does. The time of day goes on and timers stop, so timers fire later by `ms`.
   * `now()` has changed when this returns; the promise resolves after all promise jobs.
   *
   * @param ms milliseconds, at least 0
   * @throws RangeError (as a rejection) if `ms` is negative or not finite
   * @example
   * await clock.sleep(8 * 3_600_000) // over night: tokens have expired, but no timer has fired
   */
  sleep(ms: number): Promise<void>
  /**
   * Changes the time of day, forwards or backwards, as a user who corrects the clock does. Timers are not affected.
   *
   * @param ms milliseconds to add to `now()`; may be negative
   * @throws RangeError if `ms` is not finite
   */
  jump(ms: number): void
  /** The number of timers that neither fired nor were cleared, including those that never fire (`Infinity`). */
  readonly pending: number
  /**
   * Milliseconds until the next timer fires; undefined if none will. Useful for delays with random jitter.
   *
   * @example
   * await clock.advance(clock.nextIn ?? 0) // the next retry, whatever its jitter
   */
  readonly nextIn: number | undefined
}

interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** The originals, saved before a test replaces them with fake timers. */
const { setImmediate, MessageChannel, setTimeout } = globalThis

/** Browsers read response bodies in separate tasks: a few for each request that is answered in process. */
const BROWSER_TASKS = 20

/** Resolves once all promise jobs have run, including jobs that they created. */
export const settled = (): Promise<void> =>
  typeof setImmediate === 'function' ? new Promise((resolve) => setImmediate(resolve)) : browserSettled()

const browserSettled = async (): Promise<void> => {
  for (let task = 0; task < BROWSER_TASKS; task++) await nextTask()
}

/** Uses a message if possible, because browsers delay nested timers. */
const nextTask = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof MessageChannel !== 'function') {
      setTimeout(resolve)
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })

/** A day in November 2023. It is far from 0, so that confusing a duration with a time shows in tests. */
const START = 1_700_000_000_000

/**
 * Creates a clock that moves only when the test moves it, so that tests never wait.
 *
 * @param start the initial value of `now()`, in milliseconds since the Unix epoch (default: a time in November 2023)
 * @returns the clock
 * @throws RangeError if `start` is not finite
 * @example
 * const clock = createVirtualClock()
 * const auth = createAuth({ clock, refresh, initialTokens: { access_token: 'at-1', expires_in: 3600 } })
 * await clock.advance(3_600_000) // the token was refreshed in the meantime
 */
export function createVirtualClock(start = START): VirtualClock {
  let uptime = 0
  let wall = checkFinite('createVirtualClock: start', start)
  let lastAdvance: Promise<unknown> = Promise.resolve()
  /** Sorted by due time, the earliest first. */
  const queue: Timer[] = []
  const waiting = new Set<Timer>()

  /** The queue index for a new timer: after all timers with the same due time. */
  function insertionIndex(due: number): number {
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

  function moveTo(time: number) {
    if (time <= uptime) return
    wall += time - uptime
    uptime = time
  }

  async function run(ms: number) {
    const until = uptime + ms
    await settled()
    for (let timer = takeDue(until); timer; timer = takeDue(until)) {
      moveTo(timer.due)
      timer.callback()
      await settled()
    }
    moveTo(until)
  }

  return {
    now: () => wall,
    setTimeout(callback, delay) {
      if (typeof callback !== 'function') throw new TypeError('setTimeout: the callback must be a function.')
      const timer = { due: uptime + (delay > 0 ? delay : 0), callback }
      waiting.add(timer)
      if (timer.due < Number.POSITIVE_INFINITY) queue.splice(insertionIndex(timer.due), 0, timer)
      return timer
    },
    clearTimeout(handle) {
      waiting.delete(handle as Timer)
    },
    async advance(ms) {
      checkDuration('advance', ms)
      const advance = lastAdvance.then(() => run(ms))
      lastAdvance = advance.catch(() => {})
      return advance
    },
    async sleep(ms) {
      wall += checkDuration('sleep', ms)
      await settled()
    },
    jump(ms) {
      wall += checkFinite('jump: ms', ms)
    },
    get pending() {
      return waiting.size
    },
    get nextIn() {
      const next = queue.find((timer) => waiting.has(timer))
      return next && Math.max(0, next.due - uptime)
    },
  }
}

function checkFinite(what: string, value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${what} must be a finite number, not ${value}.`)
  return value
}

function checkDuration(method: string, ms: number): number {
  if (!(checkFinite(`${method}: ms`, ms) >= 0)) {
    throw new RangeError(`${method}: ms must be at least 0, not ${ms}. Use jump() to set the clock back.`)
  }
  return ms
}
