/** Explains during development why a transport sends a request without a token. `explain.production.ts` does nothing. */
import type { AuthHandle } from '../core/auth.ts'
import {
  explainArgument,
  explainOptions,
  explainTokenless,
  type TokenlessReason,
} from '../core/platform/hints.ts'
import { isObject } from '../core/platform/is-object.ts'
import { isAuthorization } from './authorization.ts'
import { LOOPBACK } from './origins.ts'

/** The options of all transports. */
const OPTIONS =
  'origins allowInsecure isChallenge bufferStreams abortInFlight exclude fetch ofetch defaults'.split(' ')

/** Names the options that no transport has, and `origins` that are not a list. */
export function explainTransport(creator: string, options: { readonly origins?: unknown }): void {
  explainOptions(creator, options, OPTIONS)
  if (!Array.isArray(options.origins ?? []))
    explainArgument(`${creator}: origins must be a list, such as ['https://api.example.com'].`)
}

/** What a transport sends, as far as it matters here. */
interface Sent {
  readonly method?: unknown
  readonly headers?: unknown
  readonly auth?: unknown
  readonly mode?: unknown
}

/**
 * Explains a request that bypasses the session.
 *
 * @param target what the origin guard made of the URL
 * @param sent the request, or the options of `fetch`
 * @param init replaces options of the request
 */
export function explainBypass(
  auth: AuthHandle,
  url: string,
  target: unknown,
  sent?: Sent | null,
  init?: Sent | null,
): void {
  attempt(() => {
    const full = absolute(url)
    if (!full || !/^https?:$/.test(full.protocol)) return
    const all = { ...picked(sent), ...picked(init) }
    const method = typeof all.method === 'string' ? all.method.toUpperCase() : 'GET'
    explainTokenless(auth, reasonOf(full, target, all), `${method} ${full.href}`)
  })
}

/** No explanation may fail a request: its options may be of any kind, and their getters may throw. */
function attempt(explanation: () => void): void {
  try {
    explanation()
  } catch {
    // The client itself says what is wrong with the request.
  }
}

function picked(sent: Sent | null | undefined): Sent {
  const { method, headers, auth, mode } = sent ?? {}
  return {
    ...(method !== undefined && { method }),
    ...(headers !== undefined && { headers }),
    ...(auth !== undefined && { auth }),
    ...(mode !== undefined && { mode }),
  }
}

function reasonOf(url: URL, target: unknown, { headers, auth, mode, method }: Sent): TokenlessReason {
  if (auth || hasOwn(headers)) return 'own_header'
  if (target === undefined || target === false)
    return url.protocol === 'http:' && !LOOPBACK.test(url.hostname) ? 'plain_http' : 'origin_not_listed'
  return mode === 'no-cors' || method === 'JSONP' ? 'no_headers' : 'excluded'
}

function hasOwn(headers: unknown): boolean {
  if (!isObject(headers)) return false
  const { has } = headers
  if (typeof has === 'function') return Boolean(has.call(headers, 'authorization'))
  const names = Array.isArray(headers) ? headers.map(([name]) => name) : Object.keys(headers)
  return names.some((name) => isAuthorization(String(name)))
}

function absolute(url: string): URL | undefined {
  try {
    return new URL(url, typeof location === 'object' ? location.href : undefined)
  } catch {
    return undefined
  }
}

/** Explains a request of axios that bypasses the session. */
export function explainAxios(
  auth: AuthHandle,
  config: Sent & { readonly url?: string | undefined; readonly baseURL?: string | undefined },
  targetOf: (url: string) => string | undefined,
): void {
  attempt(() => {
    const { url = '', baseURL } = config
    // Reading another kind of value could change it.
    if (typeof url !== 'string' || (baseURL !== undefined && typeof baseURL !== 'string')) return
    const isRelative = baseURL !== undefined && !/^([a-z][a-z\d+\-.]*:)?\/\//i.test(url)
    const full = isRelative ? `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}` : url
    explainBypass(auth, full, targetOf(full), config)
  })
}

/** Explains a request of `HttpClient` that bypasses the session. */
export function explainAngular(
  injectAuth: () => AuthHandle,
  request: Sent,
  url: string,
  targetOf: (url: string) => string | undefined,
): void {
  attempt(() => explainBypass(injectAuth(), url, targetOf(url), request))
}
