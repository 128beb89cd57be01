import { pause, startWait, type Wait } from './waiting.ts'

/**
 * How long a page keeps the lock, in milliseconds, after something was announced under it.
 *
 * In Chromium `localStorage` reaches the other pages by another way than the lock does, and often later: of pages that got the
 * lock at once, one in five read the old record, and would present a refresh token that is spent. Measured at up to 140 ms
 * on a busy machine.
 */
const LINGER = 250

/**
 * Runs a task under a Web Lock. The lock is not taken away from a task that runs, however long that takes; where another
 * script steals it, the task goes on, and what it gives is given.
 */
export function underWebLock<T>(
  locks: LockManager,
  key: string,
  task: () => Promise<T>,
  wait: Wait,
  /** How much was announced so far. */
  announced: () => number,
): Promise<T> {
  const { signal, end } = startWait(wait)
  return new Promise<T>((resolve, reject) => {
    const turn = locks.request(key, { signal }, async () => {
      end()
      const before = announced()
      const running = task()
      resolve(running)
      await running
      if (isPage() && announced() !== before) await pause(LINGER, wait.signal)
    })
    // A task that failed has said so by then: what comes second changes nothing.
    turn.catch(reject)
  }).finally(end)
}

/** Elsewhere there is no `localStorage` to wait for, and threads of Node that end with a lock in hand never give it back. */
const isPage = () => typeof document !== 'undefined'
