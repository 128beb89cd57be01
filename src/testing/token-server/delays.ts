import { ConnectionDropped } from './replies.ts'

/** Waits that can all be ended at once, so that a closed server leaves no timers behind. */
export interface Delays {
  /** Resolves after `ms` milliseconds of real time. */
  wait(ms: number): Promise<void>
  /** Never resolves. */
  forever(): Promise<never>
  /** Rejects all pending waits. */
  cancelAll(): void
}

export const createDelays = (): Delays => {
  const pending = new Set<() => void>()

  return {
    wait: (ms) =>
      new Promise((resolve, reject) => {
        const cancel = (): void => {
          clearTimeout(timer)
          reject(new ConnectionDropped('The token server was closed'))
        }
        const timer = setTimeout(() => {
          pending.delete(cancel)
          resolve()
        }, ms)
        pending.add(cancel)
      }),
    forever: () =>
      new Promise((_, reject) => {
        pending.add(() => reject(new ConnectionDropped('The token server was closed')))
      }),
    cancelAll: () => {
      const cancels = [...pending]
      pending.clear()
      for (const cancel of cancels) cancel()
    },
  }
}
