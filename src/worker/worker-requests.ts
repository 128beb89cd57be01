import { createInlet, createOutlet, type Inlet, type Outlet } from './body-stream.ts'
import { packError } from './pack-error.ts'
import type { ToPage, ToWorker } from './protocol.ts'

type Post = (message: ToPage, transfer?: Transferable[]) => void
type Asked = Extract<ToWorker, { type: 'request' }>
type BodyPart = Extract<ToWorker, { type: 'chunk' | 'end' | 'pull' }>

interface Running {
  readonly controller: AbortController
  /** The body on its way here. */
  readonly inlet?: Inlet
  /** The body of the answer. */
  outlet?: Outlet
}

export interface WorkerRequestsOptions {
  /** Sends with the token. */
  readonly send: typeof fetch
  readonly post: Post
  /** Whether streams are read into memory before they are sent. */
  readonly buffers: boolean
}

/** Requests that this worker sends for one page. */
export function createWorkerRequests({ send, post, buffers }: WorkerRequestsOptions) {
  const running = new Map<number, Running>()

  async function run({ id, request, body, streams }: Asked) {
    const { url, headers, ...rest } = request
    const controller = new AbortController()
    const arriving = streams ? arrive(id) : undefined
    const entry: Running = { controller, ...(arriving && { inlet: arriving.inlet }) }
    running.set(id, entry)
    try {
      if (streams && !buffers && !sendsStreams())
        throw new TypeError(
          'This browser cannot send a stream. Set bufferStreams in serveAuth, to read it into memory first.',
        )
      const response = await send(url, {
        ...rest,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        signal: controller.signal,
        ...(body && { body }),
        ...(arriving && { body: arriving.stream, duplex: 'half' }),
      } as RequestInit)
      if (running.get(id) === entry) answer(id, entry, response)
      else response.body?.cancel().catch(() => {})
    } catch (error) {
      const packed = await packError(error)
      if (running.get(id) !== entry) return
      running.delete(id)
      entry.inlet?.fail(error)
      post({ type: 'failed', id, error: packed })
    }
  }

  const arrive = (id: number) =>
    createInlet({
      pull: (count) => post({ type: 'pull', id, count }),
      cancel: () => post({ type: 'cancel', id }),
    })

  function answer(id: number, entry: Running, response: Response) {
    const { status, statusText, headers, url, redirected, type: kind, body } = response
    const packed = { status, statusText, headers: [...headers], url, redirected, kind }
    const told: ToPage = { type: 'answer', id, answer: packed, hasBody: body !== null }
    if (!body) {
      running.delete(id)
      return post(told)
    }
    const ended = (message: ToPage) => {
      running.delete(id)
      post(message)
    }
    entry.outlet = createOutlet(body, {
      chunk: (bytes) => post({ type: 'chunk', id, bytes }, [bytes.buffer]),
      end: () => ended({ type: 'end', id }),
      broken: (error) =>
        void packError(error).then((packed) => {
          if (running.get(id) === entry) ended({ type: 'broken', id, error: packed })
        }),
    })
    post(told)
  }

  function abort(id: number) {
    const entry = running.get(id)
    running.delete(id)
    entry?.controller.abort()
    entry?.outlet?.cancel()
    entry?.inlet?.fail(new DOMException('The page went away.', 'AbortError'))
  }

  return {
    start: (asked: Asked) => void run(asked),
    abort,

    body(message: BodyPart) {
      const entry = running.get(message.id)
      if (message.type === 'pull') entry?.outlet?.pull(message.count)
      else if (message.type === 'chunk') entry?.inlet?.chunk(message.bytes)
      else entry?.inlet?.end()
    },

    /** The page is gone. */
    abortAll() {
      for (const id of [...running.keys()]) abort(id)
    },
  }
}

export type WorkerRequests = ReturnType<typeof createWorkerRequests>

/** Whether `fetch` here takes a stream as a body. Those that do not make a text of it. */
function sendsStreams(): boolean {
  let asked = false
  const init = {
    method: 'POST',
    body: new ReadableStream(),
    get duplex() {
      asked = true
      return 'half'
    },
  }
  return !new Request('https://stream.invalid', init as RequestInit).headers.has('content-type') && asked
}
