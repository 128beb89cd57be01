/** Where a transport may send tokens. */
export interface OriginOptions {
  /** Origins that get the token, beside the base URL's and the page's own: `'https://api.example.com'`. */
  readonly origins?: readonly (string | URL)[]
  /** Sends tokens over plain http to hosts that are not this machine, too. Default: `false`. */
  readonly allowInsecure?: boolean
}

/** This machine, as a URL names it: what is sent there crosses no network (RFC 8252 §8.3). */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/

const HTTP = /^https?:$/

/**
 * Decides which URLs get the token: those of the named origins, of the base URL's and of the page's own, over https or on
 * this machine.
 *
 * @throws TypeError where there is no origin to confine the token to
 */
export function createOriginGuard(
  creator: string,
  { origins = [], allowInsecure = false }: OriginOptions,
  baseURL?: string,
): (url: string) => boolean {
  const page = pageURL()
  const base = baseURL ? parse(baseURL, page) : undefined
  const named = [...origins, ...(base ? [base] : []), ...(page ? [page] : [])]
  if (named.length === 0) {
    throw new TypeError(
      `${creator} has no origin to send tokens to: there is no page and no base URL here. Set origins: ['https://api.example.com'].`,
    )
  }
  const allowed = new Set<string>()
  for (const name of named) {
    const url = parse(name, undefined)
    if (!url || !HTTP.test(url.protocol)) {
      throw new TypeError(
        `${creator}: ${String(name)} is not the URL of an http or https origin. Write it as 'https://api.example.com'.`,
      )
    }
    if (url.protocol === 'https:' || allowInsecure || LOOPBACK.test(url.hostname)) allowed.add(url.origin)
  }
  // What follows the first slash after the host can change nothing about the origin, so most URLs need no parsing.
  const prefixes = [...allowed].map((origin) => `${origin}/`)

  return (url) => {
    for (const prefix of prefixes) if (url.startsWith(prefix)) return true
    const target = parse(url, page)
    // A blob: URL borrows the origin of the page that made it.
    return target !== undefined && HTTP.test(target.protocol) && allowed.has(target.origin)
  }
}

/** The origin a URL leads to, or nothing. */
export const originOf = (url: string) => parse(url, pageURL())?.origin

function parse(url: string | URL, base: string | undefined): URL | undefined {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}

/** What relative URLs are relative to: a page, or a worker's script. */
function pageURL(): string | undefined {
  const base = typeof document === 'object' ? document.baseURI : undefined
  const url = base ?? (typeof location === 'object' ? location.href : undefined)
  return url !== undefined && /^https?:/.test(url) ? url : undefined
}
