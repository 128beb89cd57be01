import { createCookieJar } from './cookie-jar.ts'
import { type ReceivedRequest, receiveRequest } from './received-request.ts'
import type { AnswerRequest } from './router.ts'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** The limit of the Fetch standard. */
const MOST_REDIRECTS = 20

/** A `fetch` with the signature and behaviour of the global one, which calls the server without a network. */
export const createFetch = (
  answer: AnswerRequest,
  origin: string,
  cookiePath: string,
): typeof globalThis.fetch => {
  const cookies = createCookieJar(origin, cookiePath)

  return async (input, init) => {
    let received = await receiveRequest(requestFor(input, init, origin))
    for (let redirects = 0; ; redirects++) {
      const { request } = received
      cookies.attach(request)
      const reply = await answer(received)
      cookies.update(request, reply)
      const location = REDIRECTS.has(reply.status) ? reply.headers.get('location') : null
      if (location === null || request.redirect === 'manual')
        return asFetched(reply, received.url, redirects > 0)
      if (request.redirect === 'error')
        throw new TypeError(`fetch failed: ${request.url} answered a redirect`)
      if (redirects === MOST_REDIRECTS) throw new TypeError('fetch failed: too many redirects')
      received = redirected(received, reply.status, location)
    }
  }
}

const requestFor = (input: RequestInfo | URL, init: RequestInit | undefined, origin: string): Request => {
  if (typeof input === 'object' && 'clone' in input) {
    // Use the input's own constructor: the global one would convert another implementation's `Request` to a string.
    const Request = input.constructor as typeof globalThis.Request
    return new Request(input, init)
  }
  return new Request(new URL(String(input), origin), init)
}

/** The request that follows a redirect (Fetch standard, HTTP-redirect fetch). */
const redirected = (
  { request, url, bytes, text, form }: ReceivedRequest,
  status: number,
  location: string,
): ReceivedRequest => {
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
    ...(becomesGet ? { bytes: new Uint8Array(), text: '', form: undefined } : { bytes, text, form }),
  }
}

/** Sets `url` and `redirected`, which a `Response` gets from `fetch` only. */
const asFetched = (reply: Response, url: URL, isRedirected: boolean): Response =>
  Object.defineProperties(reply, {
    url: { value: url.href.split('#', 1)[0] },
    redirected: { value: isRedirected },
  })
