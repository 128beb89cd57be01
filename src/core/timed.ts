import { createAbortController } from './platform.ts'
import type { Clock, Signal } from './ports.ts'

/** Work that must end: everything the library starts can be ended at once by `dispose()`. */
export interface Timed {
  /**
   * Runs a user's function for at most `timeout` milliseconds. Where time is up its signal aborts and `onTimeout`'s error
   * is thrown; what the function gives after that goes to `onLate`.
   */
  run<T>(
    work: (signal: Signal) => T | PromiseLike<T>,
    timeout: number,
    onTimeout: () => unknown,
    onLate?: (result: T) => void,
  ): Promise<T>
  /** Ends everything that runs, and lets nothing run from now on. */
  abortAll(reason: unknown): void
}

/** @see Timed */
export function createTimed(clock: Clock): Timed {
  const running = new Set<(reason: unknown) => void>()
  let ended: { readonly reason: unknown } | undefined

  return {
    run(work, timeout, onTimeout, onLate) {
      if (ended) return Promise.reject(ended.reason)
      return new Promise((resolve, reject) => {
        const controller = createAbortController()
        let over = false
        const end = (reason: unknown) => {
          over = true
          clock.clearTimeout(timer)
          running.delete(end)
          reject(reason)
          controller.abort(reason)
        }
        const timer = clock.setTimeout(() => end(onTimeout()), timeout)
        running.add(end)
        const finish = (settle: () => void) => {
          clock.clearTimeout(timer)
          running.delete(end)
          settle()
        }
        const start = async () => {
          if (over) return
          try {
            const result = await work(controller.signal)
            if (over) onLate?.(result)
            else finish(() => resolve(result))
          } catch (error) {
            if (!over) finish(() => reject(error))
          }
        }
        // Started in a promise, so that it starts after whatever its caller does next.
        void Promise.resolve().then(start)
      })
    },
    abortAll(reason) {
      ended = { reason }
      for (const end of running) end(reason)
    },
  }
}
