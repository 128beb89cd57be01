import { type NodeFile, readingFlags } from '../environment/node.ts'
import { isLockFile } from './file-lock.ts'
import { type LockOwner, ownerIn } from './lock-owner.ts'

/** Says that a refresh token left, and that its answer is not stored. It names no token. */
export interface FileMark {
  readonly rotation: number
  /** A random name of the coordinator that presented the token. */
  readonly by: string
  /** `undefined` if the process was interrupted while it wrote. */
  readonly owner: LockOwner | undefined
}

const fileOf = ({ path, file }: NodeFile) => path.join(`${file}.lock`, 'presented')

export function readMark(place: NodeFile): FileMark | undefined {
  const { fs } = place
  let opened: number
  try {
    opened = fs.openSync(fileOf(place), readingFlags(fs.constants))
  } catch {
    return undefined
  }
  try {
    return isLockFile(fs.fstatSync(opened)) ? parse(fs.readFileSync(opened, 'utf8')) : undefined
  } finally {
    fs.closeSync(opened)
  }
}

export function writeMark(place: NodeFile, mark: FileMark): void {
  const { fs, path, file } = place
  const temporary = path.join(`${file}.lock`, `presented.${crypto.randomUUID()}.tmp`)
  fs.writeFileSync(temporary, JSON.stringify(mark), { flag: 'wx', mode: 0o600 })
  fs.renameSync(temporary, fileOf(place))
}

/** To be called when the answer is stored, or none will come. */
export function removeMark(place: NodeFile): void {
  try {
    place.fs.rmSync(fileOf(place), { force: true })
  } catch {
    // Then the next process waits for nothing.
  }
}

function parse(text: string): FileMark | undefined {
  try {
    const { rotation, by, owner } = JSON.parse(text) as Record<string, unknown>
    if (!Number.isSafeInteger(rotation) || typeof by !== 'string') return undefined
    return { rotation: rotation as number, by, owner: ownerIn(owner) }
  } catch {
    return undefined
  }
}
