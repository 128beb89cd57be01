import type { Place } from '../environment/node.ts'

/** Which process holds a lock. */
export interface Holder {
  readonly pid: number
  /** When the process began, as its system counts: a pid is used again. Not known on every system. */
  readonly start: string | undefined
  /** Where the pid means something: the machine, since it was started, and the container. */
  readonly machine: string
}

type Fs = Place['fs']

export async function thisProcess({ fs, os }: Place): Promise<Holder> {
  const { pid } = process
  const known = await Promise.all([
    os.hostname(),
    fs.promises.readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    fs.promises.readlink('/proc/self/ns/pid').catch(() => ''),
  ])
  return { pid, start: await startOf(fs, pid), machine: known.join(' ').trim() }
}

/** Whether it is sure that a holder is gone: only its own machine can tell. */
export async function isDead(fs: Fs, holder: Holder, { machine }: Holder): Promise<boolean> {
  if (holder.machine !== machine) return false
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  return holder.start !== undefined && holder.start !== (await startOf(fs, holder.pid))
}

/** Reads what a holder wrote of itself, where it came to it. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, start, machine } = JSON.parse(text) as Holder
    return Number.isInteger(pid) && pid > 0 ? { pid, start, machine } : undefined
  } catch {
    return undefined
  }
}

async function startOf(fs: Fs, pid: number): Promise<string | undefined> {
  const text = await fs.promises.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The second field is a name in brackets, which may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // A zombie has ended, and waits for its parent to notice.
  return fields[0] === 'Z' ? undefined : fields[19]
}
