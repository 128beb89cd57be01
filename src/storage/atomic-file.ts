import { StorageError } from '../core/errors.ts'
import { codeOf, type FileStats, isOwnFile, type NodeFile, readingFlags } from '../environment/node.ts'

/** Age after which a temporary file counts as abandoned, in milliseconds. No write takes that long. */
const ABANDONED = 60_000

const TEMPORARY = /^\.[\da-f]{8}-[\da-f-]{27}\.tmp$/

/** The largest file that is read, in bytes. A record has a few thousand. */
const LARGEST = 1_048_576

/**
 * Reads the file, if it is a regular file of this user. Does not follow a symbolic link, and does not wait for a pipe.
 *
 * @param options `narrow` first removes the access of other users
 * @returns its text, or `undefined` if the file does not exist or is a symbolic link
 * @throws StorageError with the reason `'not_a_file'`, `'foreign_owner'` or `'too_large'`
 */
export function readFile({ fs, file }: NodeFile, { narrow }: { narrow: boolean }): string | undefined {
  // Some runtimes ignore the flags, so look first; and look again afterwards, because the file may have been replaced.
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!found || found.isSymbolicLink()) return undefined
  check(found)
  let opened: number
  try {
    opened = fs.openSync(file, readingFlags(fs.constants))
  } catch (error) {
    // It was removed, or replaced by a link.
    if (['ENOENT', 'ELOOP', 'EMLINK'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
  try {
    check(fs.fstatSync(opened))
    if (narrow && process.platform !== 'win32' && fs.fstatSync(opened).mode & 0o077) {
      attempt(() => fs.fchmodSync(opened, 0o600))
    }
    return fs.readFileSync(opened, 'utf8')
  } finally {
    fs.closeSync(opened)
  }
}

function check(stats: FileStats): void {
  const reason = !stats.isFile()
    ? 'not_a_file'
    : !isOwnFile(stats)
      ? 'foreign_owner'
      : stats.size > LARGEST
        ? 'too_large'
        : undefined
  if (reason)
    throw new StorageError(`The session file must be a regular file of this user (${reason}).`, { reason })
}

/** Age after which the owner of an exclusive step counts as dead or stopped, in milliseconds. A step takes a few. */
const STUCK = 2_000

/**
 * Runs a short step while no other process runs one for the same file. Blocks until it is its turn.
 *
 * @param step is given a function that says whether no other process has taken over, because this one was stopped
 * @throws StorageError with the reason `'EBUSY'` if another step takes too long
 */
export function exclusively<T>({ fs, file, folder }: NodeFile, step: (isHeld: () => boolean) => T): T {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const claim = `${file}.claim`
  const began = performance.now()
  let opened: number | undefined
  while (opened === undefined) {
    try {
      opened = fs.openSync(claim, 'wx', 0o600)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      const found = fs.lstatSync(claim, { throwIfNoEntry: false })
      if (found && Date.now() - found.mtimeMs > STUCK) attempt(() => fs.rmSync(claim, { force: true }))
      else if (performance.now() - began > 2 * STUCK)
        throw new StorageError('Another process does not finish writing the session file (EBUSY).', {
          reason: 'EBUSY',
        })
      else sleep(2)
    }
  }
  const own = fs.fstatSync(opened).ino
  // Another process has removed it if this one was stopped meanwhile.
  const isHeld = () => fs.lstatSync(claim, { throwIfNoEntry: false })?.ino === own
  try {
    return step(isHeld)
  } finally {
    attempt(() => isHeld() && fs.rmSync(claim))
    fs.closeSync(opened)
  }
}

/**
 * Replaces the file by one with this text and mode 0600. If that fails, the old file stays as it was.
 *
 * @param mayReplace is asked at the last moment
 * @returns whether it was replaced
 */
export function replaceFile(
  { fs, file, folder }: NodeFile,
  text: string,
  mayReplace: () => boolean,
): boolean {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${file}.${crypto.randomUUID()}.tmp`
  try {
    const opened = fs.openSync(temporary, 'wx', 0o600)
    try {
      fs.writeFileSync(opened, text)
      fs.fsyncSync(opened)
    } finally {
      fs.closeSync(opened)
    }
    if (!mayReplace()) {
      fs.rmSync(temporary, { force: true })
      return false
    }
    rename(fs, temporary, file)
  } catch (error) {
    attempt(() => fs.rmSync(temporary, { force: true }))
    throw error
  }
  // Otherwise a power cut could bring back the old record with its spent refresh token. Some systems do not allow this.
  attempt(() => {
    const opened = fs.openSync(folder, 'r')
    try {
      fs.fsyncSync(opened)
    } finally {
      fs.closeSync(opened)
    }
  })
  return true
}

/** Removes the temporary files of processes that were killed during a write. */
export function sweep({ fs, path, folder, name }: NodeFile): void {
  const isTemporary = (entry: string) => entry.startsWith(name) && TEMPORARY.test(entry.slice(name.length))
  let entries: string[] = []
  attempt(() => {
    entries = fs.readdirSync(folder).filter(isTemporary)
  })
  for (const entry of entries) {
    const temporary = path.join(folder, entry)
    attempt(() => {
      if (Date.now() - fs.lstatSync(temporary).mtimeMs > ABANDONED) fs.rmSync(temporary)
    })
  }
}

/** On Windows, renaming onto an open file fails, so retry for half a second. */
function rename(fs: NodeFile['fs'], from: string, to: string): void {
  for (let attempts = process.platform === 'win32' ? 20 : 1; ; attempts--) {
    try {
      fs.renameSync(from, to)
      return
    } catch (error) {
      if (attempts <= 1 || !['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? '')) throw error
    }
    sleep(25)
  }
}

/** Blocks the process, in milliseconds. */
function sleep(time: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time)
}

function attempt(action: () => unknown): void {
  try {
    action()
  } catch {
    // Best effort: ignore errors.
  }
}
