import { QueueFullError, WorkerError } from '../core/errors.ts'
import { createInlet, createOutlet, type Inlet, type Outlet } from './body-stream.ts'
import { exposeError } from './expose-error.ts'
import { packError } from './pack-error.ts'
import type { PageAccess } from './page-access.ts'
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
  /** Decides which requests of a page are sent. */
  readonly access: PageAccess
  readonly post: Post
  /** Whether a stream is read into memory before it is sent. */
  readonly buffers: boolean
}

/** How many requests of one page may be in progress. */
const LIMIT = 100_000

/** Sends requests on behalf of one page. */
export function createWorkerRequests({ send, access, post, buffers }: WorkerRequestsOptions) {
  const running = new Map<number, RunningRequest>()

  async function run({ id, request, body, streams }: RequestMessage) {
    if (running.has(id)) return
    const { url: _, headers, ...rest } = request
    const controller = new AbortController()
    const incoming = streams ? receiveBody(id) : undefined
    const entry: RunningRequest = { controller, ...(incoming && { inlet: incoming.inlet }) }
    running.set(id, entry)
    try {
      if (running.size > LIMIT) throw new QueueFullError(LIMIT)
      const target = access.targetOf(request)
      if (target === undefined) throw new WorkerError({ reason: 'refused' })
      if (streams && !buffers && !sendsStreams())
        throw exposeError(
          new TypeError(
            'This browser cannot send a stream. Set bufferStreams in serveAuth to read it into memory first.',
          ),
        )
      const response = await send(target, {
        ...rest,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        signal: controller.signal,
        ...(body && { body }),
        ...(incoming && { body: incoming.stream, duplex: 'half' }),
      } as RequestInit)
      const isRefused = !access.mayRead(request, response)
      if (isRefused || running.get(id) !== entry) response.body?.cancel().catch(() => {})
      if (isRefused) throw new WorkerError({ reason: 'refused' })
      if (running.get(id) === entry) respond(id, entry, response)
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

  /** Ends a request whose messages break the protocol. */
  function refuse(id: number) {
    abort(id)
    const error = { kind: 'auth', code: 'worker_failed', reason: 'garbled' } as const
    post({ type: 'failed', id, error })
  }

  return {
    start: (message: RequestMessage) => void run(message),
    abort,
    refuse,

    body(message: BodyPart) {
      const { id } = message
      const entry = running.get(id)
      try {
        if (message.type === 'pull') entry?.outlet?.pull(message.count)
        else if (message.type === 'end') entry?.inlet?.end()
        else if (entry?.inlet?.chunk(message.bytes) === false) refuse(id)
      } catch {
        // The stream cannot take such a chunk.
        refuse(id)
      }
    },

    /** Aborts all requests, because the page has ended. */
    abortAll() {
      for (const id of [...running.keys()]) abort(id)
    },
  }
}

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
