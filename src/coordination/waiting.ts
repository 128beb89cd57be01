import type { AbortSignalLike } from '../core/ports.ts'

/** How a turn is waited for: `timeout` milliseconds at most, and no longer than until `signal` aborts. */
export interface Wait {
  readonly signal: AbortSignalLike
  readonly timeout: number
}

/** Timers above this fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1

/** A signal that aborts when the wait is over without a turn, until `end` says that there was one. */
export function startWait({ signal, timeout }: Wait): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const giveUp = (reason: unknown) => {
    end()
    controller.abort(reason)
  }
  const left = () => giveUp(signal.reason)
  const end = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', left)
  }
  const timer =
    timeout > LONGEST_DELAY
      ? undefined
      : setTimeout(
          () => giveUp(new DOMException(`There was no turn in ${timeout} ms.`, 'TimeoutError')),
          timeout,
        )
  signal.addEventListener('abort', left)
  if (signal.aborted) left()
  return { signal: controller.signal, end }
}

/** Resolves after `delay` milliseconds, or when `signal` aborts. Keeps no Node process alive. */
export function pause(delay: number, signal: AbortSignalLike): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = background(setTimeout(end, delay))
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
}

/** In Node, timers and channels keep the process alive unless they are told not to. */
export function background<T>(handle: T): T {
  ;(handle as { unref?: () => void }).unref?.()
  return handle
}
