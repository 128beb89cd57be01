import { endStream } from '../core/platform/end-stream.ts'
import type { SentProof } from '../core/requests/transport-request.ts'
import { isOneShot } from './body.ts'
import { copyRequest } from './copy-request.ts'
import { cloneBody, isBrowser } from './request-body.ts'

/** What must not follow a request to another origin. */
const CREDENTIALS = ['authorization', 'dpop', 'proxy-authorization', 'cookie', 'cookie2', 'host']
/** How many redirects a platform follows (Fetch Standard §4.5). */
const MOST = 20
/** The words of the header `Referrer-Policy` that a redirect sets for the requests after it (Referrer Policy §3). */
const POLICY =
  /^(no-referrer(-when-downgrade)?|same-origin|unsafe-url|(strict-)?origin(-when-cross-origin)?)$/

/** The options of a request. node-fetch has one of its own for how many redirects to follow. */
type Init = RequestInit & { readonly follow?: number }

/** The redirect mode after `count` redirects: what leads too far is an error of the given `fetch`. */
const modeAfter = (count: number, { follow = MOST }: Init) => (count < follow ? 'manual' : 'error')

/** A `fetch` that can prove the URLs that redirects within the origin lead to. */
export type ProvenFetch = (
  input: string | Request,
  init?: RequestInit,
  proof?: SentProof,
) => Promise<Response>

/**
 * Returns a `fetch` that keeps the token within its origin. The platform's `fetch` removes the token from a redirect to another
 * origin, but node-fetch and others keep it for another port or a subdomain. So redirects within the origin are followed
 * here. The first that leaves it is left to the given `fetch`, without the token.
 *
 * A proof holds for one URL. So with one, redirects of the platform's `fetch` are followed here, too, and those of a POST, because
 * the platform does not tell whether it became a GET.
 *
 * @param given the `fetch` of the app, if it is another one than the platform's
 */
export function withinOrigin(send: typeof fetch, given: typeof fetch | undefined): ProvenFetch {
  // Only the browser itself can follow redirects, and it removes the header.
  if (isBrowser()) return send
  // `init` is made for each sending with a token, so it need not be copied.
  const sendURL = (url: string, init: RequestInit, proof: SentProof | undefined) => {
    init.redirect = modeAfter(0, init)
    return send(url, init).then((answer) =>
      isRedirect(answer) ? followRedirects(send, url, answer, init, proof) : answer,
    )
  }
  const sendRequest = async (
    request: Request,
    init: RequestInit | undefined,
    proof: SentProof | undefined,
  ) => {
    const sent = copyRequest(request, MANUAL)
    // A redirect may ask for the body again.
    const kept = cloneBody(sent)
    const answer = await send(sent, init && (init.redirect ? { ...init, ...MANUAL } : init))
    if (!isRedirect(answer)) {
      endStream(kept?.body)
      return answer
    }
    const { url, method, headers, signal, credentials, cache, keepalive, mode, referrerPolicy } = sent
    const body = kept && (await kept.blob())
    const own = { credentials, cache, keepalive, mode, referrerPolicy }
    const rest = { ...own, ...init, method, headers, signal, ...(body && { body }) }
    return followRedirects(send, url, answer, rest, proof)
  }
  return (input, init, proof) => {
    if (!given && !proof && !needsMethod(input, init)) return send(input, init)
    const { redirect = 'follow', integrity } = (typeof input === 'string' ? init : (input as Request)) ?? {}
    // The platform compares the hash with the answer at the end of the redirects.
    if (redirect !== 'follow' || (integrity && !given)) return send(input, init)
    return typeof input === 'string'
      ? sendURL(input, init as RequestInit, proof)
      : sendRequest(input as Request, init, proof)
  }
}

/** Whether the method at the end of redirects matters: of a POST that can be sent again. A copy of a `Request` would cost too much. */
const needsMethod = (input: string | Request, init: RequestInit | undefined): boolean =>
  typeof input === 'string' && /^post$/i.test(init?.method ?? '') && !isOneShot(init?.body)

/** The method at the end of redirects that were followed here; `undefined` if the platform followed them. */
export const endMethod = (answer: Response): string | undefined => endMethods.get(answer)

const endMethods = new WeakMap<Response, string>()

const MANUAL = { redirect: 'manual' } as const

/**
 * Follows the redirects of an answer that was asked for with the redirect mode `manual`.
 *
 * @param init the request, with everything that is not in its URL
 * @param proof proves each URL anew
 */
async function followRedirects(
  send: typeof fetch,
  url: string,
  answer: Response,
  init: Init,
  proof: SentProof | undefined,
): Promise<Response> {
  const sent: RequestInit = { ...init }
  const headers = new Headers(init.headers)
  sent.headers = headers
  let from = url
  let reply = answer
  for (let count = 1; isRedirect(reply); count++) {
    endStream(reply.body)
    if (count > (init.follow ?? MOST)) throw new TypeError('There were too many redirects.')
    const next = new URL(locationOf(reply), from)
    // Some implementations of `fetch` read files, or answer a `data:` URL.
    if (!/^https?:$/.test(next.protocol))
      throw new TypeError('A redirect led to a URL that is not http or https.')
    const { status } = reply
    if (status === 303 ? !hasNoBody(sent.method) : status < 303 && /^post$/i.test(sent.method ?? '')) {
      sent.method = 'GET'
      delete sent.body
      for (const name of [...headers.keys()]) if (name.startsWith('content-')) headers.delete(name)
    }
    // A stream has been read: the server would get an empty body.
    if (isOneShot(sent.body))
      throw new TypeError('A redirect asks again for a body that can be read only once.')
    for (const word of reply.headers.get('referrer-policy')?.split(',') ?? [])
      if (POLICY.test(word.trim())) sent.referrerPolicy = word.trim() as ReferrerPolicy
    const isSameOrigin = next.origin === new URL(from).origin
    if (!isSameOrigin) for (const name of CREDENTIALS) headers.delete(name)
    // No `fetch` takes a URL with a password.
    else next.username = next.password = ''
    if (isSameOrigin && proof) {
      const { status, headers: answered } = reply
      const redirect = { status, header: (name: string) => answered.get(name) }
      headers.set('dpop', await proof.renew(sent.method ?? 'GET', next.href, redirect))
    }
    sent.redirect = isSameOrigin ? modeAfter(count, init) : 'follow'
    from = next.href
    reply = await send(from, { ...sent })
    markRedirected(reply)
    if (!isSameOrigin) break
    endMethods.set(reply, sent.method ?? 'GET')
  }
  return reply
}

/** Whether an answer is a redirect that a script can read. */
const isRedirect = (answer: Response): boolean =>
  REDIRECTS.has(answer.status) && answer.headers.has('location')

const REDIRECTS = /* @__PURE__ */ new Set([301, 302, 303, 307, 308])

/** Where an answer leads. Headers are read as Latin-1, but platforms take the bytes of this one for UTF-8. */
const locationOf = ({ headers }: Response): string =>
  new TextDecoder().decode(Uint8Array.from(headers.get('location') as string, (char) => char.charCodeAt(0)))

/** Makes an answer, and its clones, say that a redirect led to it. */
function markRedirected(answer: Response): Response {
  const { clone } = answer
  return Object.defineProperties(answer, {
    redirected: { value: true, configurable: true },
    clone: { value: () => markRedirected(clone.call(answer)), configurable: true, writable: true },
  })
}

const hasNoBody = (method = 'GET') => /^(get|head)$/i.test(method)
