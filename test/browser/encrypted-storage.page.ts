/** The script of the pages and workers. It is bundled and served, and the tests call its functions by name. */
import type { StoredRotation } from '../../src/core/ports.ts'
import { type Auth, createAuth, type SessionRecord, type StorageFeature } from '../../src/index.ts'
import { type EncryptedRecord, encrypt } from '../../src/storage/aes-gcm.ts'
import { encryptedStorage } from '../../src/storage/index.ts'
import { withEntry } from '../../src/storage/indexed-db.ts'

export type Answer =
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly reason?: string; readonly text: string } }

/** Calls the listener of the test with this id. */
const notify = (id: string) => navigator.sendBeacon('/notify', id)

const stores = new Map<string, StorageFeature>()
const stops = new Map<string, () => void>()
const storeOf = (name: string, id: string) => {
  const store = stores.get(id) ?? encryptedStorage({ name })
  stores.set(id, store)
  return store
}

/** Converts an error to plain data, because `page.evaluate` does not preserve its fields. */
async function answer(operation: () => unknown): Promise<Answer> {
  try {
    return { value: await operation() }
  } catch (error) {
    const { name, reason, stack } = error as Error & { reason?: string }
    return { error: { name, ...(reason !== undefined && { reason }), text: `${error} ${stack}` } }
  }
}

const entry = (name: string) =>
  withEntry<EncryptedRecord>(name, 'readonly', (store, key) => store.get(key) as IDBRequest<EncryptedRecord>)
const putEntry = (name: string, value: unknown) =>
  withEntry(name, 'readwrite', (store, key) => store.put(value, key))

const aesKey = (extractable = false) =>
  crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, extractable, ['encrypt', 'decrypt'])

/** Ways to damage the entry, by the result. */
const spoilers = {
  nothing: () => null,
  text: () => 'SECRET',
  'a record that is not encrypted': () => ({ version: 1, accessToken: 'SECRET' }),
  'an entry of a later version': (encrypted: EncryptedRecord) => ({ ...encrypted, version: 2 }),
  'a record without its key': ({ key: _, ...rest }: EncryptedRecord) => rest,
  'a record under another key': async (encrypted: EncryptedRecord) => ({ ...encrypted, key: await aesKey() }),
  'a record with another IV': (encrypted: EncryptedRecord) => ({ ...encrypted, iv: new Uint8Array(12) }),
  'half of a record': (encrypted: EncryptedRecord) => ({ ...encrypted, data: encrypted.data.slice(0, 40) }),
  'a record with one flipped bit': ({ data, ...rest }: EncryptedRecord) => {
    const bytes = new Uint8Array(data.slice(0))
    bytes[20] = (bytes[20] ?? 0) ^ 1
    return { ...rest, data: bytes.buffer }
  },
  'a record of another database': (_: EncryptedRecord) =>
    encrypt(
      { version: 1, id: 'k', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: 'SECRET' },
      'there',
    ),
  'an encrypted text that is not JSON': async ({ version, iv }: EncryptedRecord, name: string) => {
    const key = await aesKey()
    const additionalData = new TextEncoder().encode(`authchart/1/${name}`)
    const data = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv, additionalData },
      key,
      new TextEncoder().encode('SECRET'),
    )
    return { version, key, iv, data }
  },
}
export type Spoiler = keyof typeof spoilers
export const SPOILERS = Object.keys(spoilers) as Spoiler[]

let originalIndexedDB: PropertyDescriptor | undefined
let auth: Auth | undefined
let release = () => {}
let refreshed: Promise<unknown> | undefined

const done = (request: IDBRequest) =>
  new Promise<void>((resolve, reject) => {
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })

export const scenarios = {
  read: (name: string, id: string) => answer(() => storeOf(name, id).read()),
  write: (name: string, id: string, record: SessionRecord) =>
    answer(async () => void (await storeOf(name, id).write(record))),
  replace: (name: string, id: string, record: SessionRecord, expected?: StoredRotation) =>
    answer(() => storeOf(name, id).replace?.(record, expected)),
  clear: (name: string, id: string) => answer(async () => void (await storeOf(name, id).clear())),
  subscribe: (name: string, id: string, listener: string) => {
    const stop = storeOf(name, id).subscribe?.(() => notify(listener))
    if (stop) stops.set(listener, stop)
  },
  stop: (listener: string) => stops.get(listener)?.(),

  put: async (name: string, value: unknown) =>
    void (await putEntry(name, await encrypt(value as never, name))),
  spoil: async (name: string, how: Spoiler) =>
    void (await putEntry(name, await spoilers[how](await entry(name), name))),

  forbid() {
    originalIndexedDB = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
    const open = () => {
      throw new DOMException('The user denied permission to access the database.', 'SecurityError')
    }
    Object.defineProperty(globalThis, 'indexedDB', { value: { open }, configurable: true })
  },
  /** As a SharedWorker of WebKit, which cannot store a key. */
  forbidKeys() {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('The object can not be cloned.', 'DataCloneError')
    }
  },
  allow: () => Object.defineProperty(globalThis, 'indexedDB', originalIndexedDB ?? {}),

  deleteDatabase: (name: string) =>
    new Promise<string>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name)
      request.onsuccess = () => resolve('deleted')
      request.onblocked = () => resolve('blocked')
      request.onerror = () => reject(request.error)
    }),
  /** Creates a database with this name in another version, as another script could. */
  async occupy(name: string) {
    await scenarios.deleteDatabase(name)
    const request = indexedDB.open(name, 5)
    await done(request)
    request.result.close()
  },

  /** Returns the parts of the entry except the key, and the properties of the key. */
  async inspect(name: string) {
    const { version, key, iv, data, ...rest } = await entry(name)
    const exported = await crypto.subtle.exportKey('raw', key).then(
      () => 'exported',
      (error: Error) => error.name,
    )
    const { extractable, usages, algorithm } = key
    const bytes = (buffer: ArrayBufferLike) => String.fromCharCode(...new Uint8Array(buffer))
    const texts = [iv, new Uint8Array(data)].map(({ buffer }) => bytes(buffer))
    return { version, exported, extractable, usages, algorithm, iv: [...iv], texts, rest }
  },
  /** The names and keys of all databases. */
  async databases() {
    const names = (await indexedDB.databases()).map(({ name = '' }) => name)
    return Promise.all(
      names.map(async (name) => {
        const request = indexedDB.open(name)
        await done(request)
        const database = request.result
        const stores = [...database.objectStoreNames]
        const keys = database
          .transaction(stores)
          .objectStore(stores[0] ?? '')
          .getAllKeys()
        await done(keys)
        database.close()
        return { name, stores, keys: keys.result }
      }),
    )
  },

  /** Writes one record after another until the page is closed. */
  async writeForEver(name: string, record: SessionRecord) {
    const store = encryptedStorage({ name })
    await store.write(record)
    void (async () => {
      for (let rotation = 1; ; rotation++) await store.write({ ...record, rotation })
    })()
  },

  /** Returns the messages on the channel of the store during a write and a clear. */
  async recordMessages(name: string, record: SessionRecord) {
    const messages: unknown[] = []
    const channel = new BroadcastChannel(`authchart storage ${name}`)
    const twice = new Promise<void>((resolve) => {
      channel.onmessage = ({ data }) => {
        if (messages.push(data) === 2) resolve()
      }
    })
    const store = encryptedStorage({ name })
    await store.write(record)
    await store.clear()
    await twice
    channel.close()
    return messages
  },

  /** Starts the session of this page. Returns its state. */
  async start(name: string, tokens?: { access_token: string }) {
    auth = createAuth({ storage: encryptedStorage({ name }), refresh: () => ({ access_token: 'refreshed' }) })
    await auth.ready()
    if (tokens) await auth.setTokens(tokens)
    return auth.state
  },
  token: () => auth?.getAccessToken(),
  /** Begins a refresh whose record is not encrypted before `release`. */
  refreshSlowly() {
    const { subtle } = crypto
    const { encrypt } = subtle
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    return new Promise<void>((resolve) => {
      const slow: typeof encrypt = async (...given) => {
        resolve()
        await released
        return encrypt.apply(subtle, given)
      }
      Object.defineProperty(subtle, 'encrypt', { value: slow, configurable: true })
      refreshed = auth?.refresh().catch(() => {})
    })
  },
  async release() {
    release()
    await refreshed
  },
  state: () => auth?.state,
  signOut: () => auth?.signOut(),
  /** Waits until the session is in this state. */
  waitForState: (state: string) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (auth?.state === state) resolve()
      }
      auth?.on('transition', check)
      check()
    }),
}

Object.assign(globalThis, { encryptedScenarios: scenarios })

/** Runs in a worker, which the test cannot call: reads, writes, reads again, and posts the results. */
async function serve(port: { postMessage(message: unknown): void }, name: string) {
  const record = {
    version: 1,
    id: 'w',
    rotation: 0,
    startedAt: 0,
    receivedAt: 0,
    accessToken: 'worker',
  } as const
  const before = await scenarios.read(name, 'worker')
  await scenarios.write(name, 'worker', record)
  const after = await scenarios.read(name, 'worker')
  port.postMessage({ window: typeof window, before, after })
}
if (typeof window === 'undefined') {
  const scope = globalThis as unknown as {
    onmessage: unknown
    onconnect: unknown
    postMessage(message: unknown): void
  }
  scope.onmessage = ({ data }: MessageEvent) => serve(scope, data)
  scope.onconnect = ({ ports: [port] }: MessageEvent) => {
    if (port) port.onmessage = ({ data }) => serve(port, data)
  }
}
