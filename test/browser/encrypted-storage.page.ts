/** What runs inside the pages and workers: bundled, served, and called by name from the tests. */
import { type Auth, createAuth, type SessionRecord, type SessionStorage } from '../../src/index.ts'
import { encryptedStorage } from '../../src/storage/index.ts'
import { withEntry } from '../../src/storage/indexed-db.ts'
import { type SealedRecord, seal } from '../../src/storage/sealed.ts'

export type Answer =
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly reason?: string; readonly text: string } }

declare global {
  /** Calls the test. */
  var hear: (id: string) => void
}

const stores = new Map<string, SessionStorage>()
const stops = new Map<string, () => void>()
const storeOf = (name: string, id: string) => {
  const store = stores.get(id) ?? encryptedStorage({ name })
  stores.set(id, store)
  return store
}

/** An error does not come through to the test as it is. */
async function answer(operation: () => unknown): Promise<Answer> {
  try {
    return { value: await operation() }
  } catch (error) {
    const { name, reason, stack } = error as Error & { reason?: string }
    return { error: { name, ...(reason !== undefined && { reason }), text: `${error} ${stack}` } }
  }
}

const entry = (name: string) =>
  withEntry<SealedRecord>(name, 'readonly', (store, key) => store.get(key) as IDBRequest<SealedRecord>)
const putEntry = (name: string, value: unknown) =>
  withEntry(name, 'readwrite', (store, key) => store.put(value, key))

const aesKey = (extractable = false) =>
  crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, extractable, ['encrypt', 'decrypt'])

/** What somebody may have done to the entry, by what it is. */
const spoilers = {
  nothing: () => null,
  'a text': () => 'SECRET',
  'a record that is not encrypted': () => ({ version: 1, accessToken: 'SECRET' }),
  'an entry of the version to come': (sealed: SealedRecord) => ({ ...sealed, version: 2 }),
  'a record without its key': ({ key: _, ...rest }: SealedRecord) => rest,
  'a record under another key': async (sealed: SealedRecord) => ({ ...sealed, key: await aesKey() }),
  'a record with another IV': (sealed: SealedRecord) => ({ ...sealed, iv: new Uint8Array(12) }),
  'half of it': (sealed: SealedRecord) => ({ ...sealed, data: sealed.data.slice(0, 40) }),
  'a record with one bit turned over': ({ data, ...rest }: SealedRecord) => {
    const bytes = new Uint8Array(data.slice(0))
    bytes[20] = (bytes[20] ?? 0) ^ 1
    return { ...rest, data: bytes.buffer }
  },
  'a record that was moved here': (_: SealedRecord) =>
    seal({ version: 1, id: 'k', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: 'SECRET' }, 'there'),
  'a text that is no JSON': async ({ version, iv }: SealedRecord, name: string) => {
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

let indexedDBAsItIs: PropertyDescriptor | undefined
let auth: Auth | undefined

const done = (request: IDBRequest) =>
  new Promise<void>((resolve, reject) => {
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })

export const scenarios = {
  read: (name: string, id: string) => answer(() => storeOf(name, id).read()),
  write: (name: string, id: string, record: SessionRecord) =>
    answer(async () => void (await storeOf(name, id).write(record))),
  clear: (name: string, id: string) => answer(async () => void (await storeOf(name, id).clear())),
  subscribe: (name: string, id: string, listener: string) => {
    const stop = storeOf(name, id).subscribe?.(() => hear(listener))
    if (stop) stops.set(listener, stop)
  },
  stop: (listener: string) => stops.get(listener)?.(),

  put: async (name: string, value: unknown) => void (await putEntry(name, await seal(value as never, name))),
  spoil: async (name: string, how: Spoiler) =>
    void (await putEntry(name, await spoilers[how](await entry(name), name))),

  forbid() {
    indexedDBAsItIs = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
    const open = () => {
      throw new DOMException('The user denied permission to access the database.', 'SecurityError')
    }
    Object.defineProperty(globalThis, 'indexedDB', { value: { open }, configurable: true })
  },
  allow: () => Object.defineProperty(globalThis, 'indexedDB', indexedDBAsItIs ?? {}),

  deleteDatabase: (name: string) =>
    new Promise<string>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name)
      request.onsuccess = () => resolve('deleted')
      request.onblocked = () => resolve('blocked')
      request.onerror = () => reject(request.error)
    }),
  /** Another script has made a database of that name, in a version of its own. */
  async occupy(name: string) {
    await scenarios.deleteDatabase(name)
    const request = indexedDB.open(name, 5)
    await done(request)
    request.result.close()
  },

  /** What the entry consists of, the key aside, and what can be done with the key. */
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
  /** Every entry of every database, in names only. */
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

  /** Writes one record after another until the page is gone. */
  async writeForEver(name: string, record: SessionRecord) {
    const store = encryptedStorage({ name })
    await store.write(record)
    void (async () => {
      for (let rotation = 1; ; rotation++) await store.write({ ...record, rotation })
    })()
  },

  /** What is said on the store's channel while it writes and clears. */
  async overhear(name: string, record: SessionRecord) {
    const said: unknown[] = []
    const channel = new BroadcastChannel(`authchart storage ${name}`)
    const twice = new Promise<void>((resolve) => {
      channel.onmessage = ({ data }) => {
        if (said.push(data) === 2) resolve()
      }
    })
    const store = encryptedStorage({ name })
    await store.write(record)
    await store.clear()
    await twice
    channel.close()
    return said
  },

  /** A session of this page; gives its state. */
  async start(name: string, tokens?: { access_token: string }) {
    auth = createAuth({ storage: encryptedStorage({ name }), refresh: () => ({ access_token: 'renewed' }) })
    await auth.ready()
    if (tokens) await auth.setTokens(tokens)
    return auth.state
  },
  token: () => auth?.getAccessToken(),
  signOut: () => auth?.signOut(),
  /** Waits for the session to come into that state. */
  reaches: (state: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (auth?.state === state) resolve()
      }
      auth?.on('transition', look)
      look()
    }),
}

Object.assign(globalThis, { encryptedScenarios: scenarios })

/** In a worker there is no test to call in; it writes, reads, and says what it got. */
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
