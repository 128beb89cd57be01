import { unref } from '../core/platform/unref.ts'
import type { AbortSignalLike } from '../core/ports.ts'
import { patientClock } from '../environment/clock.ts'
import { outsideZones } from '../environment/outside-zones.ts'

/** Limits of the wait for a lock. It ends after `timeout` milliseconds, or as soon as `signal` aborts. */
export interface LockWait {
  readonly signal: AbortSignalLike
  readonly timeout: number
}

/**
 * Starts the timeout of a wait for a lock.
 *
 * @returns `signal`, which aborts when a limit of the wait is reached, and `end`, to be called once the lock is held
 */
export function startLockTimeout({ signal, timeout }: LockWait): {
  readonly signal: AbortSignal
  end(): void
} {
  const controller = new AbortController()
  const abort = (reason: unknown) => {
    end()
    controller.abort(reason)
  }
  const onAbort = () => abort(signal.reason)
  const end = () => {
    patientClock.clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
  const timer = patientClock.setTimeout(() => {
    abort(new DOMException(`The lock was not free within ${timeout} ms.`, 'TimeoutError'))
  }, timeout)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  return { signal: controller.signal, end }
}

/** Resolves after `delay` milliseconds, or when `signal` aborts. Does not keep a Node process alive. */
export function pause(delay: number, signal?: AbortSignalLike): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = unref(outsideZones(() => setTimeout(end, delay)))
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
  })
}
