/** A body that can be sent twice, byte for byte. */
export interface ReplayableBody {
  readonly body: unknown
  /** The content type to send, if it does not follow from the body. */
  readonly contentType?: string
  readonly replayable: boolean
}

/** Whether a body can be sent only once: a web stream, a Node stream, or a form of the form-data package. */
export function isOneShot(body: unknown): body is ReadableStream {
  if (typeof body !== 'object' || body === null) return false
  return 'getReader' in body || 'pipe' in body || Symbol.asyncIterator in body
}

/**
 * Prepares a body that may be sent later or twice. A body that its owner could change is copied at once, as `fetch` does. A
 * form is encoded once, because each encoding has its own boundary. A stream is read only if `bufferStreams` is set.
 */
export function replayableBody(
  body: unknown,
  bufferStreams: boolean,
): ReplayableBody | Promise<ReplayableBody> {
  if (typeof body !== 'object' || body === null) return { body, replayable: true }
  if (isOneShot(body)) return bufferStreams ? buffered(body) : { body, replayable: false }
  if (body instanceof ArrayBuffer) return { body: body.slice(0), replayable: true }
  if (ArrayBuffer.isView(body)) return { body: copyBytes(body), replayable: true }
  if (body instanceof URLSearchParams) return { body: new URLSearchParams(body), replayable: true }
  if (body instanceof FormData) return encoded(body)
  return { body, replayable: true }
}

const copyBytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength).slice().buffer

async function buffered(stream: ReadableStream): Promise<ReplayableBody> {
  return { body: await new Response(stream).arrayBuffer(), replayable: true }
}

async function encoded(form: FormData): Promise<ReplayableBody> {
  const response = new Response(form)
  const contentType = response.headers.get('content-type')
  // A blob, because browsers keep large ones on disk. Its `type` is in lower case, which would break the boundary.
  return { body: await response.blob(), replayable: true, ...(contentType !== null && { contentType }) }
}
