import { StorageError } from '../core/errors.ts'
import type { SessionStorage } from '../core/ports.ts'
import { codeOf, locate, type Place } from '../environment/node.ts'
import { readFile, replaceFile, sweep } from './atomic-file.ts'
import { parseRecord } from './json.ts'

/**
 * Keeps the session in a file, for command-line tools and other processes of one user. The file is readable for that user
 * only (mode 0600; on Windows, what its folder grants), and is replaced as a whole: a reader finds the old record or the new
 * one, whenever the writer dies. A missing folder is made (mode 0700). A file that others may read is narrowed when it is
 * first read. A symbolic link is replaced, not followed.
 *
 * It reads and writes synchronously. That blocks the process for some milliseconds at each renewal, and nobody is given a
 * renewed token before the file holds it: a tool may call `process.exit()` as soon as it has what it wants.
 *
 * Where several processes share the file, give them a `fileCoordinator` of the same path, or two of them will present the
 * same refresh token at once.
 *
 * @param path the file, absolute or relative to the working directory of now; `~` is not expanded
 * @returns a store that hears of changes by other processes, and of its own, where the file system tells of them. It does
 * not keep the process alive. Its methods throw a `StorageError`; `reason` is `'invalid_record'` for what is no JSON,
 * `'unsupported'` outside Node, Deno and Bun, and otherwise the system's code, such as `'ENOSPC'` or `'EACCES'`. Before
 * Node 20.16 what it is asked first answers with a promise
 *
 * @example
 * ```ts
 * const path = join(homedir(), '.config', 'my-tool', 'session.json')
 * createAuth({ refresh, storage: fileStorage(path), coordinator: fileCoordinator(path) })
 * ```
 */
export function fileStorage(path: string | URL): SessionStorage {
  const place = locate(path)
  let narrowed = false
  let swept = false

  function use<T>(operation: (place: Place) => T): T | Promise<T> {
    const attempt = (found: Place): T => {
      try {
        return operation(found)
      } catch (error) {
        throw failure(error)
      }
    }
    const found = place()
    return found instanceof Promise ? found.catch(fail).then(attempt) : attempt(found)
  }

  return {
    read: () =>
      use((place) => {
        // Once, because there are file systems that agree to it and change nothing.
        const text = readFile(place, { narrow: !narrowed })
        narrowed = true
        return text === undefined ? undefined : parseRecord(text)
      }),
    write: (record) =>
      use((place) => {
        replaceFile(place, JSON.stringify(record))
        if (!swept) sweep(place)
        swept = true
      }),
    clear: () =>
      use((place) => {
        place.fs.rmSync(place.file, { force: true })
        sweep(place)
      }),
    subscribe(onChange) {
      let stop: (() => void) | undefined = () => {}
      const start = async () => {
        const { fs, folder, name } = await place()
        if (!stop) return
        fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
        // The folder, because the file that is watched goes when another takes its place.
        const watcher = fs.watch(folder, { persistent: false }, (_, changed) => {
          if (changed === name || changed === null) onChange()
        })
        watcher.on('error', () => watcher.close())
        stop = () => watcher.close()
      }
      // Changes are hints: without them a process finds out when it renews.
      start().catch(() => {})
      return () => {
        stop?.()
        stop = undefined
      }
    },
  }
}

function failure(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const reason = codeOf(error) ?? 'unsupported'
  return new StorageError(`The session cannot be kept in a file here (${reason}).`, { reason, cause: error })
}

const fail = (error: unknown): never => {
  throw failure(error)
}
