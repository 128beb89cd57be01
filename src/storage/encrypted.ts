import type { SessionStorage } from '../core/ports.ts'
import { createTurns } from '../core/turns.ts'
import { hearChanges } from './change-channel.ts'
import { withEntry } from './indexed-db.ts'
import { seal, unseal } from './sealed.ts'

const LAST_USE = 'last-use'

/** Options of `encryptedStorage`. */
export interface EncryptedStorageOptions {
  /** The IndexedDB database, which nothing else may use. Default: `'authchart'`. */
  readonly name?: string
}

/**
 * Keeps the session in IndexedDB, encrypted with AES-GCM. The key is a WebCrypto key that no script can export; each write
 * makes a new one and puts it beside what it encrypts, in one entry, so that the browser loses both or neither. Works in
 * pages and in workers.
 *
 * What it is good for: no token stands in the storage as text, where extensions, support tools, error reporters, backups
 * and people at the developer tools come across it; and an entry that a script copies is of no use elsewhere or later,
 * because its key stays behind.
 *
 * What it cannot do: a script that runs in the page (XSS) can use the key as the page can, and so take the tokens while it
 * runs. Nor does it protect from who copies the browser's whole profile: the key lies there, too. Against the first only
 * tokens out of reach help: see "Where tokens live" in the README.
 *
 * @param options the database, see `EncryptedStorageOptions`
 * @returns a store that hears of changes that other tabs and workers make, not of its own. Its methods reject with a
 * `StorageError`; `reason` is `'invalid_record'` for what cannot be decrypted, `'insecure_context'` where there is no
 * WebCrypto, `'unsupported'` where there is no IndexedDB, and otherwise the name of the browser's exception, such as
 * `'QuotaExceededError'`, or `'SecurityError'` where the user forbids the page to store
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: encryptedStorage() })
 * ```
 */
export function encryptedStorage(options: EncryptedStorageOptions = {}): SessionStorage {
  const { name = 'authchart' } = options
  const inTurn = createTurns()
  const topic = `authchart storage ${name}`
  /** Says whose change it was: a channel is deaf to itself only, not to others of the same page. */
  const self = Math.random().toString(36)

  function tellOthers() {
    if (typeof BroadcastChannel === 'undefined') return
    const channel = new BroadcastChannel(topic)
    channel.postMessage(self)
    channel.close()
  }

  return {
    read: () =>
      inTurn(async () => {
        const sealed: unknown = await withEntry(name, 'readonly', (store, entry) => store.get(entry))
        return sealed === undefined ? undefined : unseal(sealed, name)
      }),
    write: (record) =>
      inTurn(async () => {
        // Before the transaction, which would not wait for it.
        const sealed = await seal(record, name)
        await withEntry(name, 'readwrite', (store, entry) => store.put(sealed, entry))
        tellOthers()
      }),
    clear: () =>
      inTurn(async () => {
        await withEntry(name, 'readwrite', (store) => store.clear())
        tellOthers()
      }),
    readLastUse: () => inTurn(() => withEntry(name, 'readonly', (store) => store.get(LAST_USE))),
    // Not a secret: it stands there as it is.
    writeLastUse: (at) =>
      inTurn(async () => void (await withEntry(name, 'readwrite', (store) => store.put(at, LAST_USE)))),
    subscribe(onChange) {
      // On a server there is nothing to hear, and an open channel would keep the process alive.
      if (typeof BroadcastChannel === 'undefined' || typeof indexedDB === 'undefined') return () => {}
      return hearChanges(topic, self, onChange)
    },
  }
}
