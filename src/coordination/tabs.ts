/**
 * Tabs that share a session.
 *
 * @module
 */
import type { CoordinatorFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import type { Coordinator } from '../core/ports.ts'
import { lockManager } from '../environment/lock-manager.ts'
import { createChannel } from './channel.ts'
import { type LeaseStorage, withLease } from './lease.ts'
import { withWebLock } from './web-lock.ts'

export type { Coordinator, CoordinatorMessage } from '../core/ports.ts'
export type { LeaseStorage } from './lease.ts'

/** Options of `tabCoordinator`. */
export interface TabCoordinatorOptions {
  /**
   * The name of the session. Tabs of one origin with the same name share a session. The name is the prefix of the lock, the
   * channel and the lease, and visible to every script of the origin. Default: `'authchart'`.
   */
  readonly name?: string
  /** The lock manager. `null` turns Web Locks off. Default: `navigator.locks`, if available. */
  readonly locks?: LockManager | null
  /** The storage of leases, which replace Web Locks. `null` turns leases off. Default: `localStorage`, if available. */
  readonly storage?: LeaseStorage | null
}

/**
 * Lets the tabs of one origin, or the threads of one process, share a session. One tab at a time refreshes the tokens, under
 * a Web Lock. Sign-ins, refreshes and sign-outs reach the other tabs over a BroadcastChannel. If a tab crashes, the browser
 * passes its lock to the next one.
 *
 * The tabs must also share a store, such as `webStorage(() => localStorage)`. The coordinator sends no tokens: it only
 * notifies the other tabs that the store has changed.
 *
 * Without Web Locks (an old WebView, an insecure origin) the tabs take turns by leases in `localStorage`. Occasionally two
 * tabs then run at once. Without `localStorage` each tab refreshes by itself. The session stays consistent either way, but
 * two tabs may present the same refresh token, so the server should have a grace period. Without BroadcastChannel the tabs
 * notice changes through the store.
 *
 * @param options `name` separates the sessions of one origin
 * @returns the value of the option `coordinator` of one `createAuth`
 * @throws TypeError if the name is not a string, is empty, or starts with a hyphen, which Web Locks do not allow
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
export function tabCoordinator(options: TabCoordinatorOptions = {}): CoordinatorFeature {
  const { name = 'authchart' } = options
  if (typeof name !== 'string' || name === '' || name.startsWith('-')) {
    throw new TypeError('tabCoordinator: name must be a non-empty string that does not start with a hyphen.')
  }
  const channel = createChannel(name)
  let announced = 0

  return withSharing<Coordinator>({
    async exclusive(turn, task, wait) {
      const { locks = lockManager(), storage } = options
      const key = `${name}:${turn}`
      if (locks) return withWebLock(locks, key, task, wait, () => announced)
      const leases = storage === undefined ? sharedStorage() : storage
      return leases ? withLease(leases, key, task, wait) : task()
    },
    announce(message) {
      announced++
      channel.announce(message)
    },
    subscribe: channel.subscribe,
  })
}

/** Reading `localStorage` throws if the browser blocks storage. */
function sharedStorage() {
  try {
    return localStorage
  } catch {
    return undefined
  }
}
