import { type AuthError, HoldTimeoutError, QueueFullError } from './errors.ts'
import { onAbort } from './on-abort.ts'
import type { AbortSignalLike, Clock } from './ports.ts'

/** How one caller waits. */
export interface HoldOptions {
  /** Ends the wait at once; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | null | undefined
  /** Milliseconds this caller can wait, where that is less than the queue's own limit. */
  readonly timeout?: number | undefined
}

interface Entry<T> {
  readonly owner: number
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
  readonly deadline: number
  /** Undoes the listener and the timer of a caller that brought its own. */
  cleanUp: (() => void) | undefined
  previous: Entry<T> | undefined
  next: Entry<T> | undefined
}

/**
 * Callers that wait, in the order they came. Everyone settles exactly once: released, rejected, aborted, or out of
 * time. A linked list, so that an abort among 50,000 costs no more than one among ten; one timer for all who wait as
 * long as everyone.
 */
export function createHoldQueue<T>({
  clock,
  limit,
  timeout,
  onChange,
}: {
  clock: Clock
  limit: number
  timeout: number
  /** Told after each caller that comes (`held`) and each that is turned away (`rejected`). */
  onChange: (change: 'held' | 'rejected', error?: unknown) => void
}) {
  let first: Entry<T> | undefined
  let last: Entry<T> | undefined
  let size = 0
  let timer: unknown
  /** Milliseconds that went by, as deadlines count them: by the wall clock, which a sleep moves on, but never back. */
  let elapsed = 0
  let seen = clock.now()

  function remove(entry: Entry<T>) {
    if (entry.previous) entry.previous.next = entry.next
    else first = entry.next
    if (entry.next) entry.next.previous = entry.previous
    else last = entry.previous
    entry.previous = entry.next = undefined
    size--
    entry.cleanUp?.()
    if (size === 0) disarm()
  }

  function reject(entry: Entry<T>, error: unknown) {
    remove(entry)
    entry.reject(error)
    onChange('rejected', error)
  }

  function disarm() {
    if (timer !== undefined) clock.clearTimeout(timer)
    timer = undefined
  }

  function look(): number {
    const now = clock.now()
    elapsed += Math.max(0, now - seen)
    seen = now
    return elapsed
  }

  function arm() {
    if (timer !== undefined || !first) return
    const due = Math.max(look(), first.deadline)
    timer = clock.setTimeout(() => {
      timer = undefined
      // No timer is early: if this one seems to be, the clock was set back meanwhile.
      elapsed = Math.max(look(), due)
      while (first && first.deadline <= elapsed) reject(first, new HoldTimeoutError())
      arm()
    }, due - elapsed)
  }

  return {
    get size() {
      return size
    },

    /** Waits. `owner` is handed back to `release` and to `rejectAll`'s choice. */
    hold(owner: number, options: HoldOptions): Promise<T> {
      const { signal } = options
      if (signal?.aborted) return Promise.reject(signal.reason)
      if (size >= limit) {
        const error = new QueueFullError(limit)
        onChange('rejected', error)
        return Promise.reject(error)
      }
      // Read by nobody else, and here only: whoever inspects requests takes it for the sign that one waits.
      const own = options.timeout
      const deadline = look() + timeout
      return new Promise<T>((resolve, rejectPromise) => {
        const entry: Entry<T> = {
          owner,
          resolve,
          reject: rejectPromise,
          deadline,
          cleanUp: undefined,
          previous: last,
          next: undefined,
        }
        if (last) last.next = entry
        else first = entry
        last = entry
        size++
        if (signal || (own !== undefined && own < timeout)) watch(entry, signal, own)
        arm()
        onChange('held')
      })
    },

    /** Whom the first who waits belongs to. */
    peek: () => first?.owner ?? -1,

    /** Lets the first who waits go. */
    shift(): Entry<T> | undefined {
      const entry = first
      if (entry) remove(entry)
      return entry
    },

    /** Turns away everyone, or those whom `choose` names; `error` is made once for each. */
    rejectAll(error: () => AuthError, choose?: (owner: number) => boolean) {
      let entry = first
      while (entry) {
        const { next } = entry
        if (!choose || choose(entry.owner)) reject(entry, error())
        entry = next
      }
    },
  }

  function watch(entry: Entry<T>, signal: AbortSignalLike | null | undefined, own: number | undefined) {
    const ignore = signal && onAbort(signal, () => reject(entry, signal.reason))
    const ownTimer =
      own === undefined
        ? undefined
        : clock.setTimeout(() => reject(entry, new HoldTimeoutError()), Math.max(0, own))
    entry.cleanUp = () => {
      ignore?.()
      if (ownTimer !== undefined) clock.clearTimeout(ownTimer)
    }
  }
}

export type HoldQueue<T> = ReturnType<typeof createHoldQueue<T>>
