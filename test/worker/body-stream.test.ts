import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { createInlet, createOutlet } from '../../src/worker/body-stream.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
/** Waits one turn of the event loop, in which finalization callbacks run. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

const bytes = (text: string) => new TextEncoder().encode(text)

async function readInto(seen: string[], stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read())
    seen.push(new TextDecoder().decode(part.value))
  seen.push('end')
}

describe('a body that is received in chunks', () => {
  /** Returns the stream, and keeps a reference to the inlet only. */
  function start(take: (stream: ReadableStream<Uint8Array>) => void) {
    const pull = vi.fn()
    const cancel = vi.fn()
    const { stream, inlet } = createInlet({ pull, cancel })
    take(stream)
    return { pull, cancel, inlet }
  }
  function open() {
    const streams: ReadableStream<Uint8Array>[] = []
    const started = start((stream) => streams.push(stream))
    return { ...started, stream: streams[0]! }
  }

  it('cancels the body once its stream has been garbage-collected', async () => {
    const { inlet, cancel } = start(() => {})
    inlet.chunk(bytes('unread'))
    await vi.waitUntil(async () => {
      collect()
      await turn()
      return cancel.mock.calls.length > 0
    })
    // A chunk that arrives later is ignored.
    inlet.chunk(bytes('late'))
    inlet.end()
    expect(cancel).toHaveBeenCalledTimes(1)
  })

  it('keeps the body while a read is pending, even without a reference to the stream', async () => {
    const seen: string[] = []
    const { inlet, cancel } = start((stream) => void readInto(seen, stream))
    for (const text of ['one', 'two', 'three']) {
      for (let round = 0; round < 3; round++) {
        collect()
        await turn()
      }
      inlet.chunk(bytes(text))
      await turn()
    }
    collect()
    await turn()
    inlet.end()
    await turn()
    expect(seen).toEqual(['one', 'two', 'three', 'end'])
    expect(cancel).not.toHaveBeenCalled()
  })

  it('requests more chunks only after all requested ones have been read', async () => {
    const { stream, inlet, pull } = open()
    const reader = stream.getReader()
    for (const text of ['1', '2', '3', '4']) inlet.chunk(bytes(text))
    for (let index = 0; index < 4; index++) await reader.read()
    expect(pull).not.toHaveBeenCalled()
    const next = reader.read()
    await turn()
    expect(pull.mock.calls).toEqual([[4]])
    inlet.chunk(bytes('5'))
    expect(new TextDecoder().decode((await next).value)).toBe('5')
    void reader.read()
    await turn()
    expect(pull).toHaveBeenCalledTimes(1)
  })

  it('can be read into a buffer until its end', async () => {
    const { stream, inlet } = open()
    const reader = stream.getReader({ mode: 'byob' })
    const first = reader.read(new Uint8Array(8))
    await turn()
    inlet.chunk(bytes('abc'))
    expect(new TextDecoder().decode((await first).value)).toBe('abc')
    const last = reader.read(new Uint8Array(8))
    await turn()
    inlet.end()
    expect((await last).done).toBe(true)
  })

  it('fails once, with the first error', async () => {
    const { stream, inlet, cancel } = open()
    const error = new Error('broken')
    inlet.fail(error)
    inlet.fail(new Error('again'))
    inlet.chunk(bytes('late'))
    inlet.end()
    await expect(stream.getReader().read()).rejects.toBe(error)
    expect(inlet.failure).toEqual({ error })
    expect(cancel).not.toHaveBeenCalled()
  })

  it('creates a plain stream if byte streams are not supported', async () => {
    const Native = globalThis.ReadableStream
    vi.stubGlobal(
      'ReadableStream',
      class {
        constructor(source: { type?: string }, strategy?: QueuingStrategy) {
          if (source.type === 'bytes') throw new RangeError('unknown type')
          // biome-ignore lint/correctness/noConstructorReturn: replaces the constructor of the platform
          return new Native(source as object, strategy)
        }
      },
    )
    const { stream, inlet } = open()
    vi.unstubAllGlobals()
    inlet.chunk(bytes('one'))
    inlet.end()
    expect(await new Response(stream).text()).toBe('one')
  })
})

describe('a body whose sender ignores the window', () => {
  it('takes no chunk that was not requested, and ignores empty ones', async () => {
    const { stream, inlet } = createInlet({ pull() {}, cancel() {} })
    expect(['', '1', '', '2', '3', '4', ''].map((text) => inlet.chunk(bytes(text)))).toEqual(
      Array(7).fill(true),
    )
    expect(inlet.chunk(bytes('5'))).toBe(false)
    inlet.end()
    expect(await new Response(stream).text()).toBe('1234')
  })
})

describe('a body that is sent in chunks', () => {
  const sent = (stream: ReadableStream) => {
    const seen: unknown[] = []
    const outlet = createOutlet(stream, {
      // Transfer the buffer, as `postMessage` to another thread does.
      chunk: (part) =>
        seen.push(new TextDecoder().decode(structuredClone(part, { transfer: [part.buffer] }))),
      end: () => seen.push('end'),
      broken: (error) => seen.push(error),
    })
    return { outlet, seen }
  }
  const stream = (...parts: unknown[]) =>
    new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(part)
        controller.close()
      },
    })

  it('sends only as many chunks as requested, and skips empty ones', async () => {
    const { outlet, seen } = sent(stream(...['1', '2', '', '3', '4', '5', '6'].map(bytes)))
    await vi.waitUntil(() => seen.length === 4)
    await turn()
    expect(seen).toEqual(['1', '2', '3', '4'])
    outlet.pull(4)
    await vi.waitUntil(() => seen.length === 7)
    expect(seen.slice(4)).toEqual(['5', '6', 'end'])
  })

  it.each([
    ['a chunk', (chunk: Uint8Array) => chunk],
    ['a part of one', (chunk: Uint8Array) => chunk.subarray(1, 3)],
    ['a buffer of Node', (chunk: Uint8Array) => Buffer.from(chunk.buffer, 1, 2)],
  ])('leaves %s to its source, which may send it again', async (_, part) => {
    const whole = bytes('abcdef')
    const again = part(whole)
    const text = new TextDecoder().decode(again)
    const { seen } = sent(stream(again, again, again))
    await vi.waitUntil(() => seen.length === 4)
    expect(seen).toEqual([text, text, text, 'end'])
    expect(new TextDecoder().decode(whole)).toBe('abcdef')
  })

  it('fails if the stream contains anything but bytes', async () => {
    const cancel = vi.fn()
    const { seen } = sent(new ReadableStream({ start: (controller) => controller.enqueue('text'), cancel }))
    await vi.waitUntil(() => seen.length === 1)
    expect(seen[0]).toBeInstanceOf(TypeError)
    expect(cancel).toHaveBeenCalled()
  })

  it('cancels its source, and sends nothing after that', async () => {
    const cancel = vi.fn()
    const { outlet, seen } = sent(new ReadableStream({ cancel }))
    outlet.cancel('enough')
    outlet.cancel('again')
    await turn()
    expect(cancel.mock.calls).toEqual([['enough']])
    expect(seen).toEqual([])
  })
})
