import type { Clock } from '../ports.ts'

/**
 * Interval of a timer that does nothing, in milliseconds. The chart's timers do not keep a Node process alive, so a
 * pending promise has to.
 */
const KEEP_ALIVE = 60_000

interface Waiter {
  readonly isDone: () => boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Promises for states that the chart will have reached when it comes to rest. */
export class StateWaiters {
  readonly #clock: Clock
  #waiters: Set<Waiter> | undefined
  #disposed: { readonly error: unknown } | undefined
  #timer: unknown

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves once `isDone` returns true. Rejects with the error of `dispose`. */
  reach(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#disposed) reject(this.#disposed.error)
      else if (isDone()) resolve()
      else {
        this.#waiters ??= new Set()
        this.#waiters.add({ isDone, resolve, reject })
        if (this.#timer === undefined) this.#keepAlive()
      }
    })
  }

  /** To be called when the chart has come to rest. */
  check(): void {
    if (!this.#waiters) return
    for (const waiter of this.#waiters) {
      if (!waiter.isDone()) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
    if (this.#waiters.size === 0) this.#end()
  }

  dispose(error: unknown): void {
    this.#disposed = { error }
    for (const { reject } of this.#waiters ?? []) reject(error)
    this.#end()
  }

  #keepAlive(): void {
    this.#timer = this.#clock.setTimeout(() => this.#keepAlive(), KEEP_ALIVE)
  }

  #end(): void {
    this.#waiters = undefined
    if (this.#timer === undefined) return
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
