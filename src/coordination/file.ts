import type { CoordinatorFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import type { Coordinator, TurnWait } from '../core/ports.ts'
import { patientClock } from '../environment/clock.ts'
import { locate, type NodeFile } from '../environment/node.ts'
import { AwaitedAnswer } from './awaited-answer.ts'
import { type FileLock, type HeldLock, openLock } from './file-lock.ts'
import { fileTurn, LOOK } from './file-turn.ts'

/** Options of `fileCoordinator`. */
export interface FileCoordinatorOptions {
  /**
   * After how many milliseconds without a heartbeat the lock of a process on another machine, or in another container, is
   * taken over. The exit of a process on the same machine is noticed at once. Default: 10,000.
   */
  readonly staleAfter?: number
}

/** Average time between two checks of the lock, in milliseconds, if the file system reports no change. */
const POLL = 50

/**
 * Prevents processes that share the file of a `fileStorage` from using its refresh token at the same time. The lock is a
 * folder beside the file, `<path>.lock`. It stays there with one small file, which contains no token. It can be deleted
 * when no process uses it. The lock is advisory: it does not stop a process that does not request it.
 *
 * If a process exits while it holds the lock, processes of the same machine and container notice at once, and all others
 * after `staleAfter`. A process that is stopped for that long loses the lock as well. If it had sent the refresh token, the next
 * one waits for its answer as long as it may come, before it sends the token again; if it exited, the next one does not wait.
 *
 * Processes notice each other's changes through the store, so `announce` and `subscribe` do nothing here.
 *
 * @param path the same path as the store's
 * @param options `staleAfter` in milliseconds
 * @returns the value of the option `coordinator` of `createAuth`. `exclusive` rejects with a `TimeoutError` if the lock was
 * not free in time, with the reason of the signal, with an error of the file system, such as `EROFS`, or with a `TypeError`
 * outside Node, Deno and Bun
 * @throws RangeError if `staleAfter` is not a finite number above 0
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: fileStorage(path), coordinator: fileCoordinator(path) })
 * ```
 */
export function fileCoordinator(
  path: string | URL,
  options: FileCoordinatorOptions = {},
): CoordinatorFeature {
  const { staleAfter = 10_000 } = options
  if (!(staleAfter > 0 && staleAfter < Number.POSITIVE_INFINITY))
    throw new RangeError(`fileCoordinator: staleAfter must be a finite number above 0, not ${staleAfter}.`)
  const place = locate(path)
  const by = Math.random().toString(36).slice(2)
  const awaited = new AwaitedAnswer<string>(2 * LOOK)

  return withSharing<Coordinator>({
    async exclusive(name, task, wait) {
      const found = await place()
      const lock = await waitForLock(found, name, staleAfter, wait)
      let held: Pick<HeldLock, 'release'> = lock
      try {
        const turn = await fileTurn(found, lock, by, wait, awaited)
        held = turn
        return await task(turn)
      } finally {
        await held.release()
      }
    },
    announce() {},
    subscribe: () => () => {},
  })
}

/** Checks the lock until it is free. Rejects when a limit of the wait is reached. */
function waitForLock(
  place: NodeFile,
  name: string,
  staleAfter: number,
  { signal, timeout }: TurnWait,
): Promise<HeldLock> {
  return new Promise((resolve, reject) => {
    let done = false
    let wake = () => {}
    let watcher: { close(): void } | undefined

    const finish = (complete: () => void) => {
      done = true
      patientClock.clearTimeout(deadline)
      signal.removeEventListener('abort', abort)
      watcher?.close()
      wake()
      complete()
    }
    const abort = () => finish(() => reject(signal.reason))
    const deadline = patientClock.setTimeout(() => {
      const message = `The lock of ${place.file} was not free within ${timeout} ms.`
      finish(() => reject(new DOMException(message, 'TimeoutError')))
    }, timeout)
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()

    async function poll(lock: FileLock) {
      while (!done) {
        // Created before the attempt, so that a change during the attempt is not missed.
        const change = new Promise<void>((resolve) => {
          wake = resolve
        })
        const turn = await lock.attempt()
        if (turn && done) await turn.release()
        else if (turn) return finish(() => resolve(turn))
        if (!done && !watcher) {
          watcher = watch(place, lock.folder, () => wake())
          continue
        }
        // A random delay keeps the waiting processes from checking in step.
        const timer = setTimeout(wake, POLL * (0.5 + Math.random()))
        await change
        clearTimeout(timer)
      }
    }

    openLock(place, encodeURIComponent(name), staleAfter)
      .then((lock) => (done ? undefined : poll(lock)))
      .catch((error) => finish(() => reject(error)))
  })
}

/** Reports changes in the folder. If the file system cannot, polling replaces it. */
function watch({ fs }: NodeFile, folder: string, onChange: () => void): { close(): void } {
  try {
    return fs.watch(folder, { persistent: false }, onChange).on('error', () => {})
  } catch {
    return { close() {} }
  }
}
