import type { Clock, Signal } from '../ports.ts'
import { createAbortController } from './globals.ts'
import { unref } from './unref.ts'

/** The rejection of work that was given up. */
export class Abandoned<T = unknown> {
  /** What the work gives in the end. */
  readonly result: Promise<T>
  /** The reason of `abortAll`; `undefined` if the time ran out. */
  readonly reason: unknown

  constructor(result: Promise<T>, reason?: unknown) {
    this.result = result
    this.reason = reason
  }
}

interface Task {
  started: boolean
  readonly outlives: boolean
  readonly timer: unknown
  end(reason: unknown): void
}

/** Runs the app's functions so that each wait for them ends: in time, or at once with `abortAll`. */
export class BoundedWork {
  readonly #clock: Clock
  /** The work that runs, by its signal; missing if there is none. */
  #running: Map<unknown, Task> | undefined
  #ended: { readonly reason: unknown } | undefined
  /** Whether a function of the app is being called at this moment. */
  isCalling = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `work` for at most `timeout` milliseconds. At the end of that time its signal aborts.
   *
   * @param outlives `abortAll` lets it go on, if it has started
   * @throws Abandoned if the work takes longer, or `abortAll` ends it
   */
  run<T>(work: (signal: Signal) => T | PromiseLike<T>, timeout: number, outlives = false): Promise<T> {
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
      const result = Promise.resolve().then(() => {
        if (ended) return new Promise<T>(() => {})
        task.started = true
        return this.call(() => work(signal))
      })
      const timer = this.#clock.setTimeout(() => end(), timeout)
      const task: Task = { started: false, outlives, timer, end }
      this.#running ??= new Map()
      this.#running.set(signal, task)
      const finish = () => {
        this.#clock.clearTimeout(timer)
        this.#running?.delete(signal)
        if (this.#running?.size === 0) this.#running = undefined
      }
      result.then(
        (value) => {
          finish()
          resolve(value)
        },
        (error) => {
          finish()
          reject(error)
        },
      )
    })
  }

  /** Whether that is a signal of work that runs: a request with it belongs to that work. */
  owns(signal: unknown): boolean {
    return this.#running?.has(signal) ?? false
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

  /** Whether work goes on after `abortAll`. */
  get isBusy(): boolean {
    return this.#running !== undefined
  }

  /** Ends all work that runs, unless it outlives this, and lets none start from now on. */
  abortAll(reason: unknown): void {
    this.#ended = { reason }
    for (const task of this.#running?.values() ?? []) {
      if (task.outlives && task.started) unref(task.timer)
      else task.end(reason)
    }
  }
}
