import type { Clock } from '../../../src/core/ports.ts'

/** Comes back once every promise job is done, and those they made. */
export const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

/** Comes back in the midst of things: after so many promise jobs. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await undefined
}

/** Somebody whose code can stand still: a tab in the background, or one that is gone. */
export interface Page {
  readonly name: string
  /** Its timers do not fire and nothing reaches it, until it is thawed. */
  frozen: boolean
  /** Closed: none of its code runs ever again. */
  gone: boolean
}

export const runs = (page: Page | undefined) => !page?.frozen && !page?.gone

interface Timer {
  readonly due: number
  readonly order: number
  readonly page: Page
  readonly callback: () => void
}

/** A Sunday in 2023: far from 0, so that a relative time taken for an instant shows. */
const START = 1_700_000_000_000

/** The time of one machine: every page on it reads the same wall clock, and has timers of its own. */
export function createWorldClock() {
  let uptime = 0
  let jumped = 0
  let jumps = 0
  let order = 0
  const timers = new Set<Timer>()

  function next(until: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers) {
      if (timer.due > until || !runs(timer.page)) continue
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer
    }
    return first
  }

  const now = () => START + uptime + jumped

  return {
    now,
    /** By how much it was set back, in all: who looks at the wall clock only takes that much less time for gone by. */
    get setBack() {
      return (jumps - jumped) / 2
    },
    /** Time that passed for timers. */
    get uptime() {
      return uptime
    },

    /** By how much the wall clock was set, forward (sleep looks like this, too) and back, in all. */
    get jumps() {
      return jumps
    },

    clockOf: (page: Page): Clock => ({
      now,
      setTimeout(callback, delay) {
        const timer = { due: uptime + Math.max(0, delay), order: order++, page, callback }
        timers.add(timer)
        return timer
      },
      clearTimeout: (timer) => void timers.delete(timer as Timer),
    }),

    /** Lets time pass; `between` is done at first and after each timer. */
    async advance(ms: number, between: () => Promise<void>) {
      const until = uptime + ms
      await between()
      for (let timer = next(until); timer; timer = next(until)) {
        timers.delete(timer)
        uptime = Math.max(uptime, timer.due)
        timer.callback()
        await between()
      }
      uptime = until
    },

    /** A millisecond that no timer is due in. */
    tick() {
      uptime++
    },

    /** Sets the wall clock, back too, and fires no timer. */
    jump(ms: number) {
      jumped += ms
      jumps += Math.abs(ms)
    },

    /** Whether a timer was due that has not fired yet, which it does as soon as time goes on. */
    overdue: (page: Page) => [...timers].some((timer) => timer.page === page && timer.due <= uptime),

    pending: (page: Page) => [...timers].filter((timer) => timer.page === page).length,
  }
}

export type WorldClock = ReturnType<typeof createWorldClock>
