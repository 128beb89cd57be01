/** Bodies in chunks: streams cannot be transferred everywhere, and one that can says nothing when nobody reads it. */

/** How many chunks may be under way before the reader asks for more. */
const WINDOW = 4

type Controller = ReadableStreamController<Uint8Array<ArrayBuffer>>

export interface InletOptions {
  /** Asks for so many more chunks. */
  readonly pull: (count: number) => void
  /** The reader wants no more; also where the stream was thrown away without a word. */
  readonly cancel: () => void
}

/** Where a body arrives in chunks. Does not hold the stream that they go into. */
export interface Inlet {
  chunk(bytes: Uint8Array<ArrayBuffer>): void
  end(): void
  fail(error: unknown): void
  /** What it failed with, if it did before all of it was here. */
  readonly failure: { readonly error: unknown } | undefined
}

const forgotten =
  typeof FinalizationRegistry === 'function'
    ? new FinalizationRegistry<() => void>((cancel) => cancel())
    : undefined

/**
 * What the stream reads from. The stream holds it, and it holds the stream: whether anybody still has the stream shows in
 * whether this is still there. (The stream itself does not show it: browsers drop and remake the objects that stand for
 * their own.)
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

/** As the body of an answer is: one that can be read into buffers, where the browser has such streams. */
function open(source: Source): ReadableStream<Uint8Array<ArrayBuffer>> {
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
  let asked = WINDOW
  let over = false
  /** Held on to while somebody reads, and only then: a body that is dropped unread must be seen to be dropped. */
  let reading: Source | undefined
  let failure: { readonly error: unknown } | undefined
  const token = {}
  const opened = openWeakly(
    (source) => {
      reading = source
      if (asked > 0) return
      asked = WINDOW
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

  /** Gives the controller a last time, unless it is over already. */
  function finish(): Controller | undefined {
    if (over) return undefined
    over = true
    forgotten?.unregister(token)
    const { controller } = reading ?? reference.deref() ?? {}
    reading = undefined
    return controller
  }

  const inlet: Inlet = {
    chunk(bytes) {
      if (over) return
      const { controller } = reading ?? reference.deref() ?? {}
      reading = undefined
      asked--
      // May ask for the next one at once, and be read again.
      controller?.enqueue(bytes as never)
    },
    end() {
      const controller = finish()
      if (!controller) return
      controller.close()
      // Whoever reads into a buffer of his own gets it back.
      if ('byobRequest' in controller) controller.byobRequest?.respond(0)
    },
    fail(error) {
      if (!over) failure = { error }
      finish()?.error(error)
    },
    get failure() {
      return failure
    },
  }
  return { stream: opened.stream, inlet }
}

/** Apart from what feeds the stream, so that nothing there holds it. */
function openWeakly(
  pulled: (source: Source) => void,
  cancelled: () => void,
  dropped: () => void,
  token: object,
): { readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>; readonly reference: Reference } {
  const source = new Source(pulled, cancelled)
  const stream = open(source)
  forgotten?.register(source, dropped, token)
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

/** A body that is sent on in chunks, as fast as they are asked for. */
export interface Outlet {
  pull(count: number): void
  /** Nobody wants the rest. */
  cancel(reason?: unknown): void
}

export function createOutlet(stream: ReadableStream, { chunk, end, broken }: OutletOptions): Outlet {
  const reader = stream.getReader()
  let allowed = WINDOW
  let over = false
  let goOn = () => {}

  async function send() {
    for (;;) {
      if (allowed <= 0) {
        await new Promise<void>((resolve) => {
          goOn = resolve
        })
      }
      const { done, value } = await reader.read()
      if (over) return
      if (done) {
        over = true
        return end()
      }
      const bytes = ownBytes(value)
      if (bytes.byteLength === 0) continue
      allowed--
      chunk(bytes)
    }
  }
  send().catch((error: unknown) => {
    if (over) return
    over = true
    broken(error)
    reader.cancel(error).catch(() => {})
  })

  return {
    pull(count) {
      allowed += count
      goOn()
    },
    cancel(reason) {
      if (over) return
      over = true
      reader.cancel(reason).catch(() => {})
      goOn()
    },
  }
}

/** Bytes with a buffer of their own, which can be given away. */
function ownBytes(value: unknown): Uint8Array<ArrayBuffer> {
  if (!(value instanceof Uint8Array)) throw new TypeError('A body must be a stream of bytes.')
  const isWhole = value.byteLength === value.buffer.byteLength && value.buffer instanceof ArrayBuffer
  return isWhole ? (value as Uint8Array<ArrayBuffer>) : value.slice()
}
