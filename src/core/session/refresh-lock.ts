import type { Kernel } from '../kernel.ts'
import { createAbortController } from '../platform/globals.ts'
import { Mutex } from '../platform/mutex.ts'
import { onAbort } from '../platform/on-abort.ts'
import { unref } from '../platform/unref.ts'
import type { TurnWait } from '../ports.ts'
import { type GuardedTurn, guardTurn } from './guarded-turn.ts'
import type { LockedAttempt, Turns } from './sharing.ts'
import { kindOfFailure } from './store-failure.ts'
import { transientFailure } from './token-request.ts'

/**
 * The coordinator's lock, with bounded patience. If the lock cannot be had, the task runs without it: its commit is guarded
 * by compare-and-set. A coordinator may require the lock: then the attempt fails, and is made again later.
 */
export class RefreshLock {
  readonly #kernel: Kernel
  readonly #coordinator: Turns | undefined
  readonly #lifetime = createAbortController()
  /** Whether the lock is kept after an attempt. */
  #isKept = false
  /** The turn of the last attempt that got the lock. */
  #turn: GuardedTurn | undefined
  /** The next attempt, if it has begun while the lock was kept. */
  #next: Promise<unknown> | undefined

  constructor(kernel: Kernel, coordinator: Turns | undefined) {
    this.#kernel = kernel
    this.#coordinator = coordinator
  }

  /** As `Sharing.withLock`. */
  refresh<T>(attempt: LockedAttempt<T>): Promise<T> {
    if (!this.#isKept) return this.run(attempt, this.#kernel.settings.timeouts.lock)
    const attempted = attempt.run(this.#turn)
    this.#next = attempted
    return attempted
  }

  /**
   * Runs an attempt once.
   *
   * @param timeout how long to wait for the lock, in milliseconds
   */
  async run<T>(
    { run: task, late = () => undefined, isWanted = () => true }: LockedAttempt<T>,
    timeout: number,
  ): Promise<T> {
    const coordinator = this.#coordinator
    if (!coordinator) return task()
    const { clock, settings } = this.#kernel
    const { signal } = this.#lifetime
    let started: Promise<T> | undefined
    const once = (turn?: GuardedTurn) => {
      clock.clearTimeout(timer)
      started ??= task(turn)
      started.then(giveUp, giveUp)
      return started
    }
    const inTurn = (given?: unknown) => {
      const turn = guardTurn(this.#kernel, given)
      this.#turn = turn
      return this.#keep(once(turn), late)
    }
    let giveUp = () => {}
    const ended = new Promise<void>((resolve) => {
      giveUp = resolve
    })
    const timer = clock.setTimeout(giveUp, timeout)
    const stop = onAbort(signal, giveUp)
    const patience = settings.timeouts.refresh + settings.timeouts.storage
    const wait: TurnWait = { signal, timeout, patience, isWanted }
    let problem: unknown
    try {
      await Promise.race([coordinator.exclusive<unknown>('refresh', inTurn, wait), ended])
    } catch (error) {
      // If the task failed, `once` rejects below. If the lock failed, the task runs without it.
      problem = error
    } finally {
      clock.clearTimeout(timer)
      stop()
    }
    if (signal.aborted) throw signal.reason
    if (coordinator.lock === 'required' && !started) started = this.#refuse(problem, isWanted)
    return once()
  }

  /** A lock that is had too late starts no task any more. */
  async #refuse(problem: unknown, isWanted: () => boolean): Promise<never> {
    const kind = kindOfFailure(problem)
    if (isWanted() && problem !== undefined && kind !== 'TimeoutError')
      this.#kernel.mailbox.send({ type: 'store.failed', reason: kind })
    throw transientFailure('lock_unavailable')
  }

  /** Keeps the lock while the answer of a late attempt may come, for at most `timeouts.refresh`. */
  async #keep(attempted: Promise<unknown>, late: () => Promise<unknown> | undefined): Promise<void> {
    await attempted.catch(() => {})
    const stored = late()
    if (!stored) return
    this.#isKept = true
    await this.#bounded(stored)
    this.#isKept = false
    const next = this.#next
    this.#next = undefined
    if (next) await this.#keep(next, late)
  }

  /** After `dispose`, too, but this keeps no Node process alive. */
  #bounded(stored: Promise<unknown>): Promise<void> {
    const { clock, settings } = this.#kernel
    return new Promise((resolve) => {
      const timer = unref(clock.setTimeout(resolve, settings.timeouts.refresh))
      void stored.then(() => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
  }

  dispose(reason: unknown): void {
    this.#lifetime.abort(reason)
  }
}

/** Turns within one session, for cookie mode without a coordinator. */
export function localTurns(): Turns {
  const mutex = new Mutex()
  return { exclusive: (_name, task) => mutex.run(task) }
}
