import { hashKey } from '../hash-key.ts'
import type { KeyRing } from '../key-ring.ts'
import { open, seal } from '../seal.ts'
import { readCookies, setCookie } from './cookies.ts'
import type { SignInTransactions } from './types.ts'

/** How long a sign-in may take, in seconds. */
const SECONDS = 600
/** How many sign-ins a browser may have begun. */
const MOST = 5
/** A browser refuses longer cookies. */
const LONGEST = 4_000
const NAME = /sign-in-(\d{13})-[\w-]{16}$/

/** The cookies that a browser keeps while its user signs in: one for each sign-in, sealed, so that tabs cannot disturb each other. */
export class TransactionCookies {
  readonly #keys: KeyRing
  readonly #path: string
  readonly #secure: boolean
  readonly #now: () => number

  /** @param path under which the browser sends them */
  constructor(keys: KeyRing, path: string, secure: boolean, now: () => number) {
    this.#keys = keys
    this.#path = path
    this.#secure = secure
    this.#now = now
  }

  /** The sign-ins of the browser that sent a request. `headers` receives what the browser has to change. */
  of(request: Request, headers: Headers): SignInTransactions {
    const cookies = new Map(
      [...readCookies(request.headers.get('cookie'))].filter(([name]) => NAME.test(name)),
    )
    const find = async (key: string) => {
      const end = (await hashKey(key)).slice(0, 16)
      return [...cookies.keys()].find((name) => name.endsWith(`-${end}`))
    }
    const put = (name: string, value: string, seconds: number) =>
      headers.append('set-cookie', setCookie(name, value, this.#path, this.#secure, seconds))
    const remove = (name: string) => {
      cookies.delete(name)
      put(name, '', 0)
    }
    const read = async (key: string) => {
      const name = await find(key)
      if (name === undefined) return undefined
      return open(this.#keys, placeOf(name, key), cookies.get(name)).catch(() => undefined)
    }
    const write = async (key: string, text: string) => {
      const found = await find(key)
      const end = (await hashKey(key)).slice(0, 16)
      const name =
        found ?? `${this.#secure ? '__Secure-' : ''}sign-in-${String(this.#now()).padStart(13, '0')}-${end}`
      const value = await seal(this.#keys, placeOf(name, key), text)
      if (value.length > LONGEST)
        throw new TypeError('createBff: what a sign-in has to remember is too long for a cookie.')
      cookies.set(name, value)
      put(name, value, SECONDS)
      for (const old of oldest(cookies)) remove(old)
    }
    return {
      read,
      write,
      remove: async (key) => {
        const name = await find(key)
        if (name !== undefined) remove(name)
      },
      // The client need not clean up: the browser forgets them, and `write` drops the oldest.
      keys: () => [],
    }
  }
}

const placeOf = (name: string, key: string) => ['sign-in', name, key]

/** The names of those that are too many, the oldest first: a name contains the time of its sign-in. */
const oldest = (cookies: ReadonlyMap<string, string>): string[] => {
  const byTime = [...cookies.keys()].sort((a, b) => Number(NAME.exec(a)?.[1]) - Number(NAME.exec(b)?.[1]))
  return byTime.slice(0, Math.max(0, byTime.length - MOST))
}
