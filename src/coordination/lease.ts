import { background, pause, startWait, type Wait } from './waiting.ts'

/** The part of a `Storage` that leases need. */
export type LeaseStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** How long a lease lives that nobody renews, in milliseconds: so long a tab that crashed is waited for. */
const LEASE = 3_000
/**
 * How long a claim is left to show whether another tab made one, too: twice as long as a write takes to reach all tabs, for
 * the other tab may have written just before it saw this claim.
 */
const SETTLE = 200
/** How often a lease that somebody else has is looked at. */
const POLL = 50

/**
 * Runs a task under a lease in a storage that the tabs share, for where there are no Web Locks.
 *
 * A storage cannot compare and set, so a lease is claimed by writing it and looking, a moment later, whether it still
 * stands (Fischer's algorithm). That holds as long as a write reaches every tab within that moment, and the holder's timers
 * run: a tab that is frozen loses its lease without knowing. So a lease makes it rare that two tabs run at once, and what
 * they write has to be guarded all the same.
 */
export async function underLease<T>(
  storage: LeaseStorage,
  key: string,
  task: () => Promise<T>,
  wait: Wait,
): Promise<T> {
  const owner = Math.random().toString(36).slice(2)
  const isMine = () => holderOf(storage.getItem(key)) === owner
  const claim = () => storage.setItem(key, `${Date.now() + LEASE} ${owner}`)
  /** A lease that cannot be given back runs out. */
  const release = () => {
    try {
      if (isMine()) storage.removeItem(key)
    } catch {}
  }

  const { signal, end } = startWait(wait)
  try {
    while (true) {
      signal.throwIfAborted()
      if (holderOf(storage.getItem(key))) await pause(POLL, signal)
      else {
        claim()
        await pause(SETTLE, signal)
        if (!signal.aborted && isMine()) break
      }
    }
  } catch (error) {
    release()
    throw error
  } finally {
    end()
  }

  const renew = () => {
    try {
      if (isMine()) claim()
      else clearInterval(heart)
    } catch {}
  }
  const heart = background(setInterval(renew, LEASE / 3))
  try {
    return await task()
  } finally {
    clearInterval(heart)
    release()
  }
}

/** Who holds the lease; nobody where it ran out, was written before the clock was set back, or is something else. */
function holderOf(lease: string | null): string | undefined {
  const [end, owner] = lease?.split(' ') ?? []
  const left = Number(end) - Date.now()
  return left > 0 && left <= LEASE ? owner : undefined
}
