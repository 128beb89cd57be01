import type { BffCookieOptions } from './types.ts'

/** The most characters of a `Cookie` header that are read. Servers allow 8 to 16 kB. */
const LONGEST = 65_536
const NAME = /^[\w!#$%&'*+.^`|~-]{1,100}$/
/** As `randomKey` makes them. */
const KEY = /^[\w-]{43}$/

/**
 * The cookies of a request. If one name comes twice, the first value counts.
 *
 * @see RFC 6265 §5.4
 */
export function readCookies(header: string | null | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>()
  for (const pair of (header ?? '').slice(0, LONGEST).split(';')) {
    const at = pair.indexOf('=')
    // Not `trim`: a browser keeps other spaces, so another host could set what would then be the name of our cookie.
    const name = pair.slice(0, at).replace(/^[ \t]+/, '')
    if (at > 0 && !cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim())
  }
  return cookies
}

/** A `Set-Cookie` header that scripts cannot read. `SameSite=Lax`, because the user comes back from another site. */
export const setCookie = (
  name: string,
  value: string,
  path: string,
  secure: boolean,
  seconds?: number,
): string =>
  [
    `${name}=${value}`,
    `Path=${path}`,
    ...(seconds === undefined ? [] : [`Max-Age=${seconds}`]),
    'HttpOnly',
    ...(secure ? ['Secure'] : []),
    'SameSite=Lax',
  ].join('; ')

/** The cookie with the key of the session. A refresh never changes it. */
export class SessionCookie {
  readonly #name: string
  readonly #secure: boolean
  readonly #seconds: number | undefined

  /** @throws TypeError */
  constructor({ name, lifetime, secure = true }: BffCookieOptions = {}) {
    this.#name = name ?? (secure ? '__Host-session' : 'session')
    this.#secure = secure
    this.#seconds = lifetime === undefined ? undefined : Math.round(lifetime / 1000)
    if (!NAME.test(this.#name)) throw new TypeError('createBff: cookie.name must be the name of a cookie.')
    if (!secure && /^__(?:Host|Secure)-/i.test(this.#name))
      throw new TypeError(`createBff: a cookie named ${this.#name} must be secure.`)
    if (this.#seconds !== undefined && !(this.#seconds >= 1))
      throw new TypeError('createBff: cookie.lifetime must be a number of at least 1,000.')
  }

  get secure(): boolean {
    return this.#secure
  }

  /** The key in the cookie of a request. Anything that is no key counts as missing. */
  read(headers: Pick<Headers, 'get'>): string | undefined {
    const value = readCookies(headers.get('cookie')).get(this.#name)
    return value !== undefined && KEY.test(value) ? value : undefined
  }

  set(key: string): string {
    return setCookie(this.#name, key, '/', this.#secure, this.#seconds)
  }

  clear(): string {
    return setCookie(this.#name, '', '/', this.#secure, 0)
  }
}
