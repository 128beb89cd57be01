import type { Clock, Signal } from '../ports.ts'
import { createAbortController } from './globals.ts'

/** The rejection of work that was given up. */
export class Abandoned<T = unknown> {
  readonly #result: Promise<T>
  /** The reason of `abortAll`; `undefined` if the time ran out. */
  readonly reason: unknown

  constructor(result: Promise<T>, reason?: unknown) {
    this.#result = result
    this.reason = reason
  }

  /** Calls `use` with what the work gives in the end. If it fails, that is ignored. */
  whenLate(use: (result: T) => void): void {
    this.#result.then(use, () => {})
  }
}

/** Runs the app's functions so that each wait for them ends: in time, or at once with `abortAll`. */
export class BoundedWork {
  readonly #clock: Clock
  readonly #running = new Set<(reason: unknown) => void>()
  #ended: { readonly reason: unknown } | undefined
  /** The signals of the work that runs. */
  readonly #signals = new Set<unknown>()
  /** Whether a function of the app is being called at this moment. */
  isCalling = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `work` for at most `timeout` milliseconds. At the end of that time its signal aborts.
   *
   * @throws Abandoned if the work takes longer, or `abortAll` ends it
   */
  run<T>(work: (signal: Signal) => T | PromiseLike<T>, timeout: number): Promise<T> {
    if (this.#ended) return Promise.reject(this.#ended.reason)
    return new Promise((resolve, reject) => {
      const controller = createAbortController()
      const { signal } = controller
      let ended = false
      const end = (reason?: unknown) => {
        ended = true
        finish()
        reject(new Abandoned(result, reason))
        controller.abort(reason)
      }
      // In a promise, so that the work starts after whatever its caller does next.
      const result = Promise.resolve().then(() =>
        ended ? new Promise<T>(() => {}) : this.call(() => work(signal)),
      )
      const timer = this.#clock.setTimeout(() => end(), timeout)
      this.#running.add(end)
      this.#signals.add(signal)
      const finish = () => {
        this.#clock.clearTimeout(timer)
        this.#running.delete(end)
        this.#signals.delete(signal)
      }
      result.then(
        (value) => {
          if (ended) return
          finish()
          resolve(value)
        },
        (error) => {
          if (ended) return
          finish()
          reject(error)
        },
      )
    })
  }

  /** Whether that is a signal of work that runs: a request with it belongs to that work. */
  owns(signal: unknown): boolean {
    return this.#signals.has(signal)
  }

  /** Calls a function as one of the app. */
  call<T>(work: () => T): T {
    this.isCalling = true
    try {
      return work()
    } finally {
      this.isCalling = false
    }
  }

  /** Ends all work that runs, and lets none start from now on. */
  abortAll(reason: unknown): void {
    this.#ended = { reason }
    for (const end of this.#running) end(reason)
  }
}
