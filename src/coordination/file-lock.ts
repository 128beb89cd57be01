import { unref } from '../core/platform/unref.ts'
import { codeOf, type FileStats, isOwnFile, type NodeFile, readingFlags } from '../environment/node.ts'
import { hasExited, parseOwner, thisProcess } from './lock-owner.ts'

/** A lock that is held. */
export interface HeldLock {
  /** Grows with each holder. */
  readonly number: number
  /** How long it is held without a heartbeat, in milliseconds. */
  readonly staleAfter: number
  /** Whether no other process has taken it over. */
  isLast(): Promise<boolean>
  release(): Promise<void>
}

export interface FileLock {
  readonly folder: string
  /** Takes the lock if it is free. Never waits. */
  attempt(): Promise<HeldLock | undefined>
}

/** A released turn sets the time of its file to 0. Some file systems store their earliest time instead, so compare with this. */
const RELEASED = /* @__PURE__ */ Date.UTC(1981)

/**
 * Opens a lock made of numbered files in a folder beside `file`, one file for each turn. The process that creates the file
 * with the highest number holds the lock. Its turn ends when it marks the file as released, when it exits, or when it has not
 * touched the file for `staleAfter` milliseconds.
 *
 * Only one process can create the next file, so only one takes over a stale lock, however many notice that it is stale. If
 * the old owner continues, it releases its own turn and no other. The last file stays, because it holds the number.
 */
export async function openLock(place: NodeFile, name: string, staleAfter: number): Promise<FileLock> {
  const { fs, path, file } = place
  const { open, readdir, rm, lstat, mkdir } = fs.promises
  const folder = `${file}.lock`
  const self = await thisProcess(place)
  const heartbeat = staleAfter / 5
  let suspect: { turn: number; changed: number; since: number } | undefined

  const fileOf = (turn: number) => path.join(folder, `${name}.${turn}`)

  async function readLockFile(turnFile: string): Promise<string> {
    const handle = await open(turnFile, readingFlags(fs.constants))
    try {
      return isLockFile(await handle.stat()) ? await handle.readFile('utf8') : ''
    } finally {
      await handle.close()
    }
  }

  async function turns(): Promise<number[]> {
    const entries = (await readdir(folder)).filter((entry) => entry.startsWith(`${name}.`))
    return entries.map((entry) => Number(entry.slice(name.length + 1))).filter(Number.isSafeInteger)
  }

  async function hasEnded(turn: number): Promise<boolean> {
    const now = performance.now()
    const stats = await lstat(fileOf(turn))
    const changed = stats.mtimeMs
    // A link, a pipe or a file of another user is no turn of a lock: it holds nothing, and is removed with past turns.
    if (changed < RELEASED || !isLockFile(stats)) return true
    const owner = parseOwner(await readLockFile(fileOf(turn)))
    if (owner && (await hasExited(fs, owner, self))) return true
    if (Date.now() - changed <= staleAfter) return false
    // After a sleep of the machine every lock looks stale. So give the owner time for another heartbeat.
    if (suspect?.turn === turn && suspect.changed === changed) return now - suspect.since > 1.5 * heartbeat
    suspect = { turn, changed, since: performance.now() }
    return false
  }

  async function take(turn: number): Promise<HeldLock | undefined> {
    const handle = await open(fileOf(turn), 'wx', 0o600)
    let touching: Promise<void> = Promise.resolve()
    const touch = (at: number) => handle.utimes(at, at).catch(() => {})
    const timer = unref(
      setInterval(() => {
        touching = touch(Date.now() / 1_000)
      }, heartbeat),
    )
    const release = async () => {
      clearInterval(timer)
      await touching
      await touch(0)
      await handle.close().catch(() => {})
    }
    try {
      await handle.writeFile(JSON.stringify(self))
      // A slow process may have created a file for a turn that has long ended and been removed.
      const isLast = async () => highest(await turns()) === turn
      if (await isLast()) return { number: turn, staleAfter, isLast, release }
    } catch (error) {
      await release()
      throw error
    }
    await release()
    await rm(fileOf(turn), { force: true })
    return undefined
  }

  return {
    folder,
    async attempt() {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        const stats = await lstat(folder)
        if (!stats.isDirectory() || !isOwnFile(stats))
          throw new TypeError(`${folder} must be a folder of this user.`)
        const past = await turns()
        const last = highest(past)
        if (last > 0 && !(await hasEnded(last))) return undefined
        const turn = await take(last + 1)
        if (turn) await Promise.all(past.map((old) => rm(fileOf(old), { force: true }).catch(() => {})))
        return turn
      } catch (error) {
        // Another process was faster: it took this turn, or removed its file.
        if (['EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) return undefined
        throw error
      }
    },
  }
}

/** The largest lock file that is read, in bytes. */
const LARGEST = 4_096

/** Whether a file may be part of a lock: a regular file of this user, and a small one. */
export const isLockFile = (stats: FileStats) => stats.isFile() && isOwnFile(stats) && stats.size <= LARGEST

/** Not `Math.max(...)`, because a folder may have more entries than a call may have arguments. */
const highest = (turns: readonly number[]) => turns.reduce((most, turn) => Math.max(most, turn), 0)
