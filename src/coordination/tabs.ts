/**
 * Tabs that share a session.
 *
 * @module
 */
import type { Coordinator } from '../core/ports.ts'
import { createChannel } from './channel.ts'
import { type LeaseStorage, underLease } from './lease.ts'
import { underWebLock } from './web-lock.ts'

export type { Coordinator, CoordinatorMessage } from '../core/ports.ts'
export type { LeaseStorage } from './lease.ts'

/** Options of `tabCoordinator`. */
export interface TabCoordinatorOptions {
  /**
   * Names the session among those of one origin; tabs with the same name share theirs. It is seen by every script of the
   * origin, and begins the names of the lock, the channel and the lease. Default: `'authchart'`.
   */
  readonly name?: string
  /** Who gives out locks. `null`: nobody. Default: `navigator.locks`, where there is such a thing. */
  readonly locks?: LockManager | null
  /** Where leases are kept while there are no locks. `null`: nowhere. Default: `localStorage`, where it can be had. */
  readonly storage?: LeaseStorage | null
}

/**
 * Lets the tabs of one origin, or the threads of one process, share a session: one of them at a time exchanges the refresh
 * token, under a Web Lock, and sign-ins, renewals and sign-outs reach all of them over a BroadcastChannel. A tab that
 * crashes loses its lock to the next one.
 *
 * The tabs must share a store as well, such as `webStorage(() => localStorage)`: the coordinator passes no tokens on, it
 * says when to look for them.
 *
 * Without Web Locks (an old WebView, an insecure origin) the tabs take turns by leases in `localStorage`, which now and then
 * lets two of them through at once; without that, each for itself. Either way the session stays consistent, but two tabs may
 * present the same refresh token, so the server should have a grace period for that. Without BroadcastChannel the tabs hear
 * of each other through the store.
 *
 * @param options `name` sets sessions of one origin apart from each other
 * @returns a coordinator for one `createAuth`
 * @throws TypeError where the name is no text, is empty, or begins with a hyphen, which Web Locks refuse
 *
 * @example
 * ```ts
 * import { createAuth } from 'authchart'
 * import { webStorage } from 'authchart/storage'
 * import { tabCoordinator } from 'authchart/tabs'
 *
 * const auth = createAuth({
 *   refresh,
 *   storage: webStorage(() => localStorage),
 *   coordinator: tabCoordinator(),
 * })
 * ```
 */
export function tabCoordinator(options: TabCoordinatorOptions = {}): Coordinator {
  const { name = 'authchart' } = options
  if (typeof name !== 'string' || name === '' || name.startsWith('-')) {
    throw new TypeError('tabCoordinator: name must be a text that is not empty and begins with no hyphen.')
  }
  const channel = createChannel(name)
  let announced = 0

  return {
    async exclusive(turn, task, wait) {
      const { locks = webLocks(), storage } = options
      const key = `${name}:${turn}`
      if (locks) return underWebLock(locks, key, task, wait, () => announced)
      const leases = storage === undefined ? sharedStorage() : storage
      return leases ? underLease(leases, key, task, wait) : task()
    },
    announce(message) {
      announced++
      channel.announce(message)
    },
    subscribe: channel.subscribe,
  }
}

const webLocks = () => (typeof navigator === 'undefined' ? undefined : navigator.locks)

/** To name it throws where storage is forbidden. */
function sharedStorage() {
  try {
    return localStorage
  } catch {
    return undefined
  }
}
