import type { Clock } from '../core/ports.ts'

/**
 * Time that moves when a test says so. It is a `Clock` for `createAuth` and `createTokenServer`, and one for XState's
 * `createActor(machine, { clock })`.
 *
 * It knows two times: `now()`, the time of day, and the time that has passed for timers. `advance` moves both, as time does;
 * `sleep` and `jump` move the time of day alone.
 */
export interface VirtualClock extends Clock {
  /**
   * Lets time pass: timers fire in the order they are due, those of one instant in the order they were set, and every
   * promise job they leave behind is done before the next one fires. Calls that overlap run one after another. Where a timer
   * throws, time stays at its instant and the promise rejects with what it threw.
   *
   * Nobody waits for what is under way outside of promise jobs: over real sockets, time would be ahead of the answers.
   * Await those before, or answer in process.
   *
   * @param ms milliseconds, at least 0; 0 fires what is due now
   * @throws RangeError (as a rejection) where `ms` is negative or not finite
   * @example
   * clock.setTimeout(() => console.log('a minute later'), 60_000)
   * await clock.advance(60_000)
   */
  advance(ms: number): Promise<void>
  /**
   * Suspends the machine, as closing a laptop does: the time of day goes on, and timers stand still, so that they fire by so
   * much later. `now()` has changed when this returns; the promise resolves when every promise job is done.
   *
   * @param ms milliseconds, at least 0
   * @throws RangeError (as a rejection) where `ms` is negative or not finite
   * @example
   * await clock.sleep(8 * 3_600_000) // over night: tokens have expired, and no timer has told
   */
  sleep(ms: number): Promise<void>
  /**
   * Sets the time of day, forwards or back, as somebody who corrects a wrong clock does. Timers do not notice.
   *
   * @param ms milliseconds to add to `now()`, negative ones too
   * @throws RangeError where `ms` is not finite
   */
  jump(ms: number): void
  /** Timers that neither fired nor were cleared; those that never fire (`Infinity`) are among them. */
  readonly pending: number
  /**
   * Milliseconds until the next timer fires; undefined where none will. For waits that are left to chance.
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

/** Kept from before any test fakes them. */
const { setImmediate, MessageChannel, setTimeout } = globalThis

/** Browsers read bodies in tasks of their own, a few for each exchange that is answered in process. */
const BROWSER_TASKS = 20

/** Comes back once every promise job is done, and those they made. */
export const settled = (): Promise<void> =>
  typeof setImmediate === 'function' ? new Promise((resolve) => setImmediate(resolve)) : browserSettled()

const browserSettled = async (): Promise<void> => {
  for (let task = 0; task < BROWSER_TASKS; task++) await nextTask()
}

/** By a message, where there are any: browsers keep nested timers waiting. */
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

/** A Tuesday in 2023: far from 0, so that a relative time taken for an instant shows. */
const START = 1_700_000_000_000

/**
 * Makes a clock that stands still until it is told to move, for tests that wait for nothing.
 *
 * @param start what `now()` gives at first, in milliseconds since the Unix epoch (default: an instant in November 2023)
 * @returns the clock
 * @throws RangeError where `start` is not finite
 * @example
 * const clock = createVirtualClock()
 * const auth = createAuth({ clock, refresh, initialTokens: { access_token: 'at-1', expires_in: 3600 } })
 * await clock.advance(3_600_000) // it was renewed meanwhile
 */
export function createVirtualClock(start = START): VirtualClock {
  let uptime = 0
  let wall = finite('createVirtualClock: start', start)
  let lastAdvance: Promise<unknown> = Promise.resolve()
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

  async function run(ms: number) {
    const until = uptime + ms
    await settled()
    for (let timer = takeDue(until); timer; timer = takeDue(until)) {
      pass(timer.due)
      timer.callback()
      await settled()
    }
    pass(until)
  }

  return {
    now: () => wall,
    setTimeout(callback, delay) {
      if (typeof callback !== 'function') throw new TypeError('setTimeout: the callback must be a function.')
      const timer = { due: uptime + (delay > 0 ? delay : 0), callback }
      waiting.add(timer)
      if (timer.due < Number.POSITIVE_INFINITY) queue.splice(placeOf(timer.due), 0, timer)
      return timer
    },
    clearTimeout(handle) {
      waiting.delete(handle as Timer)
    },
    async advance(ms) {
      passing('advance', ms)
      const advance = lastAdvance.then(() => run(ms))
      lastAdvance = advance.catch(() => {})
      return advance
    },
    async sleep(ms) {
      wall += passing('sleep', ms)
      await settled()
    },
    jump(ms) {
      wall += finite('jump: ms', ms)
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

function finite(what: string, value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${what} must be a finite number, not ${value}.`)
  return value
}

function passing(method: string, ms: number): number {
  if (!(finite(`${method}: ms`, ms) >= 0)) {
    throw new RangeError(
      `${method}: ms must be at least 0, not ${ms}: time does not run backwards. See jump().`,
    )
  }
  return ms
}
