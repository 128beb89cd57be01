import { codeOf, type Place } from '../environment/node.ts'

/** Longer than any write takes: after that, its temporary file belongs to nobody. In milliseconds. */
const ABANDONED = 60_000

const TEMPORARY = /^\.[\da-f]{8}-[\da-f-]{27}\.tmp$/

/** Gives what the file says, if there is one. `narrow` takes it from everybody but its owner first. */
export function readFile({ fs, file }: Place, { narrow }: { narrow: boolean }): string | undefined {
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

/** Puts a file with this text, mode 0600, in the place of what was there. Either that happens, or nothing. */
export function replaceFile({ fs, file, folder }: Place, text: string): void {
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
  // Or a power cut brings the old record back, with a refresh token that is spent. Not every system lets one do that.
  attempt(() => {
    const opened = fs.openSync(folder, 'r')
    try {
      fs.fsyncSync(opened)
    } finally {
      fs.closeSync(opened)
    }
  })
}

/** Removes what writers left behind that were killed while they wrote. */
export function sweep({ fs, path, folder, name }: Place): void {
  const remains = (entry: string) => entry.startsWith(name) && TEMPORARY.test(entry.slice(name.length))
  let entries: string[] = []
  attempt(() => {
    entries = fs.readdirSync(folder).filter(remains)
  })
  for (const entry of entries) {
    const temporary = path.join(folder, entry)
    attempt(() => {
      if (Date.now() - fs.statSync(temporary).mtimeMs > ABANDONED) fs.rmSync(temporary)
    })
  }
}

/** On Windows, whoever reads the file keeps it from being replaced for that moment. */
function rename(fs: Place['fs'], from: string, to: string): void {
  for (let tries = process.platform === 'win32' ? 20 : 1; ; tries--) {
    try {
      fs.renameSync(from, to)
      return
    } catch (error) {
      if (tries <= 1 || !['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? '')) throw error
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25)
  }
}

/** What is good to have and no reason to fail. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // As said.
  }
}
