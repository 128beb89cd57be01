/** One request with its body already read. */
export interface ReceivedRequest {
  readonly request: Request
  readonly url: URL
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly text: string
  /** The fields of a multipart form, without its files; `undefined` for any other body. */
  readonly form: Fields | undefined
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads the whole body, so that everything after it can run synchronously.
 *
 * @throws the abort reason, if the request was already aborted
 */
export const receiveRequest = async (request: Request): Promise<ReceivedRequest> => {
  request.signal.throwIfAborted()
  const bytes = new Uint8Array(await request.arrayBuffer())
  const [text, form] = [new TextDecoder().decode(bytes), await multipartFields(request, bytes)]
  return { request, url: new URL(request.url), bytes, text, form }
}

const contentTypeOf = ({ headers }: Request) => headers.get('content-type') ?? ''

/** A malformed form has no fields. */
const multipartFields = async (
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Fields | undefined> => {
  const type = contentTypeOf(request)
  if (!/^multipart\/form-data\b/i.test(type)) return undefined
  const form = await new Response(bytes, { headers: { 'content-type': type } }).formData().catch(() => [])
  return Object.fromEntries([...form].filter(([, value]) => typeof value === 'string'))
}

/** A copy of the request whose body can be read again. */
export const unreadRequest = ({ request, bytes }: ReceivedRequest): Request => {
  const { url, method, headers, signal } = request
  const body = method === 'GET' || method === 'HEAD' || bytes.length === 0 ? null : bytes
  return new Request(url, { method, headers, signal, body })
}

/** The token of an `Authorization: Bearer` header (RFC 6750 section 2.1). */
export const bearerToken = (request: Request): string | undefined =>
  /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]

/** The value of one cookie of the request. */
export const cookieValue = (request: Request, name: string): string | undefined => {
  const prefix = `${name}=`
  const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(prefix))?.slice(prefix.length)
}

/** The fields of a form (RFC 6749 appendix B) or JSON body; what is wrong with the body if it has none. */
export const bodyFields = ({ request, text, form }: ReceivedRequest): Fields | string => {
  const type = contentTypeOf(request)
  if (form) return form
  if (!type.includes('json')) {
    // What `fetch` sends if a text is its body, and the header was forgotten. With a cookie, the body may not matter.
    if (/^\s*\{/.test(text) && !request.headers.has('cookie'))
      return `The body is JSON, but its content-type is '${type}'`
    return Object.fromEntries(new URLSearchParams(text))
  }
  // A sign-out with a cookie may have the header without a body.
  if (text === '') return {}
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed }
  } catch {}
  return 'The body is not a JSON object'
}
