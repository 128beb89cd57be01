import type { AbortSignalLike, Coordinator } from '../core/ports.ts'
import { systemClock } from '../environment/clock.ts'
import { locate, type Place } from '../environment/node.ts'
import { type FileLock, openLock, type Turn } from './file-lock.ts'

/** Options of `fileCoordinator`. */
export interface FileCoordinatorOptions {
  /**
   * After how many milliseconds without a sign of life the lock of a process on another machine, or in another container,
   * is taken from it. A dead process of the same machine is noticed at once. Default: 10,000.
   */
  readonly staleAfter?: number
}

/** How long who waits sleeps between two looks, where the file system does not wake it. In milliseconds. */
const LOOK_AFTER = 50

/**
 * Keeps processes that share the file of a `fileStorage` from exchanging its refresh token at the same time. The lock lives
 * in a folder beside the file, `<path>.lock`, which stays there with a small file in it, and can be deleted when no process
 * uses it. It holds no token. It is advisory: who does not ask for it is not kept from anything.
 *
 * A process that dies with the lock is noticed: at once by processes of the same machine and container, and after
 * `staleAfter` by all others. One that shows no life for that long, because it was stopped, loses the lock as well; its
 * session finds out when it is to commit.
 *
 * Processes hear of each other's changes through the store, so `announce` and `subscribe` do nothing here.
 *
 * @param path the same path as the store's
 * @param options `staleAfter` in milliseconds
 * @returns a coordinator. `exclusive` rejects with a `TimeoutError` where the lock was not free in time, with the reason of
 * the signal, with what the file system says, such as `EROFS`, or with a `TypeError` outside Node, Deno and Bun
 * @throws RangeError where `staleAfter` is not a number above 0
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: fileStorage(path), coordinator: fileCoordinator(path) })
 * ```
 */
export function fileCoordinator(path: string | URL, options: FileCoordinatorOptions = {}): Coordinator {
  const { staleAfter = 10_000 } = options
  if (!(staleAfter > 0 && staleAfter < Number.POSITIVE_INFINITY))
    throw new RangeError(`fileCoordinator: staleAfter must be a number above 0, not ${staleAfter}.`)
  const place = locate(path)

  return {
    async exclusive(name, task, { signal, timeout }) {
      const turn = await wait(await place(), name, { signal, timeout, staleAfter })
      try {
        return await task()
      } finally {
        await turn.release()
      }
    },
    announce() {},
    subscribe: () => () => {},
  }
}

interface Wait {
  readonly signal: AbortSignalLike
  readonly timeout: number
  readonly staleAfter: number
}

/** Looks at the lock until it is free, and gives up when time is up or the signal aborts. */
function wait(place: Place, name: string, { signal, timeout, staleAfter }: Wait): Promise<Turn> {
  return new Promise((resolve, reject) => {
    let over = false
    let wake = () => {}
    let watcher: { close(): void } | undefined

    const finish = (settle: () => void) => {
      over = true
      systemClock.clearTimeout(deadline)
      signal.removeEventListener('abort', abort)
      watcher?.close()
      wake()
      settle()
    }
    const abort = () => finish(() => reject(signal.reason))
    const deadline = systemClock.setTimeout(() => {
      const error = new DOMException(`The lock of ${place.file} was not free in time.`, 'TimeoutError')
      finish(() => reject(error))
    }, timeout)
    signal.addEventListener('abort', abort)
    if (signal.aborted) return abort()

    async function look(lock: FileLock) {
      while (!over) {
        // Made before the look, so that what happens meanwhile is not slept through.
        const change = new Promise<void>((resolve) => {
          wake = resolve
        })
        const turn = await lock.attempt()
        if (turn && over) await turn.release()
        else if (turn) return finish(() => resolve(turn))
        if (!over && !watcher) {
          watcher = watch(place, lock.folder, () => wake())
          continue
        }
        // Not all at the same time: who waits would go on to look in step.
        const timer = setTimeout(wake, LOOK_AFTER * (0.5 + Math.random()))
        await change
        clearTimeout(timer)
      }
    }

    openLock(place, encodeURIComponent(name), staleAfter)
      .then((lock) => (over ? undefined : look(lock)))
      .catch((error) => finish(() => reject(error)))
  })
}

/** Wakes at once where the file system tells of changes; elsewhere looking now and then does. */
function watch({ fs }: Place, folder: string, onChange: () => void): { close(): void } {
  try {
    return fs.watch(folder, { persistent: false }, onChange).on('error', () => {})
  } catch {
    return { close() {} }
  }
}
