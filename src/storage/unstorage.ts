import type { StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import { Mutex } from '../core/platform/mutex.ts'
import type { SessionRecord, SessionStorage } from '../core/ports.ts'
import { PLACE } from '../core/session/same-store.ts'
import { parseRecord } from './json.ts'

/** The methods that are used of an unstorage 1.x storage. Its `Storage` type fits without a cast. */
export interface UnstorageLike {
  /** Returns the value of a key, parsed if it is JSON; `null` if it is missing. */
  getItem(key: string): Promise<unknown>
  /** Stores the record of the session under its key, and the time of its last use under `<key>.last-use`. */
  setItem(key: string, value: SessionRecord | { readonly at: number }): Promise<void>
  /** Removes a key. A missing key is not an error. */
  removeItem(key: string): Promise<void>
  /** Calls back on each change, also by this process. Missing or rejected: changes are noticed at the next refresh. */
  watch?(callback: (event: 'update' | 'remove', key: string) => void): Promise<() => unknown>
}

/** Options of `unstorageStorage`. */
export interface UnstorageOptions {
  /** The key of the session. On a server, use one for each user. Default: `'authchart'`. */
  readonly key?: string
}

/**
 * Stores the session in an unstorage storage, which has drivers for Redis, key-value stores at the edge, databases and more.
 * Do not use a read-only driver: it drops writes without an error.
 *
 * @param storage the result of `createStorage` or `prefixStorage`
 * @param options the key, see `UnstorageOptions`
 * @returns the value of the option `storage` of `createAuth`. It reports changes, its own included, if the driver supports
 * `watch`. Its methods reject with the error of the driver, or with a `StorageError` whose reason is `'invalid_record'` if
 * the text is not JSON
 *
 * @example
 * ```ts
 * import { createStorage } from 'unstorage'
 * import redis from 'unstorage/drivers/redis'
 *
 * const storage = createStorage({ driver: redis({ base: 'sessions' }) })
 * createAuth({ refresh, storage: unstorageStorage(storage, { key: userId }) })
 * ```
 */
export function unstorageStorage(storage: UnstorageLike, options: UnstorageOptions = {}): StorageFeature {
  const { key = 'authchart' } = options
  const lastUse = `${key}.last-use`
  const mutex = new Mutex()
  const watched = normalize(key)

  return withSharing<SessionStorage>({
    [PLACE]: () => [storage, key],
    read: () =>
      mutex.run(async () => {
        const value = await storage.getItem(key)
        return typeof value === 'string' ? parseRecord(value) : (value ?? undefined)
      }),
    write: (record) => mutex.run(async () => storage.setItem(key, record)),
    clear: () =>
      mutex.run(async () => {
        await storage.removeItem(key)
        await storage.removeItem(lastUse)
      }),
    readLastUse: () =>
      mutex.run(async () => {
        const use = await storage.getItem(lastUse)
        return (use as { at?: unknown } | null)?.at
      }),
    writeLastUse: (at) => mutex.run(async () => storage.setItem(lastUse, { at })),
    subscribe(onChange) {
      let stopped = false
      const watching = storage.watch?.((_, changed) => {
        // A storage with a prefix reports the whole key.
        if (!stopped && `:${normalize(changed)}`.endsWith(`:${watched}`)) onChange()
      })
      // Change events are optional: without them the session reads the new record at its next refresh.
      watching?.catch(() => {})
      return () => {
        stopped = true
        watching?.then((unwatch) => unwatch()).catch(() => {})
      }
    },
  })
}

/** Normalizes a key as unstorage does: slashes and colons are the same. */
const normalize = (key: string) => key.replace(/[/\\:]+/g, ':').replace(/^:|:$/g, '')
