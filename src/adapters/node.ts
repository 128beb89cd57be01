import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bff } from '../server/bff/types.ts'
import { isAdded } from './added-headers.ts'

/**
 * Answers the requests of Node's `http` that are for the backend. Resolves to whether this one was.
 *
 * @param prepare called before the answer is written
 */
export async function answerNode(
  bff: Pick<Bff<unknown>, 'handle' | 'origin'>,
  request: IncomingMessage,
  response: ServerResponse,
  prepare = () => {},
): Promise<boolean> {
  const asked = asRequest(request, bff.origin, closing(response))
  const answer = asked && (await bff.handle(asked))
  if (!answer) return false
  prepare()
  await send(answer, response)
  return true
}

/** Aborts when the browser goes away, or has its answer. */
export function closing(response: ServerResponse): AbortSignal {
  const aborted = new AbortController()
  if (response.destroyed) aborted.abort()
  else response.on('close', () => aborted.abort())
  return aborted.signal
}

/**
 * A request of Node's `http` as the Fetch Standard has it; `undefined` if that has none with such a method or host. Then the app answers.
 *
 * @throws TypeError if a parser has read the body already
 */
export function asRequest(
  message: IncomingMessage,
  origin?: string,
  signal?: AbortSignal,
): Request | undefined {
  const { method = 'GET', headers, socket } = message
  const isEncrypted = (socket as { readonly encrypted?: boolean } | null)?.encrypted === true
  // HTTP/2 has the host in its authority (RFC 9113 §8.3.1).
  const host = headers[':authority'] ?? headers.host ?? 'localhost'
  const base = origin ?? `${isEncrypted ? 'https' : 'http'}://${host}`
  if (/^(?:connect|trace|track)$/i.test(method) || !URL.canParse(base)) return undefined
  const { originalUrl = message.url ?? '/' } = message as { readonly originalUrl?: string }
  const hasBody = method !== 'GET' && method !== 'HEAD'
  if (hasBody && message.readableDidRead)
    throw new TypeError(
      'The body of the request was read before. Mount the backend before parsers of bodies.',
    )
  const sent = new Headers()
  for (const [name, value] of Object.entries(headers))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && !name.startsWith(':')) sent.append(name, one)
  const init: RequestInit & { duplex?: 'half' } = { method, headers: sent, ...(signal && { signal }) }
  if (hasBody) Object.assign(init, { body: streamOf(message), duplex: 'half' })
  // The path is not an address of its own: '//host/path' would be one.
  return new Request(
    new URL(base).origin + (originalUrl.startsWith('/') ? originalUrl : `/${originalUrl}`),
    init,
  )
}

/** Reads nothing before it is read itself: the body of a request that is not for the backend belongs to the app. */
function streamOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = message[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(new Uint8Array(value))
      },
      async cancel() {
        await chunks.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/** Writes an answer as fast as the browser takes it. */
async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.statusCode = answer.status
  // A cookie is one header of its own here.
  for (const [name, value] of answer.headers) {
    const before = isAdded(name) ? response.getHeader(name) : undefined
    // HTTP/2 has no `appendHeader` before Node 20.12.
    response.setHeader(name, before === undefined ? value : [before, value].flat().map(String))
  }
  if (!answer.body) {
    response.end()
    return
  }
  response.flushHeaders()
  const reader = answer.body.getReader()
  const cancel = () => void reader.cancel().catch(() => {})
  response.on('close', cancel)
  try {
    while (!response.destroyed) {
      const { done, value } = await reader.read()
      if (done) break
      if (!response.write(value)) await drained(response)
    }
    response.end()
  } catch {
    // The API broke off: the browser must not take what came for the whole.
    response.destroy()
  } finally {
    response.off('close', cancel)
  }
}

/** An answer for a framework that neither waits for a slow browser nor ends what breaks off. */
export function guarded(answer: Response, response: ServerResponse): Response {
  if (!answer.body) return answer
  const reader = answer.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (response.writableNeedDrain) await drained(response)
        try {
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch {
          // The API broke off or the browser did: the connection ends, and the app gets no error.
          response.destroy()
          controller.close()
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, answer)
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
