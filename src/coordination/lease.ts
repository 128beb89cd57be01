import { unref } from '../core/platform/unref.ts'
import { outsideZones } from '../environment/outside-zones.ts'
import { type LockWait, pause, startLockTimeout } from './lock-timeout.ts'

/** The part of a `Storage` that leases need. */
export type LeaseStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** How long a lease lasts if it is not extended, in milliseconds. Other tabs wait that long for a tab that crashed. */
const LEASE = 3_000
/**
 * How long a tab waits before it checks its claim, in milliseconds. It is twice the time in which a write reaches all tabs,
 * because another tab may have written its own claim just before it saw this one.
 */
const SETTLE = 200
/** How often a tab checks a lease of another tab, in milliseconds. */
const POLL = 50

/**
 * Runs a task under a lease in a storage that the tabs share. This is the fallback without Web Locks.
 *
 * A storage has no compare-and-set. So a tab claims the lease by writing it, and checks a moment later that the claim is
 * still there (Fischer's algorithm). This works if a write reaches every tab within that moment, and if the timers of the
 * owner run: a frozen tab loses its lease without noticing. So two tabs rarely run at once, but they can. What they write
 * must be guarded as well.
 */
export async function withLease<T>(
  storage: LeaseStorage,
  key: string,
  task: () => Promise<T>,
  wait: LockWait,
): Promise<T> {
  const owner = Math.random().toString(36).slice(2)
  const isMine = () => ownerOf(storage.getItem(key)) === owner
  const claim = () => storage.setItem(key, `${Date.now() + LEASE} ${owner}`)
  /** If the storage fails, the lease expires by itself. */
  const release = () => {
    try {
      if (isMine()) storage.removeItem(key)
    } catch {}
  }

  const { signal, end } = startLockTimeout(wait)
  try {
    while (true) {
      signal.throwIfAborted()
      if (ownerOf(storage.getItem(key))) await pause(POLL, signal)
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

  const extend = () => {
    try {
      if (isMine()) claim()
      else clearInterval(heartbeat)
    } catch {}
  }
  const heartbeat = unref(outsideZones(() => setInterval(extend, LEASE / 3)))
  try {
    return await task()
  } finally {
    clearInterval(heartbeat)
    release()
  }
}

/** The owner of a lease, or `undefined` if it has expired, is not a lease, or was written before the clock was set back. */
function ownerOf(lease: string | null): string | undefined {
  const [end, owner] = lease?.split(' ') ?? []
  const remaining = Number(end) - Date.now()
  return remaining > 0 && remaining <= LEASE ? owner : undefined
}
