import { StorageError } from '../core/errors.ts'

const STORE = 'session'
const ENTRY = 'current'

/**
 * Does one thing to the one entry of an IndexedDB database, in a transaction of its own. The database is open for that long
 * only: a connection that is kept is cut off when the browser feels like it, and blocks whoever wants to delete it.
 *
 * @returns what the request gave, once the transaction is on disk
 * @throws StorageError whose `reason` is the name of the browser's exception, or `'unsupported'`
 */
export async function withEntry<T>(
  name: string,
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore, entry: string) => IDBRequest<T>,
): Promise<T> {
  if (typeof indexedDB === 'undefined')
    throw new StorageError('There is no IndexedDB here to keep the session in.', { reason: 'unsupported' })
  const once = async () => {
    const database = await open(name)
    try {
      return await transact(database, mode, act)
    } finally {
      database.close()
    }
  }
  try {
    // Who is cut off, as when the user deletes the data of the site, has done nothing and may do it again.
    return await once().catch((error: unknown) => {
      if (nameOf(error) === 'AbortError') return once()
      throw error
    })
  } catch (cause) {
    const reason = nameOf(cause)
    throw new StorageError(`The session cannot be kept in IndexedDB here (${reason}).`, { reason, cause })
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

function transact<T>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  act: (store: IDBObjectStore, entry: string) => IDBRequest<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // A rotated token that a power cut takes back would be presented again as a spent one.
    const transaction = database.transaction(STORE, mode, { durability: 'strict' })
    const request = act(transaction.objectStore(STORE), ENTRY)
    transaction.oncomplete = () => resolve(request.result)
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException('The database was closed.', 'AbortError'))
  })
}
