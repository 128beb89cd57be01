import type { AbortSignalLike } from '../ports.ts'
import { abortReason } from './abort-reason.ts'
import { onAbort } from './on-abort.ts'

/**
 * Waits for work no longer than until a signal aborts. The work itself goes on.
 *
 * @throws the reason of the signal, as soon as it aborts
 */
export async function untilAborted<T>(work: T | PromiseLike<T>, signal: AbortSignalLike): Promise<T> {
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(abortReason(signal))
    else stop = onAbort(signal, () => reject(abortReason(signal)))
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    stop()
  }
}
