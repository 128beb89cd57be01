/**
 * Searches for tokens as a script on the page would: it walks everything reachable from `window`, reads every store, and
 * records messages. Values that only a closure holds cannot be reached.
 */
import type { BrowserContext } from 'playwright-core'
import type { Profile, Tab } from '../support/browsers/tab.ts'

/** The console output of the pages of each context, and of their workers. */
const consoles = new WeakMap<Profile, string[]>()

/**
 * Records the output of all pages of the context: consoles, messages of channels, ports and windows, and data sent by fetch
 * and XMLHttpRequest. Call it before the pages are opened.
 *
 * @param channels names of BroadcastChannels to record in addition to those that the page opens
 */
export async function recordTalk(
  profile: Profile,
  channels: readonly string[] = ['authchart', 'authchart storage authchart'],
): Promise<void> {
  const lines: string[] = []
  const context = profile as BrowserContext
  consoles.set(context, lines)
  context.on('console', (message) => lines.push(message.text()))
  context.on('weberror', (error) => lines.push(String(error.error().stack ?? error.error())))
  await context.addInitScript(recordInPage, channels)
}

/**
 * Returns the places where a script on the page can reach one of the tokens, such as `window.auth.session.token`. Rejects if
 * the search could not be completed, because an incomplete search proves nothing.
 */
export async function findTokens(page: Tab, tokens: readonly string[]): Promise<string[]> {
  if (tokens.length === 0) throw new Error('Pass at least one token to search for.')
  const places = await page.evaluate(searchPage, tokens)
  const lines = consoles.get(page.context()) ?? []
  const logged = lines.filter((line) => tokens.some((token) => line.includes(token)))
  return [...places, ...logged.map((line) => `console output (${line.slice(0, 40)}…)`)]
}

/** Runs in each page before its own scripts. `searchPage` finds the recorded data in a global. */
function recordInPage(channels: readonly string[]) {
  const records: unknown[][] = []
  Object.defineProperty(globalThis, Symbol.for('heard'), { value: records })
  const note = (...entry: unknown[]) => void records.push(entry)

  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table'] as const) {
    const own = console[method] as (...values: unknown[]) => void
    console[method] = (...values: unknown[]) => {
      note(`console.${method}`, ...values)
      own.apply(console, values)
    }
  }
  for (const type of ['error', 'unhandledrejection', 'message', 'storage'] as const)
    addEventListener(type, (event) => note(`window ${type}`, event))

  const Channel = globalThis.BroadcastChannel
  const tapped = new Set<string>()
  const tap = (name: string) => {
    if (tapped.has(name)) return
    tapped.add(name)
    new Channel(name).addEventListener('message', ({ data }) => note(`BroadcastChannel ${name}`, data))
  }
  for (const name of channels) tap(name)
  globalThis.BroadcastChannel = class extends Channel {
    constructor(name: string) {
      super(name)
      tap(name)
    }
    override postMessage(message: unknown) {
      note(`BroadcastChannel ${this.name}`, message)
      super.postMessage(message)
    }
  }

  // Patched prototypes see every port: what is sent, and what its listeners receive.
  const { addEventListener: listen } = EventTarget.prototype
  const tappedPorts = new WeakSet<EventTarget>()
  const tapPort = (port: EventTarget) => {
    if (tappedPorts.has(port)) return
    tappedPorts.add(port)
    listen.call(port, 'message', (event) => note('message to the page', (event as MessageEvent).data))
  }
  for (const { prototype } of [MessagePort, Worker]) {
    const { postMessage } = prototype
    prototype.postMessage = function (this: MessagePort, ...args: unknown[]) {
      note('message from the page', args[0])
      return Reflect.apply(postMessage, this, args)
    } as typeof postMessage
    const onmessage = Object.getOwnPropertyDescriptor(prototype, 'onmessage')
    if (onmessage?.set) {
      const { set } = onmessage
      Object.defineProperty(prototype, 'onmessage', {
        ...onmessage,
        set(value) {
          tapPort(this as EventTarget)
          set.call(this, value)
        },
      })
    }
  }
  EventTarget.prototype.addEventListener = function (this: EventTarget, ...args: Parameters<typeof listen>) {
    if (args[0] === 'message' && (this instanceof MessagePort || this instanceof Worker)) tapPort(this)
    return Reflect.apply(listen, this ?? globalThis, args)
  }

  const { fetch: ownFetch } = globalThis
  globalThis.fetch = async (input, init) => {
    note('fetch', input, init)
    const response = await ownFetch(input, init)
    note('answer to fetch', response.url, response)
    // A script on the page can read a copy of every response to the page.
    if (!response.bodyUsed && !/event-stream/.test(response.headers.get('content-type') ?? '')) {
      void response
        .clone()
        .text()
        .then(
          (text) => note('answer to fetch', response.url, text),
          () => {},
        )
    }
    return response
  }
  const { setRequestHeader } = XMLHttpRequest.prototype
  XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
    note('XMLHttpRequest header', name, value)
    return setRequestHeader.call(this, name, value)
  }
}

/**
 * The search itself. It uses nothing outside its body, so that it can be passed to `page.evaluate` or pasted into a console.
 * Getters are called, because a script could call them. Other functions are searched but not called.
 */
async function searchPage(tokens: readonly string[]): Promise<string[]> {
  const LIMIT = 1_000_000
  const found = new Set<string>()
  const seen = new Set<object>()
  const weakMaps: [string, WeakMap<object, unknown>][] = []
  const queue: [string, object][] = []
  const needles = [
    ...new Set(
      tokens.flatMap((token) => [
        token,
        encodeURIComponent(token),
        // Without padding. No regular expression, because `RegExp` remembers its last input.
        btoa(token).split('=', 1)[0] ?? '',
        // A token that is stored in two halves is stored as well.
        token.slice(0, Math.ceil(token.length / 2)),
        token.slice(Math.floor(token.length / 2)),
      ]),
    ),
  ].filter((needle) => needle.length >= 16)
  if (needles.length < tokens.length)
    throw new Error('Some tokens are too short to be distinguished from other text.')

  const check = (path: string, text: string) => {
    if (needles.some((needle) => text.includes(needle))) found.add(path)
  }

  /** Ignores errors of getters: a prototype is not an instance of its class, and a getter may throw anything. */
  const ignore = (error: unknown) => {
    if (error instanceof EndlessSearch) throw error
  }
  class EndlessSearch extends Error {}

  const look = (path: string, value: unknown) => {
    if (typeof value === 'string') check(path, value)
    else if (typeof value === 'symbol') check(path, String(value.description))
    else if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      if (seen.has(value)) return
      if (seen.size >= LIMIT) throw new EndlessSearch(`The search exceeds ${LIMIT} objects at ${path}`)
      seen.add(value)
      queue.push([path, value])
    }
  }

  const bytes = (path: string, buffer: ArrayBufferLike) => {
    // Text in UTF-16 has a zero in every second byte.
    const text = new TextDecoder('latin1').decode(new Uint8Array(buffer).slice())
    check(path, text)
    check(path, text.replaceAll('\0', ''))
  }

  const PENDING = Symbol('pending')
  const settled = (promise: PromiseLike<unknown>) =>
    Promise.race([
      Promise.resolve(promise).then(
        (value) => value,
        (error: unknown) => error,
      ),
      new Promise((resolve) => setTimeout(resolve, 0, PENDING)),
    ])

  /** Searches contents that are not properties. */
  async function lookInside(path: string, value: object): Promise<void> {
    if (value instanceof Map) {
      for (const [key, entry] of Map.prototype.entries.call(value)) {
        look(`${path} key`, key)
        look(`${path}.get(${String(key).slice(0, 20)})`, entry)
      }
    } else if (value instanceof Set) {
      for (const entry of Set.prototype.values.call(value)) look(`${path} member`, entry)
    } else if (value instanceof WeakMap) weakMaps.push([path, value])
    else if (value instanceof WeakRef) look(`${path}.deref()`, value.deref())
    else if (value instanceof Headers || value instanceof URLSearchParams || value instanceof FormData) {
      for (const [name, entry] of value as Iterable<[string, unknown]>) look(`${path}.get(${name})`, entry)
    } else if (value instanceof ArrayBuffer) bytes(path, value)
    else if (ArrayBuffer.isView(value)) {
      bytes(path, value.buffer)
    } else if (value instanceof Blob) bytes(path, await value.arrayBuffer())
    else if (value instanceof Request || value instanceof Response) {
      if (!value.bodyUsed && !value.body?.locked) {
        const copied = value.clone()
        const text = await Promise.race([
          copied.text().catch(() => ''),
          new Promise<string>((resolve) => setTimeout(resolve, 50, '')),
        ])
        check(`${path} body`, text)
      }
    } else if (value instanceof Promise) {
      const result = await settled(value)
      if (result !== PENDING) look(`await ${path}`, result)
    } else if (typeof value === 'function') check(`${path} source`, Function.prototype.toString.call(value))
    else if (value instanceof Error) check(path, `${value.stack} ${value.message}`)
  }

  function lookAtProperties(path: string, value: object) {
    // Getters of a prototype are called on each object that inherits them, because their values belong to that object.
    for (let holder: object | null = value; holder; holder = Object.getPrototypeOf(holder)) {
      const own = holder === value
      if (!own) look(`${path}.__proto__`, holder)
      for (const key of Reflect.ownKeys(holder)) {
        const name = typeof key === 'symbol' ? `[${String(key)}]` : `.${key}`
        check(`${path} property name`, String(key))
        let descriptor: PropertyDescriptor | undefined
        try {
          descriptor = Object.getOwnPropertyDescriptor(holder, key)
        } catch {}
        if (!descriptor) continue
        if ('value' in descriptor) {
          if (own) look(path + name, descriptor.value)
          continue
        }
        if (own) {
          look(`${path}${name} getter`, descriptor.get)
          look(`${path}${name} setter`, descriptor.set)
        }
        try {
          look(path + name, descriptor.get?.call(value))
        } catch (error) {
          ignore(error)
        }
      }
    }
  }

  async function walk() {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [path, value] = next
      // Long paths are shortened, so that they do not grow along a linked list.
      const short = path.length > 300 ? `${path.slice(0, 120)}…${path.slice(-120)}` : path
      lookAtProperties(short, value)
      try {
        await lookInside(short, value)
      } catch (error) {
        ignore(error)
      }
    }
    for (const [path, map] of weakMaps)
      for (const key of seen) if (WeakMap.prototype.has.call(map, key)) look(`${path}.get(…)`, map.get(key))
    if (queue.length > 0) await walk()
  }

  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })

  /** Searches the keys and values of all databases. */
  async function lookAtDatabases() {
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name))
      try {
        for (const store of database.objectStoreNames) {
          const objects = database.transaction(store).objectStore(store)
          const [keys, values] = await Promise.all([done(objects.getAllKeys()), done(objects.getAll())])
          for (const [index, value] of values.entries()) {
            const path = `indexedDB ${name}/${store}/${String(keys[index])}`
            look(`${path} key`, keys[index])
            look(path, value)
            check(path, String(value))
            check(path, JSON.stringify(value) ?? '')
          }
        }
      } finally {
        database.close()
      }
    }
  }

  async function lookAtCaches() {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name)
      for (const request of await cache.keys()) {
        look(`caches ${name} ${request.url}`, request)
        look(`caches ${name} answer ${request.url}`, await cache.match(request))
      }
    }
  }

  check('document.cookie', document.cookie)
  check('document HTML', document.documentElement.outerHTML)
  check('location', location.href)
  for (const [name, storage] of Object.entries({ localStorage, sessionStorage })) {
    for (let index = 0; index < storage.length; index++) {
      const key = storage.key(index) ?? ''
      check(`${name} key`, key)
      check(`${name} ${key}`, storage.getItem(key) ?? '')
    }
  }
  for (const entry of performance.getEntries()) check(`performance ${entry.entryType}`, entry.name)
  await lookAtDatabases()
  if ('caches' in globalThis) await lookAtCaches()
  look('window', window)
  const records = (globalThis as Record<symbol, unknown>)[Symbol.for('heard')] as unknown[][] | undefined
  for (const [what, ...values] of [...(records ?? [])]) look(`heard: ${what}`, values)
  await walk()
  return [...found].sort()
}
