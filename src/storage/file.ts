import { mayReplace } from '../../machines/policies.ts'
import { removeMark } from '../coordination/file-mark.ts'
import { StorageError } from '../core/errors.ts'
import type { StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import { isPromiseLike } from '../core/platform/promise-like.ts'
import type { Replaced, SessionRecord, SessionStorage, StoredRotation } from '../core/ports.ts'
import { isSessionRecord } from '../core/session/record.ts'
import { PLACE } from '../core/session/same-store.ts'
import { codeOf, locate, type NodeFile } from '../environment/node.ts'
import { exclusively, readFile, replaceFile, sweep } from './atomic-file.ts'
import { parseRecord } from './json.ts'

/**
 * Stores the session in a file, for command-line tools and other processes of one user. Only that user can read the file
 * (mode 0600; on Windows, the permissions of its folder apply). The file is replaced as a whole: a reader finds the old
 * record or the new one, even if the writer is killed. A missing folder is created (mode 0700). If other users may read the
 * file, their access is removed at the first read. Only a regular file of this user is read, of at most a megabyte. A symbolic
 * link is never followed: it counts as a missing file, and the next write replaces it.
 *
 * Reads and writes are synchronous, which blocks the process for some milliseconds at each refresh. So the file contains a
 * new token before a request can use it, and a tool may call `process.exit()` as soon as it has its result.
 *
 * If several processes share the file, give each a `fileCoordinator` of the same path. Otherwise two of them may present the
 * same refresh token at once.
 *
 * @param path the file, absolute or relative to the current working directory. `~` is not expanded
 * @returns the value of the option `storage` of `createAuth`. It reports its own changes and those of other processes, if
 * the file system does. It does not keep the process alive. Its methods throw a `StorageError`. The `reason` is
 * `'invalid_record'` if the file is not JSON, `'not_a_file'`, `'foreign_owner'` or `'too_large'` if it is not read, and
 * `'unsupported'` outside Node, Deno and Bun. Otherwise it is the code of the
 * system, such as `'ENOSPC'` or `'EACCES'`. Before Node 20.16 the first calls return a promise
 *
 * @example
 * ```ts
 * const path = join(homedir(), '.config', 'my-tool', 'session.json')
 * createAuth({ refresh, storage: fileStorage(path), coordinator: fileCoordinator(path) })
 * ```
 */
export function fileStorage(path: string | URL): StorageFeature {
  const place = locate(path)
  let narrowed = false
  let swept = false

  function use<T>(operation: (place: NodeFile) => T): T | Promise<T> {
    const run = (found: NodeFile): T => {
      try {
        return operation(found)
      } catch (error) {
        throw failure(error)
      }
    }
    const found = place()
    return isPromiseLike(found) ? Promise.resolve(found).catch(fail).then(run) : run(found)
  }

  /** Returns whether it was written: `isHeld` says whether it may be. */
  function write(place: NodeFile, record: SessionRecord, isHeld = () => true): boolean {
    if (!replaceFile(place, JSON.stringify(record), isHeld)) return false
    // What was presented is answered.
    removeMark(place)
    if (!swept) sweep(place)
    swept = true
    return true
  }

  function replace(place: NodeFile, record: SessionRecord, expected: StoredRotation | undefined): Replaced {
    const result = exclusively(place, (isHeld) => {
      const text = textOf(place)
      if (text === undefined && expected) return 'gone'
      const stored = recordIn(text)
      if (stored && !mayReplace(record, stored, expected)) return 'newer'
      return write(place, record, isHeld) ? 'written' : undefined
    })
    // This process was stopped in the middle of its step, and another one has changed the file since.
    return result ?? replace(place, record, expected)
  }

  /** Not while another process writes, because its write would undo the removal. */
  function clear(place: NodeFile): void {
    const { fs, file, folder } = place
    const remove = () => {
      fs.rmSync(file, { force: true })
      removeMark(place)
      sweep(place)
    }
    if (!fs.lstatSync(folder, { throwIfNoEntry: false })) return
    try {
      exclusively(place, remove)
    } catch {
      // Without a turn it is removed all the same: a user who signs out must not stay signed in.
      remove()
    }
  }

  return withSharing<SessionStorage>({
    [PLACE]: () => [globalThis, `file ${(place() as NodeFile).file ?? path}`],
    read: () =>
      use((place) => {
        // Only once: some file systems report success but change nothing.
        const text = readFile(place, { narrow: !narrowed })
        narrowed = true
        return parseRecord(text)
      }),
    write: (record) => use((place) => void write(place, record)),
    replace: (record, expected) => use((place) => replace(place, record, expected)),
    clear: () => use(clear),
    subscribe(onChange) {
      let stop: (() => void) | undefined = () => {}
      const start = async () => {
        const { fs, folder, name } = await place()
        if (!stop) return
        fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
        // Watch the folder, because a watch of the file ends when the file is replaced.
        const watcher = fs.watch(folder, { persistent: false }, (_, changed) => {
          if (changed === name || changed === null) onChange()
        })
        watcher.on('error', () => watcher.close())
        stop = () => watcher.close()
      }
      // Change events are optional: without them the session reads the new record at its next refresh.
      start().catch(() => {})
      return () => {
        stop?.()
        stop = undefined
      }
    },
  })
}

/** What cannot be read may be replaced, like a damaged record. */
function textOf(place: NodeFile): string | undefined {
  try {
    return readFile(place, { narrow: false })
  } catch {
    return ''
  }
}

/** A damaged record may be replaced. */
function recordIn(text: string | undefined): SessionRecord | undefined {
  try {
    const stored = parseRecord(text)
    return isSessionRecord(stored) ? stored : undefined
  } catch {
    return undefined
  }
}

function failure(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const reason = codeOf(error) ?? 'unsupported'
  return new StorageError(`The session file cannot be accessed (${reason}).`, { reason, cause: error })
}

const fail = (error: unknown): never => {
  throw failure(error)
}
