import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { createInlet, createOutlet } from '../../src/worker/body-stream.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
/** A turn of the event loop, in which what was collected is told of. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

const bytes = (text: string) => new TextEncoder().encode(text)

async function readInto(seen: string[], stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader()
  for (let part = await reader.read(); !part.done; part = await reader.read())
    seen.push(new TextDecoder().decode(part.value))
  seen.push('end')
}

describe('a body that arrives in chunks', () => {
  /** Hands the stream out, and holds on to the other end only. */
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

  it('is given up once nobody can read it any more', async () => {
    const { inlet, cancel } = start(() => {})
    inlet.chunk(bytes('unread'))
    await vi.waitUntil(async () => {
      collect()
      await turn()
      return cancel.mock.calls.length > 0
    })
    // What is on its way still goes nowhere, and does no harm.
    inlet.chunk(bytes('late'))
    inlet.end()
    expect(cancel).toHaveBeenCalledTimes(1)
  })

  it('is not given up while somebody waits for it, whatever else holds on to it', async () => {
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

  it('asks for more when all that was asked for has been read, and not before', async () => {
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

  it('can be read into a buffer, to the end', async () => {
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

  it('fails once, with what it was told', async () => {
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

  it('is a plain stream where there are no others', async () => {
    const Native = globalThis.ReadableStream
    vi.stubGlobal(
      'ReadableStream',
      class {
        constructor(source: { type?: string }, strategy?: QueuingStrategy) {
          if (source.type === 'bytes') throw new RangeError('unknown type')
          // biome-ignore lint/correctness/noConstructorReturn: stands in for the platform's
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

describe('a body that is sent in chunks', () => {
  const sent = (stream: ReadableStream) => {
    const seen: unknown[] = []
    const outlet = createOutlet(stream, {
      // Given away, as to another thread.
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

  it('goes as far as it was asked to, and leaves empty chunks out', async () => {
    const { outlet, seen } = sent(stream(...['1', '2', '', '3', '4', '5', '6'].map(bytes)))
    await vi.waitUntil(() => seen.length === 4)
    await turn()
    expect(seen).toEqual(['1', '2', '3', '4'])
    outlet.pull(4)
    await vi.waitUntil(() => seen.length === 7)
    expect(seen.slice(4)).toEqual(['5', '6', 'end'])
  })

  it('keeps what others have in the same buffer', async () => {
    const whole = bytes('abcdef')
    const { seen } = sent(stream(whole.subarray(1, 3)))
    await vi.waitUntil(() => seen.length === 2)
    expect(seen).toEqual(['bc', 'end'])
    expect(new TextDecoder().decode(whole)).toBe('abcdef')
  })

  it('breaks off where it is not made of bytes', async () => {
    const cancel = vi.fn()
    const { seen } = sent(new ReadableStream({ start: (controller) => controller.enqueue('text'), cancel }))
    await vi.waitUntil(() => seen.length === 1)
    expect(seen[0]).toBeInstanceOf(TypeError)
    expect(cancel).toHaveBeenCalled()
  })

  it('is cancelled at its source, and says nothing any more', async () => {
    const cancel = vi.fn()
    const { outlet, seen } = sent(new ReadableStream({ cancel }))
    outlet.cancel('enough')
    outlet.cancel('again')
    await turn()
    expect(cancel.mock.calls).toEqual([['enough']])
    expect(seen).toEqual([])
  })
})
