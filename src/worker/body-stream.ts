/**
 * Sends bodies as chunks. Not every browser can transfer a stream, and a transferred stream does not report that its reader
 * has dropped it.
 */

/** How many chunks may be in flight before the reader has to request more. */
const WINDOW = 4
/** How many chunks a sender sends at once, whatever the reader requests. */
const MAX_ALLOWED = 64

type Controller = ReadableStreamController<Uint8Array<ArrayBuffer>>

export interface InletOptions {
  /** Requests this many more chunks. */
  readonly pull: (count: number) => void
  /** Called when the reader cancels, or when the stream is garbage-collected unread. */
  readonly cancel: () => void
}

/** Receives a body in chunks. It holds no strong reference to the stream that the chunks go into. */
export interface Inlet {
  /** Returns `false` for a chunk that was not requested. */
  chunk(bytes: Uint8Array<ArrayBuffer>): boolean
  end(): void
  fail(error: unknown): void
  /** The error, if the body failed before it was complete. */
  readonly failure: { readonly error: unknown } | undefined
}

/** Cancels bodies whose streams were garbage-collected. */
const abandonedSources =
  typeof FinalizationRegistry === 'function'
    ? new FinalizationRegistry<() => void>((cancel) => cancel())
    : undefined

/**
 * The underlying source of the stream. The two reference each other, so both are collected together. Watch the source for
 * that, not the stream: browsers drop and recreate the JavaScript objects that wrap their own streams.
 */
class Source {
  controller: Controller | undefined
  readonly #pulled: (source: Source) => void
  readonly #cancelled: () => void

  constructor(pulled: (source: Source) => void, cancelled: () => void) {
    this.#pulled = pulled
    this.#cancelled = cancelled
  }
  start(controller: Controller) {
    this.controller = controller
  }
  pull() {
    this.#pulled(this)
  }
  cancel() {
    this.#cancelled()
  }
}

/** Creates a byte stream, as the body of a `Response` is, or a plain stream if the browser has no byte streams. */
function createStream(source: Source): ReadableStream<Uint8Array<ArrayBuffer>> {
  try {
    return new ReadableStream(Object.assign(source, { type: 'bytes' }) as never)
  } catch {
    return new ReadableStream(Object.assign(source, { type: undefined }) as never, { highWaterMark: 0 })
  }
}

export function createInlet({ pull, cancel }: InletOptions): {
  stream: ReadableStream<Uint8Array<ArrayBuffer>>
  inlet: Inlet
} {
  let requested = WINDOW
  let isDone = false
  /** Set only while a read is pending. A strong reference at other times would hide that the reader dropped the stream. */
  let reading: Source | undefined
  let failure: { readonly error: unknown } | undefined
  const token = {}
  const opened = openWeakly(
    (source) => {
      reading = source
      if (requested > 0) return
      requested = WINDOW
      pull(WINDOW)
    },
    () => {
      finish()
      cancel()
    },
    cancel,
    token,
  )
  const { reference } = opened

  /** Marks the body as done and returns the controller for a last call; `undefined` if it was done before. */
  function finish(): Controller | undefined {
    if (isDone) return undefined
    isDone = true
    abandonedSources?.unregister(token)
    const { controller } = reading ?? reference.deref() ?? {}
    reading = undefined
    return controller
  }

  const inlet: Inlet = {
    chunk(bytes) {
      // A byte stream rejects a chunk without bytes.
      if (isDone || bytes.byteLength === 0) return true
      // A sender that ignores the window would fill the memory.
      if (requested === 0) return false
      const { controller } = reading ?? reference.deref() ?? {}
      reading = undefined
      requested--
      // The last statement, because it may call `pull` synchronously.
      controller?.enqueue(bytes as never)
      return true
    },
    end() {
      const controller = finish()
      if (!controller) return
      controller.close()
      // A pending read into the reader's own buffer returns that buffer.
      if ('byobRequest' in controller) controller.byobRequest?.respond(0)
    },
    fail(error) {
      if (!isDone) failure = { error }
      finish()?.error(error)
    },
    get failure() {
      return failure
    },
  }
  return { stream: opened.stream, inlet }
}

/** A separate function, so that no closure of the inlet captures the source strongly. */
function openWeakly(
  pulled: (source: Source) => void,
  cancelled: () => void,
  dropped: () => void,
  token: object,
): { readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>; readonly reference: Reference } {
  const source = new Source(pulled, cancelled)
  const stream = createStream(source)
  abandonedSources?.register(source, dropped, token)
  return {
    stream,
    reference: typeof WeakRef === 'function' ? new WeakRef(source) : { deref: () => source },
  }
}

interface Reference {
  deref(): Source | undefined
}

export interface OutletOptions {
  readonly chunk: (bytes: Uint8Array<ArrayBuffer>) => void
  readonly end: () => void
  readonly broken: (error: unknown) => void
}

/** Sends a body in chunks, as fast as the reader requests them. */
export interface Outlet {
  pull(count: number): void
  /** Cancels the body: the reader does not need the rest. */
  cancel(reason?: unknown): void
}

export function createOutlet(stream: ReadableStream, { chunk, end, broken }: OutletOptions): Outlet {
  const reader = stream.getReader()
  let allowed = WINDOW
  let isDone = false
  let resume = () => {}

  async function send() {
    for (;;) {
      if (allowed <= 0) {
        await new Promise<void>((resolve) => {
          resume = resolve
        })
      }
      const { done, value } = await reader.read()
      if (isDone) return
      if (done) {
        isDone = true
        return end()
      }
      const bytes = ownBytes(value)
      if (bytes.byteLength === 0) continue
      allowed--
      chunk(bytes)
    }
  }
  send().catch((error: unknown) => {
    if (isDone) return
    isDone = true
    broken(error)
    reader.cancel(error).catch(() => {})
  })

  return {
    pull(count) {
      allowed = Math.min(allowed + count, MAX_ALLOWED)
      resume()
    },
    cancel(reason) {
      if (isDone) return
      isDone = true
      reader.cancel(reason).catch(() => {})
      resume()
    },
  }
}

/** Copies the bytes, because they are transferred, and the source may use its chunk again. */
function ownBytes(value: unknown): Uint8Array<ArrayBuffer> {
  if (!(value instanceof Uint8Array))
    throw new TypeError('A request or response body must be a stream of Uint8Array chunks.')
  return new Uint8Array(value)
}
