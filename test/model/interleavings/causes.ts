import type { AuthEmitted } from '../../../machines/index.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'

/** Whether the world contains a cause for the end of a session. A failure that allows a retry does not count. */
export function hasCause({ config, endings, store }: Surroundings, tab: Tab, event: AuthEmitted): boolean {
  const { type, reason } = event
  const { since, fatal, losses, received, hasExpired, storageFailed } = tab
  if (type === 'expired') {
    if (received.has(String(reason))) return true
    if (reason === 'idle') return config.idle < Number.POSITIVE_INFINITY
    if (reason === 'lifetime') return config.absolute < Number.POSITIVE_INFINITY
    return fatal > 0 || (config.ambiguousRefresh === 'expire' && losses > 0)
  }
  if (type === 'signedOut' && reason === 'signed_out_elsewhere') {
    // A store that fails is cleared, and other readers only see that it is empty.
    const emptied = store.removals > since.removals || store.failures > 0 || storageFailed
    // A tab that has expired stays so, until it receives a sign-out.
    return received.has('signed_out') || (!hasExpired && (emptied || endings > since.endings))
  }
  return true
}
