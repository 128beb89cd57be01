import type { Clock } from '../../../src/core/ports.ts'

/** Resolves once every promise job is done, including those that are added meanwhile. */
export const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

/** Resolves after that many promise jobs, while others may still be waiting. */
export async function microtasks(count: number): Promise<void> {
  for (let job = 0; job < count; job++) await undefined
}

/** A page whose code can stop running: a tab in the background, or a closed one. */
export interface Page {
  readonly name: string
  /** Until it is thawed, its timers do not fire and nothing reaches it. */
  frozen: boolean
  /** None of its code runs ever again. */
  closed: boolean
}

export const runs = (page: Page | undefined) => !page?.frozen && !page?.closed

interface Timer {
  readonly due: number
  /** The wall clock when it is due. */
  readonly dueAt: number
  readonly order: number
  readonly page: Page
  readonly callback: () => void
}

/** A timer that is late by more than this waits once more for `GRACE`, in milliseconds. */
const LATE = 50
const GRACE = 1_000

/** A date in 2023. It is far from 0, so that a duration used as an instant is noticed. */
const START = 1_700_000_000_000

/** The clock of one machine. All pages read the same wall clock, and each page has its own timers. */
export function createWorldClock() {
  let uptime = 0
  let jumped = 0
  let jumps = 0
  let order = 0
  const timers = new Set<Timer>()
  /** Until when the late timers of a page may still wait for what they guard. */
  const grace = new Map<Page, number>()

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
    /** The total time by which the wall clock was set back. Code that only reads this clock misses that much time. */
    get setBack() {
      return (jumps - jumped) / 2
    },
    /** The time that has passed for timers, in milliseconds. */
    get uptime() {
      return uptime
    },

    /** The total time by which the wall clock was set forward (as after a sleep) and back. */
    get jumps() {
      return jumps
    },

    clockOf: (page: Page): Clock => ({
      now,
      setTimeout(callback, delay) {
        const wait = Math.max(0, delay)
        const timer = { due: uptime + wait, dueAt: now() + wait, order: order++, page, callback }
        timers.add(timer)
        return timer
      },
      clearTimeout: (timer) => void timers.delete(timer as Timer),
    }),

    /** Lets time pass. `between` runs first, and after each timer. */
    async advance(ms: number, between: () => Promise<void>) {
      const until = uptime + ms
      await between()
      for (let timer = next(until); timer; timer = next(until)) {
        timers.delete(timer)
        uptime = Math.max(uptime, timer.due)
        if (now() > timer.dueAt + LATE) grace.set(timer.page, uptime + GRACE)
        timer.callback()
        await between()
      }
      uptime = until
    },

    /** Fires the timers of a page that are late, as a page does when it resumes. `between` runs after each. */
    async fireLate(page: Page, between: () => Promise<void>) {
      const late = [...timers].filter((timer) => timer.page === page && timer.due + LATE < uptime)
      for (const timer of late.sort((one, other) => one.due - other.due || one.order - other.order)) {
        // One of the others may have cleared it.
        if (timers.delete(timer)) {
          grace.set(page, uptime + GRACE)
          timer.callback()
        }
        await between()
      }
    },

    /** Lets one millisecond pass without firing a timer. */
    tick() {
      uptime++
    },

    /** Sets the wall clock forward or back, without firing a timer. */
    jump(ms: number) {
      jumped += ms
      jumps += Math.abs(ms)
    },

    /** Whether a timer is due that has not fired yet, or was late and waits once more. */
    overdue: (page: Page) =>
      uptime < (grace.get(page) ?? 0) ||
      [...timers].some((timer) => timer.page === page && timer.due <= uptime),

    pending: (page: Page) => [...timers].filter((timer) => timer.page === page).length,
  }
}

export type WorldClock = ReturnType<typeof createWorldClock>
