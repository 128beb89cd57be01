import type { BffCsrfOptions } from './types.ts'

const TOKEN = /^[\w!#$%&'*+.^`|~-]{1,100}$/
const isSafe = (method: string) => method === 'GET' || method === 'HEAD'

/** Refuses requests that a foreign page makes with the user's cookie (Cross-Site Request Forgery). */
export class CsrfGuard {
  readonly #header: string
  readonly #origins: ReadonlySet<string>
  readonly #own: string | undefined

  /**
   * @param own the origin of the app, if it was given
   * @throws TypeError
   */
  constructor({ header = 'x-csrf', origins = [] }: BffCsrfOptions = {}, own?: string) {
    if (!TOKEN.test(header)) throw new TypeError('createBff: csrf.header must be the name of a header.')
    this.#header = header
    this.#origins = new Set(origins.map(originOf))
    this.#own = own
  }

  /** The name of the header, which is meant for this server alone. */
  get header(): string {
    return this.#header
  }

  /** Whether the app's own page sent a request by a script, or the user navigated within the app. */
  allows(request: Request): boolean {
    const { headers, method } = request
    if (!this.#isFromApp(request)) return false
    if (headers.has(this.#header)) return true
    // A form can navigate, and has no header. Without the browser's word for it, only its origin shows that the app sent it.
    if (headers.get('sec-fetch-mode') === 'navigate') return true
    return headers.get('sec-fetch-site') === null && !isSafe(method) && headers.get('origin') !== null
  }

  /** Whether the browser sent an allowed request itself, for a form, and shows the answer to the user. */
  isForm({ headers }: Request): boolean {
    return headers.get('sec-fetch-mode') === 'navigate' || !headers.has(this.#header)
  }

  /** Whether the user has come to this address, from wherever: the browser says so, or is too old to say anything. */
  isVisit({ headers, method }: Request): boolean {
    const mode = headers.get('sec-fetch-mode')
    const dest = headers.get('sec-fetch-dest')
    return isSafe(method) && (mode === null || mode === 'navigate') && (dest === null || dest === 'document')
  }

  #isFromApp({ headers, method, url }: Request): boolean {
    const site = headers.get('sec-fetch-site')
    const origin = headers.get('origin')
    if (origin !== null && this.#origins.has(origin)) return true
    // `none`: the user entered the address, which never sends a form.
    if (site !== null) return site === 'same-origin' || (site === 'none' && isSafe(method))
    // Scripts of other origins cannot set the header. `allows` requires it of requests without an origin.
    if (origin === null) return headers.has(this.#header)
    return origin === (this.#own ?? new URL(url).origin)
  }
}

/** @throws TypeError */
export function originOf(text: string): string {
  try {
    const { origin, protocol, pathname, search } = new URL(text)
    if (/^https?:$/.test(protocol) && pathname === '/' && search === '') return origin
  } catch {
    // Reported below.
  }
  throw new TypeError(`createBff: an origin must be written like 'https://app.example.com'.`)
}
