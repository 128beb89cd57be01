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
  abortAll(reason: unknown): void
}

/** @see Timed */
export function createTimed(clock: Clock): Timed {
  const running = new Set<(reason: unknown) => void>()

  return {
    run(work, timeout, onTimeout, onLate) {
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
        // Started in a promise, so that what throws at once is a rejection like any other.
        Promise.resolve()
          .then(() => (over ? undefined : work(controller.signal)))
          .then(
            (result) =>
              over
                ? onLate?.(result as Awaited<ReturnType<typeof work>>)
                : finish(() => resolve(result as never)),
            (error) => !over && finish(() => reject(error)),
          )
      })
    },
    abortAll(reason) {
      for (const end of running) end(reason)
    },
  }
}
