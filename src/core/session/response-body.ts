import { endStream } from '../platform/end-stream.ts'
import { createTextDecoder } from '../platform/globals.ts'
import { untilAborted } from '../platform/until-aborted.ts'
import type { AbortSignalLike } from '../ports.ts'

/** How much of a body is read, in bytes. A token response has a few thousand. */
const MOST = 1_048_576

interface Chunk {
  readonly done?: boolean | undefined
  readonly value?: unknown
}

/** A web stream, or a Node stream in node-fetch. */
interface Body {
  getReader?(): { read(): Promise<Chunk> }
  [Symbol.asyncIterator]?(): { next(): Promise<Chunk> }
}

/** A `Response` of any implementation. */
export interface ResponseLike {
  readonly body?: Body | null
  readonly bodyUsed?: boolean
  clone?(): ResponseLike
  text?(): PromiseLike<unknown>
}

/**
 * Reads the body of a response, but no more than a megabyte, and not after `signal` aborts. The rest is cancelled, so that
 * it does not keep its connection.
 *
 * @param isKept leaves the body readable for its owner
 * @returns the text, or its beginning; `undefined` if the body is no stream, or was read before
 */
export async function readText(
  response: ResponseLike,
  signal: AbortSignalLike,
  isKept: boolean,
): Promise<string | undefined> {
  if (response.bodyUsed) return undefined
  if (response.body === undefined && isKept) return textWithoutStream(response, signal)
  if (!response.body) return undefined
  const copy = isKept ? response.clone?.() : undefined
  const source = open(copy?.body ?? response.body)
  if (!source) return undefined
  const abort = () => {
    source.stop()
    // The copy shares its connection with the original.
    if (copy) endStream(response.body)
  }
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  const decoder = createTextDecoder()
  let text = ''
  let size = 0
  try {
    for (;;) {
      const { done, value } = await source.next()
      if (done) return text + decoder.decode()
      const part = value as string | Uint8Array
      // Each chunk counts, too: a stream of empty ones would never let a timer fire.
      size += part.length + 1
      text += typeof part === 'string' ? part : decoder.decode(part, { stream: true })
      if (size <= MOST) continue
      abort()
      return text
    }
  } catch (error) {
    abort()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/**
 * Reads a copy of a response of React Native, which has no streams: the whole body is in memory already.
 *
 * @throws the reason of the signal
 */
async function textWithoutStream(
  response: ResponseLike,
  signal: AbortSignalLike,
): Promise<string | undefined> {
  const text = await untilAborted(response.clone?.().text?.(), signal)
  return typeof text === 'string' ? text.slice(0, MOST) : undefined
}

function open(body: Body) {
  const reader = body.getReader?.()
  if (reader) return { next: () => reader.read(), stop: () => endStream(reader) }
  const iterator = body[Symbol.asyncIterator]?.()
  return iterator && { next: () => iterator.next(), stop: () => endStream(body) }
}
