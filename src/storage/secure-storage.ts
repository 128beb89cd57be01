import type { StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import { Mutex } from '../core/platform/mutex.ts'
import type { SessionStorage } from '../core/ports.ts'
import { PLACE } from '../core/session/same-store.ts'
import { parseLastUse, parseRecord } from './json.ts'
import { type SecureStoreLike, SplitText } from './split-text.ts'

/** Options of `secureStorage`. */
export interface SecureStorageOptions<Access = object> {
  /** The key of the session: letters, digits, `.`, `-` and `_`. Default: `'authchart'`. */
  readonly key?: string
  /** The options of each call of the store, such as `{ keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK }`. */
  readonly access?: Access
}

/** The operations of all `secureStorage` on one store take turns, because a record may be several values of it. */
const mutexes = /* @__PURE__ */ new WeakMap<object, Mutex>()

/**
 * Stores the session in the keychain of iOS, or encrypted by the keystore of Android, with `expo-secure-store`.
 *
 * The store takes values of up to 2,048 bytes. A longer record is split into several values, and the record is replaced as a
 * whole: an app that is closed during a write finds the previous record.
 *
 * @param store the module `expo-secure-store`
 * @param options the key and the options of each call, see `SecureStorageOptions`
 * @returns the value of the option `storage` of `createAuth`. Its methods reject with the error of the store, or with a
 * `StorageError` whose reason is `'invalid_record'` if what is stored is not JSON
 * @throws TypeError if the key has other characters
 *
 * @example
 * ```ts
 * import * as SecureStore from 'expo-secure-store'
 *
 * createAuth({ refresh, storage: secureStorage(SecureStore) })
 * ```
 */
export function secureStorage<Access = object>(
  store: SecureStoreLike<Access>,
  options: SecureStorageOptions<NoInfer<Access>> = {},
): StorageFeature {
  const { key = 'authchart', access } = options
  if (!/^[\w.-]+$/.test(key))
    throw new TypeError(
      `secureStorage: a key consists of letters, digits, ".", "-" and "_", but it is "${key}".`,
    )
  const lastUse = `${key}.last-use`
  const mutex = mutexes.get(store) ?? new Mutex()
  mutexes.set(store, mutex)
  const text = new SplitText(store, key, access)

  return withSharing<SessionStorage>({
    [PLACE]: () => [store, key],
    read: () => mutex.run(async () => parseRecord(await text.read())),
    write: (record) => mutex.run(() => text.write(JSON.stringify(record))),
    clear: () =>
      mutex.run(async () => {
        await text.remove()
        await store.deleteItemAsync(lastUse, access)
      }),
    readLastUse: () => mutex.run(async () => parseLastUse(await store.getItemAsync(lastUse, access))),
    writeLastUse: (at) => mutex.run(() => store.setItemAsync(lastUse, String(at), access)),
  })
}
