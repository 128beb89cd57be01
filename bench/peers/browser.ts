/** What libraries for browsers expect of a page: its address, storage, cookies and events. Everything stays in memory. */
import { requestByFetch } from '../scoreboard/clients.ts'

class MemoryStorage {
  #items = new Map<string, string>()
  get length() {
    return this.#items.size
  }
  key = (index: number) => [...this.#items.keys()][index] ?? null
  getItem = (key: string) => this.#items.get(key) ?? null
  setItem = (key: string, value: string) => void this.#items.set(key, String(value))
  removeItem = (key: string) => void this.#items.delete(key)
  clear = () => this.#items.clear()
}

class CookieJar {
  #cookies = new Map<string, string>()
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }
  set cookie(text: string) {
    const [pair = '', ...attributes] = text.split(';').map((part) => part.trim())
    const split = pair.indexOf('=')
    const [name, value] = [pair.slice(0, split), pair.slice(split + 1)]
    const expires = attributes.find((one) => /^expires=/i.test(one))?.slice('expires='.length)
    if (expires !== undefined && Date.parse(expires) <= Date.now()) this.#cookies.delete(name)
    else this.#cookies.set(name, value)
  }
}

const define = (name: string, value: unknown) =>
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })

/** Turns this process into something like a page at `http://localhost`. */
export function pretendToBeBrowser(): void {
  const events = new EventTarget()
  const jar = new CookieJar()
  const page = new URL('http://localhost/')
  define('window', globalThis)
  define('location', Object.assign(page, { assign: () => {}, replace: () => {} }))
  define('localStorage', new MemoryStorage())
  define('sessionStorage', new MemoryStorage())
  // Libraries that patch it need something to patch. Requests are sent by `fetch`.
  define('XMLHttpRequest', class XMLHttpRequest {})
  define('history', { replaceState: () => {} })
  define(
    'document',
    Object.defineProperty(
      Object.assign(new EventTarget(), { visibilityState: 'visible', location: page, title: '' }),
      'cookie',
      {
        get: () => jar.cookie,
        set: (text: string) => {
          jar.cookie = text
        },
      },
    ),
  )
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent'] as const) {
    define(name, events[name].bind(events))
  }
}

/** Sends with the token that `getToken` gives, as apps do with libraries that only manage tokens. */
export const requestWithToken = (origin: string, getToken: () => Promise<string | undefined>) =>
  requestByFetch(origin, async (url, init) => {
    const token = await getToken()
    const headers = new Headers(init.headers)
    if (token) headers.set('authorization', `Bearer ${token}`)
    return fetch(url, { ...init, headers })
  })
