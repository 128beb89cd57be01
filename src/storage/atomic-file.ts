import { codeOf, type NodeFile } from '../environment/node.ts'

/** Age after which a temporary file counts as abandoned, in milliseconds. No write takes that long. */
const ABANDONED = 60_000

const TEMPORARY = /^\.[\da-f]{8}-[\da-f-]{27}\.tmp$/

/**
 * Reads the file.
 *
 * @param options `narrow` first removes the access of other users
 * @returns its text, or `undefined` if the file does not exist
 */
export function readFile({ fs, file }: NodeFile, { narrow }: { narrow: boolean }): string | undefined {
  let opened: number
  try {
    opened = fs.openSync(file, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    if (narrow && process.platform !== 'win32' && fs.fstatSync(opened).mode & 0o077) {
      attempt(() => fs.fchmodSync(opened, 0o600))
    }
    return fs.readFileSync(opened, 'utf8')
  } finally {
    fs.closeSync(opened)
  }
}

/** Replaces the file by one with this text and mode 0600. If that fails, the old file stays as it was. */
export function replaceFile({ fs, file, folder }: NodeFile, text: string): void {
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
      if (Date.now() - fs.statSync(temporary).mtimeMs > ABANDONED) fs.rmSync(temporary)
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
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25)
  }
}

function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // Best effort: ignore errors.
  }
}
