import { StorageError } from '../core/errors.ts'

const STORE = 'session'
const ENTRY = 'current'

type Act<T> = (store: IDBObjectStore, entry: string, fail: (error: unknown) => void) => IDBRequest<T>

/**
 * Runs one request in its own transaction on an IndexedDB database, which is opened and closed for it. Browsers may close
 * idle connections, and an open connection blocks `deleteDatabase`.
 *
 * @param act makes the request. `entry` is the key of the session. What a listener of it throws must be given to `fail`
 * @returns the result of the request, after the transaction is on disk
 * @throws StorageError whose `reason` is the name of the browser's exception, or `'unsupported'`
 */
export async function withEntry<T>(name: string, mode: IDBTransactionMode, act: Act<T>): Promise<T> {
  if (typeof indexedDB === 'undefined') {
    const message = 'IndexedDB is not available. Use another store for the session.'
    throw new StorageError(message, { reason: 'unsupported' })
  }
  const attempt = async () => {
    const database = await open(name)
    try {
      return await transact(database, mode, act)
    } finally {
      database.close()
    }
  }
  try {
    // An aborted transaction changed nothing, so retry once. Example: the user deletes the data of the site.
    return await attempt().catch((error: unknown) => {
      if (nameOf(error) === 'AbortError') return attempt()
      throw error
    })
  } catch (cause) {
    const reason = nameOf(cause)
    throw new StorageError(`The session cannot be accessed in IndexedDB (${reason}).`, { reason, cause })
  }
}

const nameOf = (error: unknown) => (error as Error | null)?.name ?? 'failed'

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const database = request.result
      database.onversionchange = () => database.close()
      resolve(database)
    }
  })
}

function transact<T>(database: IDBDatabase, mode: IDBTransactionMode, act: Act<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    // Strict, because a power cut could otherwise bring back the old record with its spent refresh token.
    const transaction = database.transaction(STORE, mode, { durability: 'strict' })
    const request = act(transaction.objectStore(STORE), ENTRY, reject)
    transaction.oncomplete = () => resolve(request.result)
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException('The database was closed.', 'AbortError'))
  })
}
