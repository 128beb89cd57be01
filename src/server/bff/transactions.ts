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
/** How long all of them may be, with their names: any page can begin sign-ins, and servers refuse requests with long headers. */
const TOGETHER = 4_000
const NAME = /^(?:__Host-)?sign-in-(\d{13})-[\w-]{16}$/

/**
 * The cookies that a browser keeps while its user signs in: one for each sign-in, sealed, so that tabs cannot disturb each other. Their
 * prefix keeps other hosts of the domain from setting them, and requires the path `/` (RFC 6265bis §4.1.3.2).
 */
export class TransactionCookies {
  readonly #keys: KeyRing
  readonly #secure: boolean
  readonly #now: () => number

  constructor(keys: KeyRing, secure: boolean, now: () => number) {
    this.#keys = keys
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
      headers.append('set-cookie', setCookie(name, value, '/', this.#secure, seconds))
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
        found ?? `${this.#secure ? '__Host-' : ''}sign-in-${String(this.#now()).padStart(13, '0')}-${end}`
      const value = await seal(this.#keys, placeOf(name, key), text)
      if (value.length > LONGEST)
        throw new TypeError('createBff: what a sign-in has to remember is too long for a cookie.')
      cookies.set(name, value)
      put(name, value, SECONDS)
      for (const old of surplus(cookies, name)) remove(old)
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

/** The names of the oldest ones, which are too many or too long beside the one that is kept. */
function surplus(cookies: ReadonlyMap<string, string>, kept: string): string[] {
  const newestFirst = [...cookies.keys()]
    .filter((name) => name !== kept)
    .sort((a, b) => Number(NAME.exec(b)?.[1]) - Number(NAME.exec(a)?.[1]))
  const lengthOf = (name: string) => name.length + (cookies.get(name)?.length ?? 0)
  let length = lengthOf(kept)
  return newestFirst.filter((name, index) => {
    length += lengthOf(name)
    return index >= MOST - 1 || length > TOGETHER
  })
}
