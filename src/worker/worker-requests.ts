import { createInlet, createOutlet, type Inlet, type Outlet } from './body-stream.ts'
import { packError } from './pack-error.ts'
import type { ToPage, ToWorker } from './protocol.ts'

type Post = (message: ToPage, transfer?: Transferable[]) => void
type RequestMessage = Extract<ToWorker, { type: 'request' }>
type BodyPart = Extract<ToWorker, { type: 'chunk' | 'end' | 'pull' }>

interface RunningRequest {
  readonly controller: AbortController
  /** Receives the request body from the page. */
  readonly inlet?: Inlet
  /** Sends the response body to the page. */
  outlet?: Outlet
}

export interface WorkerRequestsOptions {
  /** Sends a request with the token. */
  readonly send: typeof fetch
  readonly post: Post
  /** Whether a stream is read into memory before it is sent. */
  readonly buffers: boolean
}

/** Sends requests on behalf of one page. */
export function createWorkerRequests({ send, post, buffers }: WorkerRequestsOptions) {
  const running = new Map<number, RunningRequest>()

  async function run({ id, request, body, streams }: RequestMessage) {
    const { url, headers, ...rest } = request
    const controller = new AbortController()
    const incoming = streams ? receiveBody(id) : undefined
    const entry: RunningRequest = { controller, ...(incoming && { inlet: incoming.inlet }) }
    running.set(id, entry)
    try {
      if (streams && !buffers && !sendsStreams())
        throw new TypeError(
          'This browser cannot send a stream. Set bufferStreams in serveAuth to read it into memory first.',
        )
      const response = await send(url, {
        ...rest,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        signal: controller.signal,
        ...(body && { body }),
        ...(incoming && { body: incoming.stream, duplex: 'half' }),
      } as RequestInit)
      if (running.get(id) === entry) respond(id, entry, response)
      else response.body?.cancel().catch(() => {})
    } catch (error) {
      const packed = await packError(error)
      if (running.get(id) !== entry) return
      running.delete(id)
      entry.inlet?.fail(error)
      post({ type: 'failed', id, error: packed })
    }
  }

  const receiveBody = (id: number) =>
    createInlet({
      pull: (count) => post({ type: 'pull', id, count }),
      cancel: () => post({ type: 'cancel', id }),
    })

  function respond(id: number, entry: RunningRequest, response: Response) {
    const { status, statusText, headers, url, redirected, type: kind, body } = response
    const packed = { status, statusText, headers: [...headers], url, redirected, kind }
    const message: ToPage = { type: 'answer', id, answer: packed, hasBody: body !== null }
    if (!body) {
      running.delete(id)
      return post(message)
    }
    const end = (last: ToPage) => {
      running.delete(id)
      post(last)
    }
    entry.outlet = createOutlet(body, {
      chunk: (bytes) => post({ type: 'chunk', id, bytes }, [bytes.buffer]),
      end: () => end({ type: 'end', id }),
      broken: (error) =>
        void packError(error).then((packed) => {
          if (running.get(id) === entry) end({ type: 'broken', id, error: packed })
        }),
    })
    post(message)
  }

  function abort(id: number) {
    const entry = running.get(id)
    running.delete(id)
    entry?.controller.abort()
    entry?.outlet?.cancel()
    entry?.inlet?.fail(new DOMException('The page cancelled the request or was closed.', 'AbortError'))
  }

  return {
    start: (message: RequestMessage) => void run(message),
    abort,

    body(message: BodyPart) {
      const entry = running.get(message.id)
      if (message.type === 'pull') entry?.outlet?.pull(message.count)
      else if (message.type === 'chunk') entry?.inlet?.chunk(message.bytes)
      else entry?.inlet?.end()
    },

    /** Aborts all requests, because the page has ended. */
    abortAll() {
      for (const id of [...running.keys()]) abort(id)
    },
  }
}

export type WorkerRequests = ReturnType<typeof createWorkerRequests>

/** Whether `fetch` accepts a stream as a body. A browser that does not converts it to text. */
function sendsStreams(): boolean {
  let readsDuplex = false
  const init = {
    method: 'POST',
    body: new ReadableStream(),
    get duplex() {
      readsDuplex = true
      return 'half'
    },
  }
  return (
    !new Request('https://stream.invalid', init as RequestInit).headers.has('content-type') && readsDuplex
  )
}
