import type { AuthEmitted } from '../../../machines/index.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'

/** Whether a session that ends has a reason for it in the world: a failure that may pass is none. */
export function hasGround({ config, endings, store }: Surroundings, tab: Tab, event: AuthEmitted): boolean {
  const { type, reason } = event
  const { since, fatal, losses, heardEnded, storageFailed } = tab
  if (type === 'expired') {
    if (reason === 'idle') return config.idle < Number.POSITIVE_INFINITY
    if (reason === 'lifetime') return config.absolute < Number.POSITIVE_INFINITY
    return fatal > 0 || (config.ambiguousRefresh === 'expire' && losses > 0)
  }
  if (type === 'signedOut' && reason === 'signed_out_elsewhere') {
    // A store that fails is emptied, and that is all its other readers see.
    const emptied = store.removals > since.removals || store.failures > 0 || storageFailed
    return heardEnded || emptied || endings > since.endings
  }
  return true
}
