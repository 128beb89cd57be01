import { StorageError } from '../core/errors.ts'
import type { SessionStorage } from '../core/ports.ts'

/** Options of `webStorage`. */
export interface WebStorageOptions {
  /** The key the session is kept under. Default: `'authchart'`. */
  readonly key?: string
}

/**
 * Keeps the session in `localStorage` or `sessionStorage`, where every script of the page can read it: see "Where tokens
 * live" in the README.
 *
 * @param storage the storage, or a function that gives it, for places where naming it may throw
 * @returns a store that hears of changes other tabs make
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: webStorage(() => localStorage) })
 * ```
 */
export function webStorage(
  storage: Storage | (() => Storage),
  options: WebStorageOptions = {},
): SessionStorage {
  const { key = 'authchart' } = options
  const lastUse = `${key}.last-use`
  const area = () => (typeof storage === 'function' ? storage() : storage)

  return {
    read() {
      const text = area().getItem(key)
      if (text === null) return undefined
      try {
        return JSON.parse(text)
      } catch {
        // What a parser says quotes what it read, and that was a token.
        throw new StorageError('The stored session is not JSON.', { reason: 'invalid_record' })
      }
    },
    write(record) {
      area().setItem(key, JSON.stringify(record))
    },
    clear() {
      area().removeItem(key)
      area().removeItem(lastUse)
    },
    readLastUse() {
      const text = area().getItem(lastUse)
      return text === null ? undefined : Number(text)
    },
    writeLastUse(at) {
      area().setItem(lastUse, String(at))
    },
    subscribe(onChange) {
      if (typeof addEventListener !== 'function') return () => {}
      const watched = area()
      const heard = (event: StorageEvent) => {
        // `key` is null where the whole storage was cleared.
        if (event.storageArea === watched && (event.key === key || event.key === null)) onChange()
      }
      addEventListener('storage', heard)
      return () => removeEventListener('storage', heard)
    },
  }
}
