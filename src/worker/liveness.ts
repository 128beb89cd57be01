/**
 * Detects that a page or a worker has ended. It sends no message when it closes or crashes, but the browser releases its Web
 * Lock and grants it to the next waiter.
 */

const lockManager = (): LockManager | undefined =>
  typeof navigator === 'undefined' ? undefined : navigator.locks

/** Returns a name that is unique among all pages and workers. */
export const uniqueName = () =>
  [Date.now(), Math.random(), Math.random()].map((number) => number.toString(36).replace('0.', '')).join('')

/**
 * Holds a lock until it is released, or until this page or worker ends.
 *
 * @param held called when the lock is granted; never called if the browser has no locks
 * @returns releases the lock
 */
export function holdLock(name: string, held: () => void): () => void {
  let release = () => {}
  const ended = new Promise<void>((resolve) => {
    release = resolve
  })
  lockManager()
    ?.request(name, () => {
      held()
      return ended
    })
    // A sandboxed frame has the lock API, but rejects every request.
    .catch(() => {})
  return release
}

/** Calls back when the lock's owner has ended. Returns a function that stops waiting; `undefined` without locks. */
export function whenReleased(name: string, released: () => void): (() => void) | undefined {
  const locks = lockManager()
  if (!locks) return undefined
  const controller = new AbortController()
  locks
    .request(name, { signal: controller.signal }, () => {
      if (!controller.signal.aborted) released()
    })
    .catch(() => {})
  return () => controller.abort()
}
