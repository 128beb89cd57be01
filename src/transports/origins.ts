import { messageOf } from '../core/messages.ts'
import { isProxied } from './loopback-proxy.ts'

/** The origins that a transport sends tokens to. */
export interface OriginOptions {
  /** Origins that get the token, in addition to the base URL's and the page's own: `'https://api.example.com'`. */
  readonly origins?: readonly (string | URL)[]
  /** Also sends tokens over plain http to other machines. Default: `false`. */
  readonly allowInsecure?: boolean
}

/**
 * Returns the absolute URL to send a request to with the token, or `undefined` if the token must not go there. A transport
 * sends exactly the string it gets from here: a relative URL could mean something else later, if the page's base changes.
 */
export type TargetGuard = (url: string) => string | undefined

/** Loopback hosts, as a URL names them. Requests to them cross no network (RFC 8252 §8.3). */
export const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/

const HTTP = /^https?:$/

/**
 * Creates the rule for which URLs get the token: those of the named origins, of the base URL's origin and of the page's
 * own, over https or on this machine. A base element has no part in it.
 *
 * @throws TypeError if no origin is named
 */
export function createTargetGuard(
  creator: string,
  { origins = [], allowInsecure = false }: OriginOptions,
  baseURL?: string,
): TargetGuard {
  const page = pageURL()
  const base = baseURL ? parse(baseURL, page) : undefined
  const named = [...origins, ...(base ? [base] : []), ...(page ? [page] : [])]
  if (named.length === 0) {
    throw new TypeError(messageOf('no_origin', { detail: creator }))
  }
  const allowed = new Set<string>()
  for (const name of named) {
    const url = parse(name, undefined)
    if (!url || !HTTP.test(url.protocol)) {
      throw new TypeError(messageOf('wrong_origin', { detail: `${creator}: ${String(name)}` }))
    }
    if (url.protocol === 'https:' || allowInsecure || (LOOPBACK.test(url.hostname) && !isProxied(url)))
      allowed.add(url.origin)
  }
  // Nothing after the first slash behind the host can change the origin, so most URLs need no parsing.
  const prefixes = [...allowed].map((origin) => `${origin}/`)
  let lastPrefix = prefixes[0]

  return (url) => {
    // `lastIndexOf` at 0 is `startsWith`, but V8 does it in a third of the time.
    if (lastPrefix !== undefined && url.lastIndexOf(lastPrefix, 0) === 0) return url
    const prefix = prefixes.find((other) => url.startsWith(other))
    if (prefix !== undefined) {
      lastPrefix = prefix
      return url
    }
    const target = parse(url, baseOfRelative())
    // A blob: URL has the origin of the page that made it.
    return target && HTTP.test(target.protocol) && allowed.has(target.origin) ? target.href : undefined
  }
}

/** The origin of a URL, or `undefined` if it has none. */
export const originOf = (url: string): string | undefined => parse(url, baseOfRelative())?.origin

/** The page's own origin, or that of a worker's script. */
export const pageOrigin = (): string | undefined => parse(pageURL() ?? '', undefined)?.origin

function parse(url: string | URL, base: string | undefined): URL | undefined {
  try {
    return new URL(url, base)
  } catch {
    return undefined
  }
}

/** The URL of the page, or of a worker's script. */
function pageURL(): string | undefined {
  return typeof location === 'object' && /^https?:/.test(location.href) ? location.href : undefined
}

/** What relative URLs are resolved with at this moment. Injected markup can change it with a base element. */
function baseOfRelative(): string | undefined {
  const base = typeof document === 'object' ? document.baseURI : undefined
  if (base === undefined) return pageURL()
  return /^https?:/.test(base) ? base : undefined
}
