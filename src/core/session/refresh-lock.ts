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

  constructor(kernel: Kernel, coordinator: Pick<Coordinator, 'exclusive'> | undefined) {
    this.#kernel = kernel
    this.#coordinator = coordinator
  }

  /** Runs `task` once. `patience`: how long to wait for the lock, in milliseconds. */
  async run<T>(task: () => Promise<T>, patience: number): Promise<T> {
    if (!this.#coordinator) return task()
    const { clock } = this.#kernel
    const { signal } = this.#lifetime
    let started: Promise<T> | undefined
    const once = () => {
      clock.clearTimeout(timer)
      started ??= task()
      return started
    }
    let giveUp = () => {}
    const outOfPatience = new Promise<void>((resolve) => {
      giveUp = resolve
    })
    const timer = clock.setTimeout(giveUp, patience)
    const stop = onAbort(signal, giveUp)
    try {
      const turn = this.#coordinator.exclusive('refresh', once, { signal, timeout: patience })
      await Promise.race([turn, outOfPatience])
    } catch {
      // If the task failed, `once` rejects below. If the lock failed, the task runs without it.
    } finally {
      clock.clearTimeout(timer)
      stop()
    }
    if (signal.aborted) throw signal.reason
    return once()
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
