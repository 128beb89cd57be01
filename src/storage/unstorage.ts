import type { SessionRecord, SessionStorage } from '../core/ports.ts'
import { createTurns } from '../core/turns.ts'
import { parseRecord } from './json.ts'

/** What is needed of a storage made with unstorage 1.x: its `Storage` fits as it is. */
export interface UnstorageLike {
  getItem(key: string): Promise<unknown>
  setItem(key: string, value: SessionRecord | { readonly at: number }): Promise<void>
  removeItem(key: string): Promise<void>
  watch?(callback: (event: 'update' | 'remove', key: string) => void): Promise<() => unknown>
}

/** Options of `unstorageStorage`. */
export interface UnstorageOptions {
  /** The key the session is kept under. On a server: one for each user. Default: `'authchart'`. */
  readonly key?: string
}

/**
 * Keeps the session in a storage of unstorage, and so wherever there is a driver: Redis, a key-value store at the edge, a
 * database. A driver that is read-only drops what is written without a word: do not use one here.
 *
 * @param storage what `createStorage` gave, or `prefixStorage`
 * @param options the key, see `UnstorageOptions`
 * @returns a store that hears of changes where the driver can watch, its own changes included. Its methods reject with what
 * the driver throws, and with a `StorageError` with the reason `'invalid_record'` for text that is no JSON
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
export function unstorageStorage(storage: UnstorageLike, options: UnstorageOptions = {}): SessionStorage {
  const { key = 'authchart' } = options
  const lastUse = `${key}.last-use`
  const inTurn = createTurns()
  const watched = normalize(key)

  return {
    read: () =>
      inTurn(async () => {
        const value = await storage.getItem(key)
        return typeof value === 'string' ? parseRecord(value) : (value ?? undefined)
      }),
    write: (record) => inTurn(async () => storage.setItem(key, record)),
    clear: () =>
      inTurn(async () => {
        await storage.removeItem(key)
        await storage.removeItem(lastUse)
      }),
    readLastUse: () =>
      inTurn(async () => {
        const use = await storage.getItem(lastUse)
        return (use as { at?: unknown } | null)?.at
      }),
    writeLastUse: (at) => inTurn(async () => storage.setItem(lastUse, { at })),
    subscribe(onChange) {
      let stopped = false
      const watching = storage.watch?.((_, changed) => {
        // A storage with a prefix tells its changes by their whole key.
        if (!stopped && `:${normalize(changed)}`.endsWith(`:${watched}`)) onChange()
      })
      // Changes are hints: without them a process finds out when it renews.
      watching?.catch(() => {})
      return () => {
        stopped = true
        watching?.then((unwatch) => unwatch()).catch(() => {})
      }
    },
  }
}

/** As unstorage has it: folders and colons are one. */
const normalize = (key: string) => key.replace(/[/\\:]+/g, ':').replace(/^:|:$/g, '')
