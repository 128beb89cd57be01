/**
 * Who is gone says nothing. A Web Lock does: the browser takes it from a page or a worker that is closed or crashes, and
 * gives it to whoever waits for it.
 */

const locksHere = (): LockManager | undefined =>
  typeof navigator === 'undefined' ? undefined : navigator.locks

/** A name nobody else has. */
export const uniqueName = () =>
  [Date.now(), Math.random(), Math.random()].map((number) => number.toString(36).replace('0.', '')).join('')

/**
 * Holds a lock until it is told to let go, or dies.
 *
 * @param held called once it is held; never where there are no locks
 */
export function holdLock(name: string, held: () => void): () => void {
  let release = () => {}
  const ended = new Promise<void>((resolve) => {
    release = resolve
  })
  locksHere()
    ?.request(name, () => {
      held()
      return ended
    })
    // Where the browser has locks and gives none, as in a sandboxed frame.
    .catch(() => {})
  return release
}

/** Calls back when whoever holds the lock is gone. Gives the way to stop waiting; `undefined` where there are no locks. */
export function whenReleased(name: string, released: () => void): (() => void) | undefined {
  const locks = locksHere()
  if (!locks) return undefined
  const controller = new AbortController()
  locks
    .request(name, { signal: controller.signal }, () => {
      if (!controller.signal.aborted) released()
    })
    .catch(() => {})
  return () => controller.abort()
}
