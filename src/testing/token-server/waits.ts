import type { Clock } from '../../core/ports.ts'
import { ConnectionDropped } from './replies.ts'

/** Waits that can all be cancelled together, so that a closed server leaves no timers behind. */
export interface Waits {
  /** Resolves after `ms` milliseconds of the clock. */
  time(ms: number): Promise<void>
  /** Never resolves. */
  forever(): Promise<never>
  /** Resolves with the value that `start` passes to its callback. `start` returns a function that runs on cancellation. */
  until<T>(start: (resolve: (value: T | PromiseLike<T>) => void) => () => void): Promise<T>
  /** Rejects all pending waits. */
  cancelAll(): void
}

export const createWaits = (clock: Clock): Waits => {
  const pending = new Set<() => void>()

  const until: Waits['until'] = (start) =>
    new Promise((resolve, reject) => {
      const cancel = (): void => {
        stop()
        reject(new ConnectionDropped('The token server was closed or reset'))
      }
      const stop = start((value) => {
        pending.delete(cancel)
        resolve(value)
      })
      pending.add(cancel)
    })

  return {
    until,
    time: (ms) =>
      until((resolve) => {
        const timer = clock.setTimeout(() => resolve(undefined), ms)
        return () => clock.clearTimeout(timer)
      }),
    forever: () => until(() => () => {}),
    cancelAll: () => {
      const cancels = [...pending]
      pending.clear()
      for (const cancel of cancels) cancel()
    },
  }
}
