import { endStream } from './body.ts'
import { cloneBody, copyRequest } from './copy-request.ts'

/** What must not follow a request to another origin. */
const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie', 'cookie2', 'host']
/** How many redirects a platform follows (Fetch Standard §4.5). */
const MOST = 20

/** Whether a script can follow redirects here. In a browser only the browser can, and it removes the header. */
const canFollowRedirects = (): boolean =>
  typeof location !== 'object' || (typeof process === 'object' && process.versions?.node !== undefined)

/**
 * Returns a `fetch` that keeps the token within its origin. The platform's `fetch` removes the token from a redirect to another
 * origin, but node-fetch and others keep it for another port or a subdomain. So redirects within the origin are followed
 * here. The first that leaves it is left to the given `fetch`, without the token.
 */
export function withinOrigin(send: typeof fetch): typeof fetch {
  if (!canFollowRedirects()) return send
  // `init` is made for each sending with a token, so it need not be copied.
  const sendURL = (url: string, init: RequestInit) => {
    init.redirect = 'manual'
    return send(url, init).then((answer) =>
      isRedirect(answer) ? followRedirects(send, url, answer, init) : answer,
    )
  }
  const sendRequest = async (request: Request, init: RequestInit | undefined) => {
    const sent = copyRequest(request, MANUAL)
    // A redirect may ask for the body again.
    const kept = cloneBody(sent)
    const answer = await send(sent, init && (init.redirect ? { ...init, ...MANUAL } : init))
    if (!isRedirect(answer)) {
      endStream(kept?.body)
      return answer
    }
    const { url, method, headers, signal } = sent
    const body = kept && (await kept.arrayBuffer())
    return followRedirects(send, url, answer, { ...init, method, headers, signal, ...(body && { body }) })
  }
  return (input, init) => {
    const { redirect = 'follow' } = (typeof input === 'string' ? init : (input as Request)) ?? {}
    if (redirect !== 'follow') return send(input, init)
    return typeof input === 'string'
      ? sendURL(input, init as RequestInit)
      : sendRequest(input as Request, init)
  }
}

const MANUAL = { redirect: 'manual' } as const

/**
 * Follows the redirects of an answer that was asked for with the redirect mode `manual`.
 *
 * @param init the request, with everything that is not in its URL
 */
async function followRedirects(
  send: typeof fetch,
  url: string,
  answer: Response,
  init: RequestInit,
): Promise<Response> {
  const sent: RequestInit = { ...init }
  const headers = new Headers(init.headers)
  sent.headers = headers
  let from = url
  let reply = answer
  for (let count = 1; isRedirect(reply); count++) {
    endStream(reply.body)
    const next = new URL(reply.headers.get('location') as string, from)
    // Some implementations of `fetch` read files, or answer a `data:` URL.
    if (!/^https?:$/.test(next.protocol))
      throw new TypeError('A redirect led to a URL that is not http or https.')
    const { status } = reply
    if (status === 303 ? !hasNoBody(sent.method) : status < 303 && /^post$/i.test(sent.method ?? '')) {
      sent.method = 'GET'
      delete sent.body
      for (const name of [...headers.keys()]) if (name.startsWith('content-')) headers.delete(name)
    }
    // A loop is left to the given `fetch`, too, which has an error for it.
    const stays = next.origin === new URL(from).origin && count < MOST
    // No `fetch` takes a URL with a password.
    if (stays) next.username = next.password = ''
    else for (const name of CREDENTIALS) headers.delete(name)
    sent.redirect = stays ? 'manual' : 'follow'
    from = next.href
    reply = await send(from, { ...sent })
    Object.defineProperty(reply, 'redirected', { value: true, configurable: true })
    if (!stays) break
  }
  return reply
}

/** Whether an answer is a redirect that a script can read. */
const isRedirect = ({ status, headers }: Response): boolean =>
  status > 300 && [301, 302, 303, 307, 308].includes(status) && headers.has('location')

const hasNoBody = (method = 'GET') => /^(get|head)$/i.test(method)
