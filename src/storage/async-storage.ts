import type { StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import { Mutex } from '../core/platform/mutex.ts'
import type { SessionStorage } from '../core/ports.ts'
import { PLACE } from '../core/session/same-store.ts'
import { parseLastUse, parseRecord } from './json.ts'

/** The methods that are used of `@react-native-async-storage/async-storage`, 1 to 3. Its types fit without a cast. */
export interface AsyncStorageLike {
  /** Returns the text of a key, or `null` if it is missing. */
  getItem(key: string): Promise<string | null>
  /** Stores a text, in the place of the one before. */
  setItem(key: string, value: string): Promise<void>
  /** Removes a key. A missing key is not an error. */
  removeItem(key: string): Promise<void>
}

/** Options of `asyncStorage`. */
export interface AsyncStorageOptions {
  /** The key of the session. Default: `'authchart'`. */
  readonly key?: string
}

/**
 * Stores the session in AsyncStorage of React Native. It is not encrypted: backups and rooted devices show it. `secureStorage`
 * keeps it in the keychain instead.
 *
 * @param storage the default export of `@react-native-async-storage/async-storage`, or the result of its `createAsyncStorage`
 * @param options the key, see `AsyncStorageOptions`
 * @returns the value of the option `storage` of `createAuth`. Its methods reject with the error of AsyncStorage, or with a
 * `StorageError` whose reason is `'invalid_record'` if the text is not JSON
 *
 * @example
 * ```ts
 * import AsyncStorage from '@react-native-async-storage/async-storage'
 *
 * createAuth({ refresh, storage: asyncStorage(AsyncStorage) })
 * ```
 */
export function asyncStorage(storage: AsyncStorageLike, options: AsyncStorageOptions = {}): StorageFeature {
  const { key = 'authchart' } = options
  const lastUse = `${key}.last-use`
  const mutex = new Mutex()

  return withSharing<SessionStorage>({
    [PLACE]: () => [storage, key],
    read: () => mutex.run(async () => parseRecord(await storage.getItem(key))),
    write: (record) => mutex.run(async () => storage.setItem(key, JSON.stringify(record))),
    clear: () =>
      mutex.run(async () => {
        await storage.removeItem(key)
        await storage.removeItem(lastUse)
      }),
    readLastUse: () => mutex.run(async () => parseLastUse(await storage.getItem(lastUse))),
    writeLastUse: (at) => mutex.run(async () => storage.setItem(lastUse, String(at))),
  })
}
