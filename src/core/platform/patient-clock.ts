import type { Clock } from '../ports.ts'
import { unref } from './unref.ts'

/** A timer that fires later than this was held up, in milliseconds. */
const LATE = 50

/** A timer that waits again and fires later than this was stopped again. Timers of hidden pages are up to a second late. */
const STOPPED = 2_000

/** A process is busy if this many turns of its event loop take longer than `BUSY`, in milliseconds. An idle one takes less than 1. */
const TURNS = 20
const BUSY = 5

/** How long a timer waits again, in milliseconds. */
const GRACE = 1_000

/**
 * How often a timer waits again at most: some processes never rest. Time in which the process was stopped does not count. A
 * hidden tab, whose timers the browser lets fire once a minute, waits for minutes, and not for half an hour.
 */
const PATIENCE = 10

/**
 * A clock whose late timers decide nothing. After a suspension, or behind a busy event loop, a timer is due although the
 * answer that it waits for has arrived, and lies beside it in the queue. So a timer that was held up waits again.
 */
export class PatientClock implements Clock {
  readonly #clock: Clock
  readonly #patience: number

  /** @param patience how often a timer waits again at most */
  constructor(clock: Clock, patience = PATIENCE) {
    this.#clock = clock
    this.#patience = patience
  }

  now(): number {
    return this.#clock.now()
  }

  setTimeout(callback: () => void, delay: number): unknown {
    return new PatientTimer(this.#clock, this.#patience, callback, delay)
  }

  clearTimeout(handle: unknown): void {
    if (handle instanceof PatientTimer) handle.clear()
  }
}

class PatientTimer {
  readonly #clock: Clock
  #callback: (() => void) | undefined
  #handle: unknown
  #due = 0
  /** How often it may wait again. */
  #patience: number
  /** From which lateness on it was held up, in milliseconds. */
  #late = LATE
  #isBackground = false

  constructor(clock: Clock, patience: number, callback: () => void, delay: number) {
    this.#clock = clock
    this.#patience = patience
    this.#callback = callback
    this.#set(delay)
  }

  clear(): void {
    this.#callback = undefined
    this.#clock.clearTimeout(this.#handle)
  }

  /** In Node, lets the process exit while this timer is pending. */
  unref(): void {
    this.#isBackground = true
    unref(this.#handle)
  }

  #set(delay: number): void {
    this.#due = this.#clock.now() + delay
    this.#handle = this.#clock.setTimeout(() => this.#check(), delay)
    if (this.#isBackground) this.unref()
  }

  #check(): void {
    const now = this.#clock.now()
    if (now - this.#due > this.#late) this.#waitAgain()
    else this.#takeTurns(TURNS, now)
  }

  /** A process that answers one of a thousand connections in each turn is on time, and still has the answer before it. */
  #takeTurns(left: number, began: number): void {
    const { turn } = this.#clock
    if (turn && left > 0) turn(() => this.#takeTurns(left - 1, began))
    else if (this.#clock.now() - began > BUSY) this.#waitAgain()
    else this.#fire()
  }

  #waitAgain(): void {
    this.#late = STOPPED
    if (this.#patience-- > 0) this.#set(GRACE)
    else this.#fire()
  }

  #fire(): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.()
  }
}
