import type { NodeFile } from '../environment/node.ts'

/** The process that holds a lock. */
export interface LockOwner {
  readonly pid: number
  /** When the process started, in units of its system, because a pid can be reused. Some systems do not report it. */
  readonly start: string | undefined
  /** The scope of the pid: the host, its current boot, and the container. */
  readonly machine: string
}

type Fs = NodeFile['fs']

export async function thisProcess({ fs, os }: NodeFile): Promise<LockOwner> {
  const { pid } = process
  const identifiers = await Promise.all([
    os.hostname(),
    fs.promises.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    fs.promises.readlink('/proc/self/ns/pid').catch(() => ''),
  ])
  return { pid, start: await startTimeOf(fs, pid), machine: identifiers.join(' ').trim() }
}

/** Whether the owner has certainly exited. Only processes of its own machine can know that. */
export async function hasExited(fs: Fs, owner: LockOwner, { machine }: LockOwner): Promise<boolean> {
  if (owner.machine !== machine) return false
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  return owner.start !== undefined && owner.start !== (await startTimeOf(fs, owner.pid))
}

/** Parses the content of a lock file. Returns `undefined` if the owner was interrupted before it had written all of it. */
export function parseOwner(text: string): LockOwner | undefined {
  try {
    return ownerIn(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** The owner in a parsed file; `undefined` for anything else. */
export function ownerIn(value: unknown): LockOwner | undefined {
  const { pid, start, machine } = Object(value) as LockOwner
  return Number.isInteger(pid) && pid > 0 ? { pid, start, machine } : undefined
}

async function startTimeOf(fs: Fs, pid: number): Promise<string | undefined> {
  const text = await fs.promises.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field is the process name in brackets. It may contain spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // A zombie has ended, but its parent has not collected it yet.
  return fields[0] === 'Z' ? undefined : fields[19]
}
