import type { SessionRecord, SessionStorage } from '../core/ports.ts'

/**
 * Keeps the session in memory: it ends with the page or the process.
 *
 * @returns a store; give the same one to several `createAuth` to hand a session on
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: memoryStorage() })
 * ```
 */
export function memoryStorage(): SessionStorage {
  let record: SessionRecord | undefined
  let lastUse: number | undefined
  return {
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
  }
}
