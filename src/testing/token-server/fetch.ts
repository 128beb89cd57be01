import { createCookieJar } from './cookie-jar.ts'
import { type Exchange, readExchange } from './exchange.ts'
import type { AnswerExchange } from './router.ts'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** As many as the Fetch standard follows. */
const MOST_REDIRECTS = 20

/** The same signature and manners as the global `fetch`, over the server instead of a network. */
export const createFetch = (answer: AnswerExchange, origin: string): typeof globalThis.fetch => {
  const cookies = createCookieJar(origin)

  return async (input, init) => {
    let exchange = await readExchange(requestFor(input, init, origin))
    for (let redirects = 0; ; redirects++) {
      const { request } = exchange
      cookies.attach(request)
      const reply = await answer(exchange)
      cookies.keep(request, reply)
      const location = REDIRECTS.has(reply.status) ? reply.headers.get('location') : null
      if (location === null || request.redirect === 'manual')
        return asFetched(reply, exchange.url, redirects > 0)
      if (request.redirect === 'error')
        throw new TypeError(`fetch failed: ${request.url} answered a redirect`)
      if (redirects === MOST_REDIRECTS) throw new TypeError('fetch failed: too many redirects')
      exchange = redirected(exchange, reply.status, location)
    }
  }
}

const requestFor = (input: RequestInfo | URL, init: RequestInit | undefined, origin: string): Request => {
  if (typeof input === 'object' && 'clone' in input) {
    // Another implementation's `Request` is made again by its own constructor; the global one would read it as a string.
    const Request = input.constructor as typeof globalThis.Request
    return new Request(input, init)
  }
  return new Request(new URL(String(input), origin), init)
}

/** What follows a redirect (Fetch standard, HTTP-redirect fetch). */
const redirected = ({ request, url, bytes, text }: Exchange, status: number, location: string): Exchange => {
  const target = new URL(location, url)
  if (!/^https?:$/.test(target.protocol)) throw new TypeError(`fetch failed: ${target} cannot be fetched`)
  const { credentials, redirect, signal } = request
  const headers = new Headers(request.headers)
  if (target.origin !== url.origin) headers.delete('authorization')
  headers.delete('cookie')
  const becomesGet =
    status === 303 ? !/^(GET|HEAD)$/.test(request.method) : status <= 302 && request.method === 'POST'
  const method = becomesGet ? 'GET' : request.method
  if (becomesGet)
    for (const name of [...headers.keys()]) if (name.startsWith('content-')) headers.delete(name)
  return {
    request: new Request(target, { method, headers, credentials, redirect, signal }),
    url: target,
    ...(becomesGet ? { bytes: new Uint8Array(), text: '' } : { bytes, text }),
  }
}

/** An answer that knows where it came from, which only `fetch` itself can make. */
const asFetched = (reply: Response, url: URL, isRedirected: boolean): Response =>
  Object.defineProperties(reply, {
    url: { value: url.href.split('#', 1)[0] },
    redirected: { value: isRedirected },
  })
