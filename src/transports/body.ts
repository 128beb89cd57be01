/** A body that can be sent twice, byte for byte. */
export interface ReplayableBody {
  readonly body: unknown
  /** The content type that goes with it, where the body alone no longer tells. */
  readonly contentType?: string
  readonly replayable: boolean
}

/** Whether the body is gone once it was sent: a stream of the web or of Node, or the form-data package's form. */
export function isOneShot(body: unknown): body is ReadableStream {
  if (typeof body !== 'object' || body === null) return false
  return 'getReader' in body || 'pipe' in body || Symbol.asyncIterator in body
}

/**
 * Makes a body ready to be sent now, later and again. What its owner could still change is copied at once, as `fetch`
 * does; a form is encoded once, for each encoding has a boundary of its own; a stream is read only where that was asked
 * for.
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
  // A blob, for browsers keep large ones on disk. Its own type is lower case, and boundaries are not.
  return { body: await response.blob(), replayable: true, ...(contentType !== null && { contentType }) }
}
