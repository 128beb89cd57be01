import { StorageError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { isPromiseLike } from '../platform/promise-like.ts'
import { without, withThis } from '../platform/small-set.ts'
import { kindOfFailure } from './store-failure.ts'

export const FAILED = Symbol('failed')

/** Called if a write succeeds after `timeouts.storage`, with what it resolves to. */
type OnLate = (written: unknown) => unknown

/**
 * Runs what is asked of a store: one operation after another, none longer than `timeouts.storage`, and none fails. A failure is
 * sent to the chart. What a store answers at once is returned at once.
 */
export class StoreOperations {
  readonly #kernel: Kernel
  /** The last operation, while one runs. */
  #tail: Promise<unknown> | undefined
  /** What ends the waits of callers. The set exists only while it contains something. */
  #waiting: Set<() => void> | undefined
  /** A write that takes longer than `timeouts.storage`, with what follows from its outcome. */
  #late: Promise<void> | undefined
  /** Failures that were reported since the last successful write; each kind is reported once. */
  #reported: Set<string> | undefined
  #disposed = false

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  get disposed(): boolean {
    return this.#disposed
  }

  /** Resolves when a write that is late has ended, and what follows from that; `undefined` without one. */
  get late(): Promise<unknown> | undefined {
    return this.#late && this.#releasable(this.#late)
  }

  /** Resolves when everything that was asked is done. */
  async idle(): Promise<void> {
    await this.#tail
  }

  /** Releases all waiting calls. What was asked before is done all the same. */
  dispose(): void {
    this.#disposed = true
    for (const leave of this.#waiting ?? []) leave()
  }

  /**
   * Runs an operation when its turn comes.
   *
   * @param remedies what to try if it fails, one after the other
   * @returns what the operation returned, or `FAILED`
   */
  run(operation: () => unknown, remedies: readonly (() => unknown)[] = [], onLate?: OnLate): unknown {
    const run = () => this.#attempt(operation, remedies, onLate)
    const result = this.#tail ? this.#tail.then(run) : run()
    if (!isPromiseLike(result)) return result
    const turn: Promise<unknown> = Promise.resolve(result).finally(() => {
      if (this.#tail === turn) this.#tail = undefined
    })
    this.#tail = turn
    return this.#releasable(turn)
  }

  /** A caller does not wait beyond `dispose`; the operation itself runs all the same, in its order. */
  #releasable(turn: Promise<unknown>): Promise<unknown> {
    if (this.#disposed) return Promise.resolve(FAILED)
    return new Promise((resolve) => {
      const leave = () => resolve(FAILED)
      this.#waiting = withThis(this.#waiting, leave)
      void turn.then((result) => {
        this.#waiting = without(this.#waiting, leave)
        resolve(result)
      })
    })
  }

  /** If the operation fails, tries the remedies, one after the other; the failure is reported once. */
  #attempt(
    operation: () => unknown,
    remedies: readonly (() => unknown)[],
    onLate: OnLate | undefined,
    isReported = false,
  ): unknown {
    const [next, ...others] = remedies
    const failed = (error: unknown) => {
      if (!isReported) this.fail(error)
      return next ? this.#attempt(next, others, onLate, true) : FAILED
    }
    try {
      const result = operation()
      if (!isPromiseLike(result)) return result
      const pending = Promise.resolve(result)
      return this.#bounded(pending, () => onLate && this.#outlast(pending, remedies, onLate)).catch(failed)
    } catch (error) {
      return failed(error)
    }
  }

  /** A write that is late may still succeed. A remedy follows only when it has failed. */
  #outlast(write: Promise<unknown>, [next, ...others]: readonly (() => unknown)[], onLate: OnLate): void {
    const late = write
      .then(onLate, () => next && this.run(next, others, onLate))
      .then(() => {
        if (this.#late === late) this.#late = undefined
      })
    this.#late = late
  }

  /** A caller waits no longer than `timeouts.storage`, nor beyond `dispose`. */
  #bounded(result: Promise<unknown>, onTimeout: () => void): Promise<unknown> {
    if (this.#disposed) return result
    const { clock, settings } = this.#kernel
    return new Promise((resolve, reject) => {
      const leave = () => {
        clock.clearTimeout(timer)
        this.#waiting = without(this.#waiting, leave)
        resolve(FAILED)
      }
      const timer = clock.setTimeout(() => {
        this.fail(new StorageError('', { reason: 'timeout' }))
        onTimeout()
        leave()
      }, settings.timeouts.storage)
      this.#waiting = withThis(this.#waiting, leave)
      result.then(resolve, reject).finally(leave)
    })
  }

  /** Reports a failure, each kind once until a write succeeds. */
  fail(error: unknown): void {
    const kind = kindOfFailure(error)
    if (this.#reported?.has(kind)) return
    this.#reported = withThis(this.#reported, kind)
    // Later, so that the caller of `createAuth` can add a listener first.
    const { mailbox } = this.#kernel
    void Promise.resolve().then(() => mailbox.send({ type: 'store.failed', reason: kind }))
  }

  /** A write has succeeded. */
  recovered(): void {
    this.#reported = undefined
  }
}
