import { mayReplace } from '../../machines/policies.ts'
import type { StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import { Mutex } from '../core/platform/mutex.ts'
import type { Replaced, SessionRecord, SessionStorage, StoredRotation } from '../core/ports.ts'
import { PLACE, REMOVE } from '../core/session/same-store.ts'
import { createPageChannel } from '../environment/page-channel.ts'
import { decrypt, type EncryptedRecord, encrypt } from './aes-gcm.ts'
import { withEntry } from './indexed-db.ts'
import { Removal } from './removal.ts'

const LAST_USE = 'last-use'

/** An entry of the database. What orders it among others is not secret: a transaction cannot wait for a decryption. */
interface Entry extends EncryptedRecord, Pick<SessionRecord, 'id' | 'rotation' | 'startedAt'> {
  /** When it was written, in milliseconds since the Unix epoch. */
  readonly at: number
}

/** Options of `encryptedStorage`. */
export interface EncryptedStorageOptions {
  /** The name of the IndexedDB database. No other code may use it. Default: `'authchart'`. */
  readonly name?: string
}

/**
 * Stores the session in IndexedDB, encrypted with AES-GCM. The key is a WebCrypto key that no script can export. Each write
 * creates a new key and stores it with the encrypted data in one entry, so that the browser loses both or neither. Works in
 * pages and in workers. A random id of the sign-in, its time and the number of its refreshes are not encrypted: by them a tab
 * notices within its transaction that another tab refreshed the session, or ended it.
 *
 * What it protects from: the storage contains no token as text, so extensions, support tools, error reporters, backups and
 * people at the developer tools do not see one. No script can export the key, so the data is useless elsewhere.
 *
 * What it does not protect from: a script that runs in the page (XSS) can use the key as the page does, and read the tokens
 * while it runs. It can also store a copy of the entry with its key in another database of the origin, and decrypt it later, even
 * after a sign-out: only the server can end such a copy, by `revoke`. A copy of the whole browser profile contains the key as
 * well. Against XSS, keep tokens out of reach of the
 * page: see "Where tokens live" in the documentation.
 *
 * @param options the database, see `EncryptedStorageOptions`
 * @returns the value of the option `storage` of `createAuth`. It reports the changes of other tabs and workers, but not its
 * own. Its methods reject with a `StorageError`. The `reason` is `'invalid_record'` if the entry cannot be decrypted,
 * `'insecure_context'` without WebCrypto, and `'unsupported'` without IndexedDB. Otherwise it is the name of the browser's
 * exception, such as `'QuotaExceededError'`, or `'SecurityError'` if the user blocks storage for the page
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: encryptedStorage() })
 * ```
 */
export function encryptedStorage(options: EncryptedStorageOptions = {}): StorageFeature {
  const { name = 'authchart' } = options
  const mutex = new Mutex()
  const removal = new Removal(name)
  const channel = createPageChannel(`authchart storage ${name}`)
  const notifyOthers = () => channel.post('changed')

  /** Puts the record into the database, if the entry that is there may be replaced. */
  function put(record: SessionRecord, judge: (stored: unknown) => Replaced): Promise<Replaced> {
    const at = removal.now()
    const isRemoved = removal.look()
    const { id, rotation, startedAt } = record
    return mutex.run(async () => {
      // Encrypt before the transaction starts: an IndexedDB transaction ends by itself during other async work.
      const next: Entry = { ...(await encrypt(record, name)), at, id, rotation, startedAt }
      let result: Replaced = 'written'
      await withEntry(name, 'readwrite', (store, entry, fail) => {
        const found = store.get(entry)
        found.onsuccess = () => {
          try {
            result = judge(isRemoved(found.result) ? undefined : found.result)
            if (result === 'written') store.put(next, entry)
          } catch (error) {
            // A SharedWorker of WebKit cannot store a key.
            fail(error)
          }
        }
        return found
      })
      if (result === 'written') notifyOthers()
      return result
    })
  }

  return withSharing<SessionStorage>({
    [PLACE]: () => [globalThis, `indexedDB ${name}`],
    [REMOVE]: () => void removal.begin(),
    read() {
      const isRemoved = removal.look()
      return mutex.run(async () => {
        const encrypted: unknown = await withEntry(name, 'readonly', (store, entry) => store.get(entry))
        return encrypted === undefined || isRemoved(encrypted) ? undefined : decrypt(encrypted, name)
      })
    },
    write: (record) => put(record, () => 'written'),
    replace: (record, expected) => put(record, (stored) => judge(record, stored, expected)),
    clear() {
      const ended = removal.begin()
      return mutex.run(async () => {
        await withEntry(name, 'readwrite', (store) => store.clear())
        ended()
        notifyOthers()
      })
    },
    readLastUse: () => mutex.run(() => withEntry(name, 'readonly', (store) => store.get(LAST_USE))),
    // The time of the last use is not secret, so it is not encrypted.
    writeLastUse: (at) =>
      mutex.run(async () => void (await withEntry(name, 'readwrite', (store) => store.put(at, LAST_USE)))),
    subscribe(onChange) {
      // Without IndexedDB, as on a server, no other store can exist.
      return typeof indexedDB === 'undefined' ? () => {} : channel.listen(onChange, onChange)
    },
  })
}

/** An entry of an earlier version says nothing of its record. It may be replaced, as a damaged one. */
function judge(record: SessionRecord, stored: unknown, expected: StoredRotation | undefined): Replaced {
  if (stored === undefined) return expected ? 'gone' : 'written'
  const { id, rotation, startedAt } = Object(stored) as Partial<Entry>
  const isKnown = id !== undefined && rotation !== undefined && startedAt !== undefined
  return !isKnown || mayReplace(record, { id, rotation, startedAt }, expected) ? 'written' : 'newer'
}
