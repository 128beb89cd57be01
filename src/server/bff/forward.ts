import { decodeFully } from '../../bindings/return-path.ts'
import { createAuthFetch } from '../../transports/fetch.ts'
import type { PooledAuth } from '../pool-types.ts'
import type { BffApi } from './types.ts'

/** Bodies of requests up to this many bytes are read before they are sent, so that they can be sent again with a new token. */
const REPLAYABLE = 1_048_576

/** Of one connection only (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
/** What is between the browser and this server, or what `fetch` sets itself. */
const OF_THIS_SERVER =
  /^(?:cookie2?|authorization|dpop|host|content-length|expect|accept-encoding|origin|referer|via|sec-.*)$/
/** What a proxy or a framework in front of the API takes for another user or address of the user, another path, or another method. */
const OVERRIDES =
  /^(?:(?:x-)?forwarded.*|x-(?:original|rewrite|envoy)-.*|(?:x-)?remote-user|x-(?:http-)?(?:method|host)(?:-override)?|(?:.*-)?(?:client|connecting|originating|real|remote|source|user)-?(?:ip|ipv6|addr))$/
/** What is between this server and the API, what caches in between would do, or what `fetch` has undone. */
const OF_THE_API =
  /^(?:set-cookie2?|content-encoding|content-length|access-control-.*|alt-svc|x-accel-.*|x-sendfile.*|surrogate-.*|(?:.*-)?cdn-cache-control)$/
/** What would hold for all of the app, or ask the user for a password. */
const OF_THE_ORIGIN =
  /^(?:strict-transport-security|clear-site-data|service-worker-allowed|refresh|set-login|accept-ch|critical-ch|nel|report-to|reporting-endpoints)$/
/** Answers without a body. */
const EMPTY = new Set([101, 204, 205, 304])

/** One API, under a path of the app. */
export class ForwardedApi {
  readonly path: string
  readonly origin: string
  readonly #to: URL
  readonly allowInsecure: boolean

  /** @throws TypeError */
  constructor(path: string, { to, allowInsecure = false }: BffApi) {
    if (!/^\/.*[^/]$/.test(path) || path.includes('//'))
      throw new TypeError(`createBff: the path of an API must be written like '/api', not '${path}'.`)
    this.path = path
    this.#to = addressOf(path, to)
    this.#to.pathname = this.#to.pathname.replace(/\/+$/, '')
    this.origin = this.#to.origin
    this.allowInsecure = allowInsecure
  }

  /** Whether a path of the app belongs to it. */
  has(pathname: string): boolean {
    return pathname === this.path || pathname.startsWith(`${this.path}/`)
  }

  /** The address at the API; `undefined` if the path could lead out of the part that is forwarded to. */
  target({ pathname, search }: URL): string | undefined {
    const rest = pathname.slice(this.path.length)
    if (!staysBelow(rest)) return undefined
    const base = this.#to.pathname === '/' ? '' : this.#to.pathname
    const target = new URL(`${this.origin}${base}${rest}${search}`)
    return target.origin === this.origin && target.pathname === `${base}${rest || (base ? '' : '/')}`
      ? target.href
      : undefined
  }

  /** A `fetch` that sends the token of a session to this API. */
  fetchOf(auth: PooledAuth<unknown>): typeof fetch {
    return createAuthFetch(auth, { origins: [this.origin], allowInsecure: this.allowInsecure })
  }

  /** The address in an answer as the browser must use it. */
  locationOf(location: string, target: string): string {
    const { origin, pathname, search, hash, href } = new URL(location, target)
    const base = this.#to.pathname === '/' ? '' : this.#to.pathname
    const isHere = origin === this.origin && (pathname === base || pathname.startsWith(`${base}/`))
    // Elsewhere it is absolute: a relative one would lead to a page of the app.
    return isHere ? `${this.path}${pathname.slice(base.length)}${search}${hash}` : href
  }
}

/** @throws TypeError */
function addressOf(path: string, to: string | URL): URL {
  try {
    return new URL(to)
  } catch {
    throw new TypeError(
      `createBff: apis['${path}'].to must be a whole URL, such as 'https://api.example.com'.`,
    )
  }
}

/** Some servers read an underscore as a hyphen. */
function isForwarded(name: string): boolean {
  const plain = name.replaceAll('_', '-')
  return !OF_THIS_SERVER.test(plain) && !OVERRIDES.test(plain)
}

/** Whether a text can be decoded. A bundler would remove the call if its result had no use. */
function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text).length <= text.length
  } catch {
    return false
  }
}

/**
 * Whether a path has no parts that a server could read as a way up, however often it decodes it. One that cannot be decoded is
 * refused, because a server that works with bytes decodes it all the same.
 */
function staysBelow(path: string): boolean {
  const decoded = decodeFully(path)
  const escapes = decoded.match(/(?:%[89a-f][\da-f])+/gi) ?? []
  if (![path, ...escapes].every(isDecodable)) return false
  // Decoding removes no slash and no dot. So the last form shows what any form before it contains.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no path needs them, and some servers cut there.
  return !/[\\\u0000-\u001f\u007f]|\/\.{1,2} *(?:[/;?#]|$)/.test(decoded)
}

/**
 * The request that is sent to the API. Its body is read first if it is short, and otherwise passed on as it comes.
 *
 * @param own the name of a header that is meant for this server
 */
export async function forwardedInit(request: Request, own: string): Promise<RequestInit> {
  const headers = new Headers()
  const dropped = new Set([...HOP_BY_HOP, ...namesIn(request.headers.get('connection')), own.toLowerCase()])
  for (const [name, value] of request.headers)
    if (!dropped.has(name) && isForwarded(name)) headers.append(name, value)
  const { method, signal } = request
  const init: RequestInit & { duplex?: 'half' } = { method, headers, signal, redirect: 'manual' }
  const length = Number(request.headers.get('content-length') ?? Number.NaN)
  const isShort = length <= REPLAYABLE
  const body = request.body && (await (isShort ? request.arrayBuffer() : unlessEmpty(request.body)))
  if (body) init.body = body
  if (body && !isShort) init.duplex = 'half'
  return init
}

/** The same stream. Servers give one to a request without a body as well, which only reading it shows. */
async function unlessEmpty(
  body: ReadableStream<Uint8Array>,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const reader = body.getReader()
  const first = await reader.read()
  if (first.done) return undefined
  let next: Promise<ReadableStreamReadResult<Uint8Array>> | undefined = Promise.resolve(first)
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await (next ?? reader.read())
      next = undefined
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

/** The answer of an API, as the browser gets it; `undefined` if a browser could not use it. */
export function returnedResponse(answer: Response, api: ForwardedApi, target: string): Response | undefined {
  try {
    const headers = returnedHeaders(answer.headers, api, target)
    const { status, statusText } = answer
    return new Response(EMPTY.has(status) ? null : answer.body, { status, statusText, headers })
  } catch {
    // Such as an address that is none, or a status that does not exist.
    void answer.body?.cancel().catch(() => {})
    return undefined
  }
}

function returnedHeaders(given: Headers, api: ForwardedApi, target: string): Headers {
  const headers = new Headers()
  const dropped = new Set([...HOP_BY_HOP, ...namesIn(given.get('connection'))])
  for (const [name, value] of given)
    if (!dropped.has(name) && !OF_THE_API.test(name) && !OF_THE_ORIGIN.test(name)) headers.append(name, value)
  const location = headers.get('location')
  if (location !== null) headers.set('location', api.locationOf(location, target))
  if (asksForPassword(headers.get('www-authenticate'))) headers.delete('www-authenticate')
  // The user is known by the cookie, of which the API knows nothing.
  headers.append('vary', 'Cookie')
  headers.set('cache-control', privateCaching(headers.get('cache-control')))
  return headers
}

/**
 * What the API says about caching, for the cache of the browser alone. Shared caches keep no answer to a request with a token, but the
 * browser's request has none (RFC 9111 §3.5).
 */
function privateCaching(given: string | null): string {
  const directives = (given ?? 'no-store').match(/(?:[^,"]|"[^"]*"?)+/g) ?? []
  const kept = directives
    .map((directive) => directive.trim())
    .filter((directive) => !/^(?:$|(?:public|private|s-maxage|proxy-revalidate)(?:$|[\s=]))/i.test(directive))
  const isStored = !kept.some((directive) => /^no-store$/i.test(directive))
  return [...(isStored ? ['private'] : []), ...kept].join(', ')
}

/** Whether a challenge has a scheme other than those of tokens, for which browsers ask the user for a password (RFC 9110 §11.6.1). */
function asksForPassword(challenges: string | null): boolean {
  const schemes = (challenges ?? '')
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .matchAll(/(?:^|,)\s*([^\s,=]+)(?=\s+[^\s,=]|\s*(?:,|$))/g)
  return [...schemes].some(([, scheme = '']) => !/^(?:bearer|dpop)$/i.test(scheme))
}

const namesIn = (header: string | null) => (header ?? '').split(',').map((name) => name.trim().toLowerCase())
