import { isPage } from './page.ts'

/**
 * How long a lock is kept after its task, in milliseconds. In Chromium a write to `localStorage` reaches other pages later than
 * the lock does. A tab that waited also finds the session stored by then.
 */
const LINGER = 500

/** Runs a task while no other tab runs one of that name. Without Web Locks it runs at once. */
export function once<T>(name: string, task: () => Promise<T>): Promise<T> {
  const locks = isPage() ? (navigator.locks as LockManager | undefined) : undefined
  if (!locks) return task()
  return new Promise<T>((resolve, reject) => {
    const request = locks.request(name, async () => {
      const running = task()
      resolve(running)
      await running.catch(() => {})
      await new Promise((done) => setTimeout(done, LINGER))
    })
    // If the task failed, the promise is settled already and this has no effect.
    request.catch(reject)
  })
}
