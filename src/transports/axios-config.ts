import type { AxiosRequestHeaders, InternalAxiosRequestConfig } from 'axios'
import { isAuthorization } from './authorization.ts'
import type { TargetGuard } from './origins.ts'

type Config = InternalAxiosRequestConfig

/** Copies a config one level deep. */
export type CopyConfig = (config: Config) => Config

/**
 * Creates a `{ ...config }` that is fast for the configs of one instance. axios makes configs without a prototype, and V8
 * spreads such objects slowly (about 2 µs). A spread of an ordinary object with the same keys, whose values are then
 * replaced, takes a fifth of that.
 */
export function createConfigCopier(): CopyConfig {
  let template: Config | undefined
  let knownKeys = 0

  return (config) => {
    const keys = Object.keys(config) as (keyof Config)[]
    if (template && keys.length <= knownKeys) {
      const copy = { ...template }
      // A key that the template does not have is added: that is slower, and as right.
      for (const key of keys) copy[key] = config[key] as never
      return copy
    }
    const copy: Config = { beforeRedirect: undefined as never, ...template, ...config }
    knownKeys = keys.length
    // The template has keys only: values would outlive their request.
    template = { ...copy }
    for (const key of Object.keys(template)) template[key as keyof Config] = undefined as never
    return copy
  }
}

/** Whether the caller has set the header, even if to `null` or `false`. */
export function hasAuthorization(headers: AxiosRequestHeaders): boolean {
  for (const name of Object.keys(headers))
    if (isAuthorization(name) && headers[name] !== undefined) return true
  return false
}

/** Copies headers as they are. `new AxiosHeaders(headers)` would check each of them again. */
export const copyHeaders = (headers: AxiosRequestHeaders): AxiosRequestHeaders =>
  Object.assign(Object.create(Object.getPrototypeOf(headers)), headers)

/** axios's own test for absolute URLs. */
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?\/\//i

const isAbsolute = (url: string) => url.includes('//') && ABSOLUTE.test(url)

/** The URL of a request without its parameters, as axios joins it. */
function fullURL({ baseURL, url = '', allowAbsoluteUrls }: Config): string {
  if (!baseURL || (allowAbsoluteUrls !== false && isAbsolute(url))) return url
  if (!url) return baseURL
  const base = baseURL.endsWith('/') ? baseURL.replace(/\/+$/, '') : baseURL
  return url.startsWith('/')
    ? base + (url.startsWith('//') ? url.replace(/^\/+/, '/') : url)
    : `${base}/${url}`
}

/** A user and a password in the URL. axios makes an `Authorization` header of them and replaces any other. */
const USERINFO = /^[a-z]+:[\\/]*[^\\/?#]*@/i

const hasUserinfo = (url: string) => url.includes('@') && USERINFO.test(url)

/** Where a request goes that gets the token. */
export interface Target {
  /** The absolute URL, without parameters. */
  readonly url: string
  /** Whether axios makes the same URL of the config in each of its versions, whatever the page's base is by then. */
  readonly isCertain: boolean
}

/**
 * Finds the URLs of requests that get the token and are not excluded. It remembers the last base URL, because nearly all
 * requests have the same.
 */
export function createTargetFinder(
  targetOf: TargetGuard,
  exclude?: (url: string) => boolean,
): (config: Config) => Target | undefined {
  let lastBaseURL: string | undefined
  let lastBase = ''

  return (config) => {
    const { baseURL, url } = config
    const isPath = url?.charCodeAt(0) === SLASH && url.charCodeAt(1) !== SLASH
    // All paths under a base that ends with a slash have the origin of the base.
    if (isPath && baseURL === lastBaseURL && baseURL !== undefined) {
      const joined = lastBase + url
      return exclude?.(joined) ? undefined : { url: joined, isCertain: true }
    }
    const full = fullURL(config)
    const target = hasUserinfo(full) ? undefined : targetOf(full)
    if (target === undefined || exclude?.(full)) return undefined
    if (isPath && baseURL && target === full) {
      lastBaseURL = baseURL
      lastBase = full.slice(0, -url.length)
    }
    return { url: target, isCertain: target === full && config.allowAbsoluteUrls !== false }
  }
}

const SLASH = 47
