import { isOneShot } from '../transports/body.ts'
import { createInlet, createOutlet, type Inlet, type Outlet } from './body-stream.ts'
import { isRequest, packRequest } from './pack-request.ts'
import type { PackedAnswer, ToPage, ToWorker } from './protocol.ts'
import { unpackError } from './unpack-error.ts'
import { WorkerResponse } from './worker-response.ts'

type Post = (message: ToWorker, transfer?: Transferable[]) => void
type Answer = Extract<ToPage, { type: 'answer' }>
type BodyPart = Extract<ToPage, { type: 'chunk' | 'end' | 'broken' | 'pull' | 'cancel' }>

interface Sent {
  readonly method: string
  readonly resolve: (response: Response) => void
  readonly reject: (error: unknown) => void
  /** The body on its way to the worker. */
  outlet?: Outlet
  /** The body of the answer. */
  inlet?: Inlet
  /** Lets go of the caller's signal. */
  readonly release: () => void
}

/** Requests that the worker sends for this page. */
export function createPageRequests(post: Post, nextId: () => number) {
  const sent = new Map<number, Sent>()

  /** The request is over, one way or another. */
  function forget(id: number): Sent | undefined {
    const request = sent.get(id)
    sent.delete(id)
    request?.release()
    // Answered before all of it was read: the rest is not wanted.
    request?.outlet?.cancel()
    return request
  }

  function fail(id: number, error: unknown) {
    const request = forget(id)
    request?.reject(error)
    request?.inlet?.fail(error)
  }

  return {
    /** As `fetch`, by the worker. */
    send(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
      return new Promise((resolve, reject) => {
        const signal = signalOf(input, init)
        signal?.throwIfAborted()
        const { request, body } = packRequest(input, init)
        const id = nextId()
        const abort = () => {
          post({ type: 'abort', id })
          fail(id, signal?.reason)
        }
        signal?.addEventListener('abort', abort)
        const release = () => signal?.removeEventListener('abort', abort)
        const entry: Sent = { method: request.method, resolve, reject, release }
        sent.set(id, entry)
        if (isOneShot(body)) {
          post({ type: 'request', id, request, streams: true })
          entry.outlet = sendBody(id, body)
        } else if (body) {
          body.then(
            // Unless it was aborted, or cut off, while the body was read.
            (whole) => sent.has(id) && post({ type: 'request', id, request, body: whole }, buffersOf(whole)),
            (error: unknown) => fail(id, error),
          )
        } else post({ type: 'request', id, request })
      })
    },

    answer({ id, answer, hasBody }: Answer) {
      const request = sent.get(id)
      if (!request) return
      try {
        request.resolve(hasBody ? receive(id, request, answer) : withoutBody(answer))
        if (!hasBody) forget(id)
      } catch (error) {
        // The platform may refuse to make an answer of what it took for one.
        post({ type: 'abort', id })
        fail(id, error)
      }
    },

    fail,

    body(message: BodyPart) {
      const request = sent.get(message.id)
      if (message.type === 'pull') request?.outlet?.pull(message.count)
      else if (message.type === 'cancel') request?.outlet?.cancel()
      else if (message.type === 'chunk') request?.inlet?.chunk(message.bytes)
      else if (message.type === 'end') forget(message.id)?.inlet?.end()
      else forget(message.id)?.inlet?.fail(unpackError(message.error))
    },

    get pending() {
      return sent.size > 0
    },

    /** The worker is out of reach, for requests up to an id. */
    failAll(error: unknown, last: number) {
      for (const id of [...sent.keys()]) {
        if (id > last) continue
        post({ type: 'abort', id })
        fail(id, error)
      }
    },
  }

  function receive(id: number, request: Sent, answer: PackedAnswer): Response {
    // What there is of a body will have its end; nobody may read it.
    if (request.method === 'HEAD' || [204, 205, 304].includes(answer.status)) return withoutBody(answer)
    const { stream, inlet } = createInlet({
      pull: (count) => post({ type: 'pull', id, count }),
      cancel: () => {
        if (forget(id)) post({ type: 'abort', id })
      },
    })
    request.inlet = inlet
    return new WorkerResponse(stream, answer, () => inlet.failure)
  }

  function sendBody(id: number, stream: ReadableStream): Outlet {
    return createOutlet(stream, {
      chunk: (bytes) => post({ type: 'chunk', id, bytes }, [bytes.buffer]),
      end: () => post({ type: 'end', id }),
      broken: (error) => {
        // As `fetch` does, where the body it sends breaks off.
        post({ type: 'abort', id })
        fail(id, error)
      },
    })
  }
}

/** As `fetch` has it: `null` takes the signal of a `Request` away. */
function signalOf(input: unknown, init: RequestInit | undefined): AbortSignal | undefined {
  if (init?.signal !== undefined) return init.signal ?? undefined
  return isRequest(input) ? input.signal : undefined
}

const withoutBody = (answer: PackedAnswer) => new WorkerResponse(null, answer, () => undefined)

const buffersOf = (body: unknown) => (body instanceof ArrayBuffer ? [body] : [])

export type PageRequests = ReturnType<typeof createPageRequests>
