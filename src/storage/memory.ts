import type { StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import type { SessionRecord, SessionStorage } from '../core/ports.ts'

/**
 * Stores the session in memory. It ends with the page or the process.
 *
 * @returns the value of the option `storage` of `createAuth`. Pass it to several `createAuth` calls to share a session
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: memoryStorage() })
 * ```
 */
export function memoryStorage(): StorageFeature {
  let record: SessionRecord | undefined
  let lastUse: number | undefined
  return withSharing<SessionStorage>({
    read: () => record,
    write(next) {
      record = next
    },
    clear() {
      record = undefined
      lastUse = undefined
    },
    readLastUse: () => lastUse,
    writeLastUse(at) {
      lastUse = at
    },
  })
}
