import { endStream } from '../core/platform/end-stream.ts'
import { isObject } from '../core/platform/is-object.ts'
import { onAbort } from '../core/platform/on-abort.ts'

/** A body that can be sent twice, byte for byte. */
export interface ReplayableBody {
  readonly body: unknown
  /** The content type to send, if it does not follow from the body. */
  readonly contentType?: string
  readonly replayable: boolean
}

/** Whether a body can be sent only once: a web stream, a Node stream, or a form of the form-data package. */
export function isOneShot(body: unknown): body is ReadableStream {
  return isObject(body) && ('getReader' in body || 'pipe' in body || Symbol.asyncIterator in body)
}

/**
 * Prepares a body that may be sent later or twice. A body that its owner could change is copied at once, as `fetch` does. A
 * form is encoded once, because each encoding has its own boundary. A stream is read only if `bufferStreams` is set.
 *
 * @param signal ends the reading of a stream; the promise rejects with its reason
 */
export function replayableBody(
  body: unknown,
  bufferStreams: boolean,
  signal?: AbortSignal | null,
): ReplayableBody | Promise<ReplayableBody> {
  if (isOneShot(body)) return bufferStreams ? buffered(body, signal) : { body, replayable: false }
  return body instanceof FormData ? encodedForm(body) : { body: copied(body), replayable: true }
}

/** A copy of what its owner could change. */
export function copied(body: unknown): unknown {
  if (body instanceof ArrayBuffer) return body.slice(0)
  if (ArrayBuffer.isView(body)) return copyBytes(body)
  // As text: the class of React Native cannot copy another one.
  return body instanceof URLSearchParams ? new URLSearchParams(body.toString()) : body
}

/** Copies bytes into a view of the same class. */
function copyBytes(view: ArrayBufferView): ArrayBufferView {
  const { buffer, byteOffset, byteLength } = view
  if (view instanceof DataView)
    return new DataView(new Uint8Array(buffer, byteOffset, byteLength).slice().buffer)
  // A Node Buffer has a `slice` of its own, which copies nothing.
  return Uint8Array.prototype.slice.call(view)
}

function buffered(stream: ReadableStream, signal?: AbortSignal | null): Promise<ReplayableBody> {
  const read = async () => {
    const chunks: BlobPart[] = []
    const sink = new WritableStream<BlobPart>({ write: (chunk) => void chunks.push(chunk) })
    await new Response(stream).body?.pipeTo(sink as WritableStream, signal ? { signal } : {})
    return { body: await new Blob(chunks).arrayBuffer(), replayable: true }
  }
  return readUntilAborted(stream, read, signal)
}

/**
 * Reads a body, and ends it at an abort: a stream that waits for its source does not notice one.
 *
 * @throws the reason of the signal, at once
 */
export function readUntilAborted<T>(
  body: unknown,
  read: () => Promise<T>,
  signal?: AbortSignal | null,
): Promise<T> {
  if (!signal) return read()
  return new Promise((resolve, reject) => {
    const end = () => {
      reject(signal.reason)
      endStream(body, signal.reason)
    }
    if (signal.aborted) return end()
    const forget = onAbort(signal, end)
    read().then(resolve, reject).finally(forget)
  })
}

/**
 * Encodes a form as browsers do (RFC 7578). The result refers to the form's files instead of copying them, so that a file on
 * disk stays there. A form with parts that only its platform can read is returned as it is.
 */
export function encodedForm(form: FormData): ReplayableBody {
  if (!(Symbol.iterator in form)) return { body: form, replayable: true }
  // As long as Node's own, so that the length of the body is the same.
  const random = crypto.getRandomValues(new Uint32Array(3)).join('').padEnd(19, '0').slice(0, 19)
  const boundary = `----formdata-${random}`
  const parts: BlobPart[] = []
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(withCRLF(name))}"`
    if (typeof value === 'string') parts.push(`${head}\r\n\r\n${withCRLF(value)}\r\n`)
    else if (value instanceof Blob) {
      const type = value.type || 'application/octet-stream'
      parts.push(`${head}; filename="${escaped(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`, value, '\r\n')
    } else return { body: form, replayable: true }
  }
  parts.push(`--${boundary}--\r\n`)
  // A Blob's type is always in lower case, and so is this boundary.
  const contentType = `multipart/form-data; boundary=${boundary}`
  return { body: new Blob(parts, { type: contentType }), replayable: true, contentType }
}

const withCRLF = (text: string) => text.replace(/\r\n?|\n/g, '\r\n')

const escaped = (text: string) => text.replace(/[\n\r"]/g, encodeURIComponent)
