/** One request with its body already read. */
export interface ReceivedRequest {
  readonly request: Request
  readonly url: URL
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly text: string
}

/**
 * Reads the whole body, so that everything after it can run synchronously.
 *
 * @throws the abort reason, if the request was already aborted
 */
export const receiveRequest = async (request: Request): Promise<ReceivedRequest> => {
  request.signal.throwIfAborted()
  const bytes = new Uint8Array(await request.arrayBuffer())
  return { request, url: new URL(request.url), bytes, text: new TextDecoder().decode(bytes) }
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

/** The fields of a form (RFC 6749 appendix B) or JSON body; undefined if the JSON is not an object. */
export const bodyFields = ({
  request,
  text,
}: ReceivedRequest): Readonly<Record<string, unknown>> | undefined => {
  if (!request.headers.get('content-type')?.includes('json')) {
    return Object.fromEntries(new URLSearchParams(text))
  }
  // A sign-out with a cookie may have the header without a body.
  if (text === '') return {}
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined
  } catch {
    return undefined
  }
}
