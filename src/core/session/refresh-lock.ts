import type { Kernel } from '../kernel.ts'
import { createAbortController } from '../platform/globals.ts'
import { Mutex } from '../platform/mutex.ts'
import { onAbort } from '../platform/on-abort.ts'
import type { Coordinator } from '../ports.ts'

/**
 * The coordinator's lock, with bounded patience. If the lock cannot be had, the task runs without it: its commit is guarded
 * by compare-and-set.
 */
export class RefreshLock {
  readonly #kernel: Kernel
  readonly #coordinator: Pick<Coordinator, 'exclusive'> | undefined
  readonly #lifetime = createAbortController()
  /** Whether the lock is kept after an attempt. */
  #isKept = false
  /** The next attempt, if it has begun while the lock was kept. */
  #next: Promise<unknown> | undefined

  constructor(kernel: Kernel, coordinator: Pick<Coordinator, 'exclusive'> | undefined) {
    this.#kernel = kernel
    this.#coordinator = coordinator
  }

  /** As `Sharing.withLock`. */
  refresh<T>(attempt: () => Promise<T>, late: () => Promise<void> | undefined): Promise<T> {
    if (!this.#isKept) return this.run(attempt, this.#kernel.settings.timeouts.lock, late)
    const attempted = attempt()
    this.#next = attempted
    return attempted
  }

  /**
   * Runs `task` once.
   *
   * @param patience how long to wait for the lock, in milliseconds
   * @param late as in `Sharing.withLock`
   */
  async run<T>(task: () => Promise<T>, patience: number, late?: () => Promise<void> | undefined): Promise<T> {
    if (!this.#coordinator) return task()
    const { clock } = this.#kernel
    const { signal } = this.#lifetime
    let started: Promise<T> | undefined
    const once = () => {
      clock.clearTimeout(timer)
      started ??= task()
      started.then(giveUp, giveUp)
      return started
    }
    const turn = () => (late ? this.#keep(once(), late) : once())
    let giveUp = () => {}
    const ended = new Promise<void>((resolve) => {
      giveUp = resolve
    })
    const timer = clock.setTimeout(giveUp, patience)
    const stop = onAbort(signal, giveUp)
    try {
      await Promise.race([
        this.#coordinator.exclusive<unknown>('refresh', turn, { signal, timeout: patience }),
        ended,
      ])
    } catch {
      // If the task failed, `once` rejects below. If the lock failed, the task runs without it.
    } finally {
      clock.clearTimeout(timer)
      stop()
    }
    if (signal.aborted) throw signal.reason
    return once()
  }

  /** Keeps the lock while the answer of a late attempt may come, for at most `timeouts.refresh`. */
  async #keep(attempted: Promise<unknown>, late: () => Promise<void> | undefined): Promise<void> {
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
  #bounded(stored: Promise<void>): Promise<void> {
    const { clock, settings } = this.#kernel
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, settings.timeouts.refresh)
      ;(timer as { unref?: () => void }).unref?.()
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
export class LocalTurns implements Pick<Coordinator, 'exclusive'> {
  readonly #mutex = new Mutex()

  exclusive<T>(_name: string, task: () => Promise<T>): Promise<T> {
    return this.#mutex.run(task)
  }
}
