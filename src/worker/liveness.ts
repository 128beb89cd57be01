import { systemClock } from '../environment/clock.ts'
import { lockManager } from '../environment/lock-manager.ts'
import { createBackoff } from './backoff.ts'

/**
 * Detects that a page or a worker has ended. It sends no message when it closes or crashes, but the browser releases its Web
 * Lock and grants it to the next waiter. Any script of the origin can steal a lock, so a released lock is a hint and no proof.
 */

/** Returns a name that is unique among all pages and workers. */
export const uniqueName = () =>
  [Date.now(), Math.random(), Math.random()].map((number) => number.toString(36).replace('0.', '')).join('')

/**
 * Holds a lock until it is released, or until this page or worker ends. If another script steals it, another lock with a new
 * name follows.
 *
 * @param kind the beginning of the name
 * @param held called with the name when a lock is granted; never called if the browser has no locks
 * @returns releases the lock
 */
export function holdLock(kind: string, held: (name: string) => void): () => void {
  const backoff = createBackoff()
  let release = () => {}
  let timer: unknown
  let isReleased = false
  const ended = new Promise<void>((resolve) => {
    release = resolve
  })

  function hold() {
    const name = `${kind} ${uniqueName()}`
    let isHeld = false
    lockManager()
      ?.request(name, () => {
        isHeld = true
        if (!isReleased) held(name)
        return ended
      })
      .catch(() => {
        // A sandboxed frame has the lock API, but rejects every request.
        if (isHeld && !isReleased) timer = systemClock.setTimeout(hold, backoff.next())
      })
  }

  hold()
  return () => {
    isReleased = true
    systemClock.clearTimeout(timer)
    release()
  }
}

/** Calls back when the lock is free. Returns a function that stops waiting; `undefined` without locks. */
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
