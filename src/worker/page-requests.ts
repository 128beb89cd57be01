import { WorkerError } from '../core/errors.ts'
import { isOneShot } from '../transports/body.ts'
import { createInlet, createOutlet, type Inlet, type Outlet } from './body-stream.ts'
import { isRequest, packRequest } from './pack-request.ts'
import type { PackedResponse, ToPage, ToWorker } from './protocol.ts'
import { unpackError } from './unpack-error.ts'
import { WorkerResponse } from './worker-response.ts'

type Post = (message: ToWorker, transfer?: Transferable[]) => void
type ResponseMessage = Extract<ToPage, { type: 'answer' }>

interface SentRequest {
  readonly method: string
  readonly resolve: (response: Response) => void
  readonly reject: (error: unknown) => void
  /** Sends the request body to the worker. */
  outlet?: Outlet
  /** Receives the response body from the worker. */
  inlet?: Inlet
  /** Removes the listener from the caller's signal. */
  readonly release: () => void
}

/** Hands requests of this page to the worker. */
export function createPageRequests(post: Post, nextId: () => number) {
  const sent = new Map<number, SentRequest>()

  /** Removes a request that has succeeded, failed or been aborted. */
  function complete(id: number): SentRequest | undefined {
    const request = sent.get(id)
    sent.delete(id)
    request?.release()
    // The server may respond before it has read the whole request body. The rest is not needed.
    request?.outlet?.cancel()
    return request
  }

  function fail(id: number, error: unknown) {
    const request = complete(id)
    request?.reject(error)
    request?.inlet?.fail(error)
  }

  /** Ends a request whose messages break the protocol. */
  function refuse(id: number) {
    if (!sent.has(id)) return
    post({ type: 'abort', id })
    fail(id, new WorkerError({ reason: 'garbled' }))
  }

  function receiveChunk(id: number, bytes: Uint8Array<ArrayBuffer>) {
    try {
      if (sent.get(id)?.inlet?.chunk(bytes) === false) refuse(id)
    } catch {
      // The stream cannot take such a chunk.
      refuse(id)
    }
  }

  return {
    /** Rejects a request, and ends its response. */
    fail,

    /** Sends a request through the worker. The parameters are those of `fetch`. */
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
        const entry: SentRequest = { method: request.method, resolve, reject, release }
        sent.set(id, entry)
        if (isOneShot(body)) {
          post({ type: 'request', id, request, streams: true })
          entry.outlet = sendBody(id, body)
        } else if (body) {
          body.then(
            // The request may have been aborted or rejected while its body was read.
            (whole) => sent.has(id) && post({ type: 'request', id, request, body: whole }, buffersOf(whole)),
            (error: unknown) => fail(id, error),
          )
        } else post({ type: 'request', id, request })
      })
    },

    /** Handles the messages that concern requests, and ignores all others. */
    receive(message: ToPage) {
      switch (message.type) {
        case 'answer':
          return respond(message)
        case 'failed':
          return fail(message.id, unpackError(message.error))
        case 'chunk':
          return receiveChunk(message.id, message.bytes)
        case 'end':
          // Before its answer, a request cannot end.
          return sent.get(message.id)?.inlet && complete(message.id)?.inlet?.end()
        case 'broken':
          return fail(message.id, unpackError(message.error))
        case 'pull':
          return sent.get(message.id)?.outlet?.pull(message.count)
        case 'cancel':
          return sent.get(message.id)?.outlet?.cancel()
      }
    },

    get pending() {
      return sent.size > 0
    },

    /** Rejects all requests with an id up to `last`, because the worker cannot be reached. */
    failAll(error: unknown, last: number) {
      for (const id of [...sent.keys()]) {
        if (id > last) continue
        post({ type: 'abort', id })
        fail(id, error)
      }
    },
  }

  function respond({ id, answer, hasBody }: ResponseMessage) {
    const request = sent.get(id)
    // A second answer would take the place of the body that the caller reads.
    if (!request || request.inlet) return
    try {
      request.resolve(hasBody ? createResponse(id, request, answer) : withoutBody(answer))
      if (!request.inlet) complete(id)
    } catch (error) {
      // The `Response` constructor may reject what `fetch` of the worker has accepted.
      post({ type: 'abort', id })
      fail(id, error)
    }
  }

  function createResponse(id: number, request: SentRequest, answer: PackedResponse): Response {
    // Such a response has no body to read. What the worker sends of one is ignored.
    if (request.method === 'HEAD' || [204, 205, 304].includes(answer.status)) return withoutBody(answer)
    const { stream, inlet } = createInlet({
      pull: (count) => post({ type: 'pull', id, count }),
      cancel: () => {
        if (complete(id)) post({ type: 'abort', id })
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
        // `fetch` also rejects if the body it sends fails.
        post({ type: 'abort', id })
        fail(id, error)
      },
    })
  }
}

/** Returns the signal to observe. As in `fetch`, `null` overrides the signal of a `Request`. */
function signalOf(input: unknown, init: RequestInit | undefined): AbortSignal | undefined {
  if (init?.signal !== undefined) return init.signal ?? undefined
  return isRequest(input) ? input.signal : undefined
}

const withoutBody = (answer: PackedResponse) => new WorkerResponse(null, answer, () => undefined)

const buffersOf = (body: unknown) => (body instanceof ArrayBuffer ? [body] : [])
