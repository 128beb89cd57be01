import type { TargetGuard } from '../origins.ts'
import type { Config } from './config.ts'

/** axios's own test for absolute URLs. */
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?\/\//i

/** What axios refuses to send to. */
const MALFORMED = /^https?:(?!\/\/)/i

const isAbsolute = (url: string) => url.includes('//') && ABSOLUTE.test(url)

/** What needs no base. */
const HTTP = /^https?:/i

/** A URL without what the URL parser ignores. */
const trimmed = (url: string) => url.replace(/^[\0-\x20]+|[\t\n\r]/g, '')

const isMalformed = (url: string) => MALFORMED.test(trimmed(url))

/**
 * The URL of a request without its parameters, as axios's adapters join it from this config alone. `undefined`: axios will
 * reject the request.
 */
function fullURL({ baseURL, url, allowAbsoluteUrls }: Config): string | undefined {
  const given: unknown = url ?? ''
  // Read once: another reading of an object may give another text.
  if (typeof given !== 'string') return baseURL ? undefined : String(given)
  if (isMalformed(given)) return undefined
  if (!baseURL || (allowAbsoluteUrls !== false && isAbsolute(given))) return given
  if (typeof baseURL !== 'string' || isMalformed(baseURL)) return undefined
  if (!given) return baseURL
  let end = baseURL.length
  while (baseURL.charCodeAt(end - 1) === SLASH) end--
  let start = 0
  while (given.charCodeAt(start) === SLASH) start++
  return `${baseURL.slice(0, end)}/${given.slice(start)}`
}

/** A user and a password in an absolute URL. axios makes an `Authorization` header of them and replaces any other. */
const USERINFO = /^https?:\/\/[^/?#]*@/

/** Writes a URL into a config, so that axios joins it to this URL again. Keeps the path that an adapter of the app may match. */
function pin(config: Config, target: string): void {
  const { url } = config
  if (typeof url === 'string' && target.endsWith(url)) {
    config.baseURL = target.slice(0, target.length - url.length)
    if (fullURL(config) === target) return
  }
  config.url = target
  config.baseURL = undefined as never
}

/** Finds the absolute URL of a request that gets the token, and makes sure that the config leads to no other. */
export type FindTarget = (config: Config) => string | undefined

/**
 * Creates the rule for which requests get the token. It remembers the last base URL, because nearly all requests have the
 * same.
 */
export function createTargetFinder(targetOf: TargetGuard, exclude?: (url: string) => boolean): FindTarget {
  let lastBaseURL: string | undefined
  let lastBase = ''

  return (config) => {
    const { baseURL, url } = config
    const isPath = typeof url === 'string' && url.charCodeAt(0) === SLASH && url.charCodeAt(1) !== SLASH
    // All paths under a base that ends with a slash have the origin of the base.
    if (isPath && baseURL === lastBaseURL && baseURL !== undefined) {
      const joined = lastBase + url
      return exclude?.(joined) ? undefined : joined
    }
    const full = fullURL(config)
    const target = full === undefined ? undefined : targetOf(full)
    if (full === undefined || target === undefined) return undefined
    if ((target.includes('@') && USERINFO.test(target)) || exclude?.(full)) return undefined
    if (!HTTP.test(trimmed(full)) || (typeof url !== 'string' && url !== undefined)) pin(config, target)
    else if (isPath && baseURL && target === full) {
      lastBaseURL = baseURL
      lastBase = full.slice(0, -url.length)
    }
    return target
  }
}

const SLASH = 47
