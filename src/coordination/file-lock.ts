import { codeOf, type Place } from '../environment/node.ts'
import { isDead, parseHolder, thisProcess } from './holder.ts'

/** A turn that somebody has: `release` ends it. */
export interface Turn {
  release(): Promise<void>
}

/** Looks at a lock for one who waits for it. */
export interface FileLock {
  readonly folder: string
  /** Takes the lock where it is free: at once, or not at all. */
  attempt(): Promise<Turn | undefined>
}

/** A file last changed at 0, or at the first instant that its file system knows, is of a turn that is over. */
const RELEASED = Date.UTC(1981)

/**
 * A lock made of numbered files, one for each turn, in a folder beside `file`. Whoever creates the file of the highest
 * number holds the lock until the file says that the turn is over, or its holder is dead or shows no life for `staleAfter`
 * milliseconds. The file of the next number can be created once, so a stale lock is taken over by one process however many
 * find it stale, and a holder that comes back to life releases its own turn and nobody else's. The last file stays, for its
 * number.
 */
export async function openLock(place: Place, name: string, staleAfter: number): Promise<FileLock> {
  const { fs, path, file } = place
  const { open, readdir, readFile, rm, stat, mkdir } = fs.promises
  const folder = `${file}.lock`
  const self = await thisProcess(place)
  const beat = staleAfter / 5
  let suspect: { turn: number; changed: number; since: number } | undefined

  const fileOf = (turn: number) => path.join(folder, `${name}.${turn}`)

  async function turns(): Promise<number[]> {
    const entries = (await readdir(folder)).filter((entry) => entry.startsWith(`${name}.`))
    return entries.map((entry) => Number(entry.slice(name.length + 1))).filter(Number.isSafeInteger)
  }

  async function isOver(turn: number): Promise<boolean> {
    const now = performance.now()
    const changed = (await stat(fileOf(turn))).mtimeMs
    if (changed < RELEASED) return true
    const holder = parseHolder(await readFile(fileOf(turn), 'utf8'))
    if (holder && (await isDead(fs, holder, self))) return true
    if (Date.now() - changed <= staleAfter) return false
    // A machine that wakes up finds every lock old. Its holder is given the time to show that it is awake as well.
    if (suspect?.turn === turn && suspect.changed === changed) return now - suspect.since > 1.5 * beat
    suspect = { turn, changed, since: performance.now() }
    return false
  }

  async function take(turn: number): Promise<Turn | undefined> {
    const handle = await open(fileOf(turn), 'wx', 0o600)
    let beating: Promise<void> = Promise.resolve()
    const touch = (at: number) => handle.utimes(at, at).catch(() => {})
    const timer = setInterval(() => {
      beating = touch(Date.now() / 1_000)
    }, beat)
    timer.unref()
    const release = async () => {
      clearInterval(timer)
      await beating
      await touch(0)
      await handle.close().catch(() => {})
    }
    try {
      await handle.writeFile(JSON.stringify(self))
      // Who was slow may find free the number of a turn that is long over.
      if (Math.max(...(await turns())) === turn) return { release }
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
        const past = await turns()
        const last = Math.max(0, ...past)
        if (last > 0 && !(await isOver(last))) return undefined
        const turn = await take(last + 1)
        if (turn) await Promise.all(past.map((old) => rm(fileOf(old), { force: true }).catch(() => {})))
        return turn
      } catch (error) {
        // Somebody else was faster, and has taken that turn or cleared it away.
        if (['EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) return undefined
        throw error
      }
    },
  }
}
