import { type LockWait, pause, startLockTimeout } from './lock-timeout.ts'

/**
 * How long a page keeps the lock after its task announced something, in milliseconds.
 *
 * In Chromium a write to `localStorage` reaches other pages by another route than the lock, and often later. Without this
 * delay, one in five pages that got the lock at once read the old record. It would then present a spent refresh token.
 * Measured: up to 140 ms on a busy machine. A session that was disposed meanwhile has written a record as well.
 */
const LINGER = 250

/**
 * Runs a task under a Web Lock. A running task keeps the lock, however long it takes. If another script steals the lock, the
 * task still completes and its result is returned.
 *
 * @param countAnnouncements returns how many messages were announced so far
 */
export function withWebLock<T>(
  locks: LockManager,
  key: string,
  task: () => Promise<T>,
  wait: LockWait,
  countAnnouncements: () => number,
): Promise<T> {
  const { signal, end } = startLockTimeout(wait)
  return new Promise<T>((resolve, reject) => {
    const request = locks.request(key, { signal }, async () => {
      end()
      const before = countAnnouncements()
      const running = task()
      resolve(running)
      await running
      if (isPage() && countAnnouncements() !== before) await pause(LINGER)
    })
    // If the task failed, the promise is settled already and this has no effect.
    request.catch(reject)
  }).finally(end)
}

/** Other environments have no `localStorage` to wait for. A Node thread that ends while it holds a lock never releases it. */
const isPage = () => typeof document !== 'undefined'
