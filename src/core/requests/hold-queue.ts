import { UNOWNED } from '../../../machines/policies.ts'
import { type AuthError, HoldTimeoutError, QueueFullError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { abortReason } from '../platform/abort-reason.ts'
import { onAbort } from '../platform/on-abort.ts'
import type { AbortSignalLike, Clock } from '../ports.ts'
import type { RequestCounts } from './request-counts.ts'
import type { HoldOptions } from './transport-request.ts'

/** What a call that waits goes on with: its promise resolves to what this returns. */
type Continue<T, Options> = (value: T, options: Options) => unknown

/** A request or a call that waits. Of 50,000 requests each field counts. */
class Entry<T> {
  previous: Entry<T> | undefined
  next: Entry<T> | undefined
  /** Removes the listener and the timer of a request that brought its own. */
  cleanUp: (() => void) | undefined

  readonly owner: number
  readonly deadline: number
  readonly #settle: (result: unknown) => void
  readonly #options: HoldOptions
  readonly #proceed: Continue<T, never> | undefined

  constructor(
    owner: number,
    deadline: number,
    settle: (result: unknown) => void,
    options: HoldOptions,
    proceed: Continue<T, never> | undefined,
  ) {
    this.owner = owner
    this.deadline = deadline
    this.#settle = settle
    this.#options = options
    this.#proceed = proceed
  }

  release(value: T): void {
    this.#settle(this.#proceed ? this.#proceed(value, this.#options as never) : value)
  }

  /** Rejects through `resolve`, so that no second function is held for each entry. */
  reject(error: unknown): void {
    this.#settle(Promise.reject(error))
  }
}

/**
 * Requests that wait, in the order in which they came. Each one settles exactly once: released, rejected, aborted, or out of
 * time. It is a linked list, so that an abort among 50,000 costs no more than one among ten, with one timer for all requests
 * that wait equally long.
 */
export class HoldQueue<T> {
  readonly #clock: Clock
  readonly #limit: number
  readonly #timeout: number
  readonly #counts: RequestCounts | undefined
  #first: Entry<T> | undefined
  #last: Entry<T> | undefined
  #size = 0
  #timer: unknown
  /** Milliseconds that have passed: by the wall clock, which moves on during a suspension, but never backwards. */
  #elapsed = 0
  #seen: number

  /** @param counts counts requests that are held and rejected */
  constructor({ clock, settings }: Pick<Kernel, 'clock' | 'settings'>, counts?: RequestCounts) {
    this.#clock = clock
    this.#limit = settings.queueLimit
    this.#timeout = settings.timeouts.hold
    this.#counts = counts
    this.#seen = clock.now()
  }

  get size(): number {
    return this.#size
  }

  /** The owner of the first entry; `Infinity` if the queue is empty. */
  get firstOwner(): number {
    return this.#first?.owner ?? Number.POSITIVE_INFINITY
  }

  /**
   * Waits.
   *
   * @param owner what `rejectAll` selects by
   * @param proceed what the call goes on with; by default, the promise resolves to the value of the release
   */
  hold<Result = T, Options extends HoldOptions = HoldOptions>(
    owner: number,
    options: Options,
    proceed?: (value: T, options: Options) => Result | PromiseLike<Result>,
  ): Promise<Result> {
    const { signal } = options
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    if (this.#size >= this.#limit) {
      const error = new QueueFullError(this.#limit)
      this.#counts?.add('rejected', error)
      return Promise.reject(error)
    }
    options.onHeld?.()
    const { timeout } = options
    const deadline = this.#now() + this.#timeout
    return new Promise<Result>((resolve) => {
      const entry = new Entry<T>(owner, deadline, resolve as (result: unknown) => void, options, proceed)
      this.#append(entry)
      if (signal || (timeout !== undefined && timeout < this.#timeout)) this.#watch(entry, signal, timeout)
      this.#setTimer()
      this.#counts?.add('held')
    })
  }

  /** Takes the first entry out. */
  shift(): Entry<T> | undefined {
    const entry = this.#first
    if (entry) this.#remove(entry)
    return entry
  }

  /** Rejects all entries whose owner is at least `least`. `makeError` is called once for each. */
  rejectAll(makeError: () => AuthError, least = UNOWNED): void {
    let entry = this.#first
    while (entry) {
      const { next } = entry
      if (entry.owner >= least) this.#reject(entry, makeError())
      entry = next
    }
  }

  #append(entry: Entry<T>): void {
    entry.previous = this.#last
    if (this.#last) this.#last.next = entry
    else this.#first = entry
    this.#last = entry
    this.#size++
  }

  #remove(entry: Entry<T>): void {
    if (entry.previous) entry.previous.next = entry.next
    else this.#first = entry.next
    if (entry.next) entry.next.previous = entry.previous
    else this.#last = entry.previous
    entry.previous = entry.next = undefined
    this.#size--
    entry.cleanUp?.()
    if (this.#size === 0) this.#clearTimer()
  }

  #reject(entry: Entry<T>, error: unknown): void {
    this.#remove(entry)
    entry.reject(error)
    this.#counts?.add('rejected', error)
  }

  #now(): number {
    const now = this.#clock.now()
    this.#elapsed += Math.max(0, now - this.#seen)
    this.#seen = now
    return this.#elapsed
  }

  #setTimer(): void {
    if (this.#timer !== undefined || !this.#first) return
    const due = Math.max(this.#now(), this.#first.deadline)
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      // No timer is early: if this one seems to be, the clock was set back.
      this.#elapsed = Math.max(this.#now(), due)
      while (this.#first && this.#first.deadline <= this.#elapsed)
        this.#reject(this.#first, new HoldTimeoutError())
      this.#setTimer()
    }, due - this.#elapsed)
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #watch(entry: Entry<T>, signal: AbortSignalLike | null | undefined, timeout: number | undefined): void {
    const ignore = signal && onAbort(signal, () => this.#reject(entry, abortReason(signal)))
    const timer =
      timeout === undefined
        ? undefined
        : this.#clock.setTimeout(() => this.#reject(entry, new HoldTimeoutError()), Math.max(0, timeout))
    entry.cleanUp = () => {
      ignore?.()
      if (timer !== undefined) this.#clock.clearTimeout(timer)
    }
  }
}
