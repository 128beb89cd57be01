import { Readable } from 'node:stream'
import axios from 'axios'
import { describe, expect, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { nextEvent, setUp } from '../conformance/harness.ts'
import { type Client, transports } from '../conformance/transports.ts'
import { closeGate, startOrigin, to } from './support.ts'

const CHUNKS = ['chunk one, ', 'chunk twö, ', 'the last']
const TEXT = CHUNKS.join('')

const webStream = () => new Blob(CHUNKS).stream()
const nodeStream = () => Readable.from(CHUNKS.map((chunk) => Buffer.from(chunk)))
async function* generated() {
  for (const chunk of CHUNKS) yield new TextEncoder().encode(chunk)
}

const [fetchTransport, ofetchTransport, axiosHttp, axiosFetch] = transports as [
  (typeof transports)[0],
  (typeof transports)[0],
  (typeof transports)[0],
  (typeof transports)[0],
]

/** Which clients accept which streams. The http adapter knows only those of Node. */
const streams = [
  { kind: 'a web stream', make: webStream, transport: fetchTransport },
  { kind: 'an async iterable', make: generated, transport: fetchTransport },
  { kind: 'a web stream', make: webStream, transport: ofetchTransport },
  { kind: 'a Node stream', make: nodeStream, transport: ofetchTransport },
  { kind: 'a Node stream', make: nodeStream, transport: axiosHttp },
  { kind: 'a web stream', make: webStream, transport: axiosFetch },
].map((stream) => ({ ...stream, name: stream.transport.name }))

describe.each(streams)('$name: $kind', ({ make, transport }) => {
  const post = (client: Client, path: string) => client.post(path, make())

  test('a stream is not buffered: its 401 is returned, and a refresh starts', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn()
    const client = transport.create(auth, { origin: url })
    server.expireAccessTokens()
    const refreshed = nextEvent(auth, 'refreshed')

    const answer = await post(client, '/api/upload')

    expect([answer.status, answer.givenAs]).toEqual([401, transport.givesRefusalsAs])
    await refreshed
    expect(to(server.log, '/api/upload').map(({ bodyText }) => bodyText)).toEqual([TEXT])
    expect(server.refreshes).toBe(1)
    const next = await post(client, '/api/upload')
    expect([next.status, (next.json as { generation: number }).generation]).toEqual([200, 2])
    expect(to(server.log, '/api/upload')).toHaveLength(2)
  })

  test('a stream that waits before its first sending is sent once, whole, with the new token', async () => {
    const { server, url, auth, open } = await closeGate()
    const client = transport.create(auth, { origin: url })

    const call = post(client, '/api/upload')
    await nextEvent(auth, 'requestHeld')
    open()

    expect((await call).status).toBe(200)
    expect(to(server.log, '/api/upload').map(({ bodyText, generation }) => [bodyText, generation])).toEqual([
      [TEXT, 2],
    ])
  })

  test('a stream is replayed byte for byte if bufferStreams is set', async () => {
    const { server, url, signedIn } = await setUp()
    const client = transport.create(await signedIn(), { origin: url, bufferStreams: true })
    server.expireAccessTokens()

    const answer = await post(client, '/api/upload')

    expect(answer.status).toBe(200)
    expect(to(server.log, '/api/upload').map(({ bodyText, generation }) => [bodyText, generation])).toEqual([
      [TEXT, 1],
      [TEXT, 2],
    ])
  })
})

describe.each([
  ['fetch', fetchTransport],
  ['ofetch', ofetchTransport],
  ['axios', axiosFetch],
] as const)('%s: bufferStreams, of a source that is idle', (client, transport) => {
  /** Streams that yield one chunk and then nothing, and do not end by themselves. Each reports that it is asked for more. */
  const idle: Record<string, (onAsked: () => void) => unknown> = {
    'a web stream': (onAsked) => {
      let first = true
      const pull = (controller: ReadableStreamDefaultController) => {
        if (first) controller.enqueue(new TextEncoder().encode('one'))
        else onAsked()
        first = false
        return first ? undefined : new Promise<void>(() => {})
      }
      return new ReadableStream({ pull: (controller) => void pull(controller) })
    },
    'a web stream whose cancel() does not end': (onAsked) =>
      new ReadableStream({ pull: onAsked, cancel: () => new Promise(() => {}) }),
    'a Node stream': (onAsked) => new Readable({ read: () => onAsked() }),
    ...(client !== 'axios' && {
      'an async iterable': async function* (onAsked: () => void) {
        yield new TextEncoder().encode('one')
        onAsked()
        await new Promise(() => {})
      },
    }),
  }

  test.each(Object.keys(idle))('%s: an abort rejects the call at once, and nothing is sent', async (kind) => {
    const { server, url, signedIn } = await setUp()
    const api = transport.create(await signedIn(), { origin: url, bufferStreams: true })
    const controller = new AbortController()
    const why = new DOMException('The user has left the page', 'AbortError')
    let body: unknown
    const asked = new Promise<void>((resolve) => {
      body = idle[kind]?.(resolve)
    })

    const call = api.post('/api/echo', body, { signal: controller.signal }).catch((error) => error)
    await asked
    controller.abort(why)

    expect(transport.isAbort(await call, why)).toBe(true)
    expect(server.log).toEqual([])
    if (body instanceof Readable) expect(body.destroyed).toBe(true)
  })
})

describe('axios (http adapter): streams that only Node has', () => {
  test('a stream of strings is replayed byte for byte if bufferStreams is set', async () => {
    const { server, url, signedIn } = await setUp()
    const client = axiosHttp.create(await signedIn(), { origin: url, bufferStreams: true })
    server.expireAccessTokens()

    expect((await client.post('/api/upload', Readable.from(CHUNKS))).status).toBe(200)

    expect(to(server.log, '/api/upload').map(({ bodyText }) => bodyText)).toEqual([TEXT, TEXT])
  })

  test('a stream that breaks while it is read rejects the call with an AxiosError and sends nothing', async () => {
    const { server, url, signedIn } = await setUp()
    const client = axiosHttp.create(await signedIn(), { origin: url, bufferStreams: true })
    const problem = new Error('the disk is gone')
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('some')
        throw problem
      })(),
    )

    await expect(client.post('/api/upload', broken)).rejects.toMatchObject({
      isAxiosError: true,
      message: problem.message,
      cause: problem,
    })

    expect(server.log).toEqual([])
  })

  const postForm = async (bufferStreams: boolean) => {
    const bench = await setUp()
    const auth = await bench.signedIn()
    const instance = axios.create({ baseURL: bench.url, adapter: 'http', proxy: false })
    attachAuth(instance, auth, { bufferStreams })
    bench.server.expireAccessTokens()
    const refreshed = nextEvent(auth, 'refreshed')
    const answer = await instance.postForm(
      '/api/form',
      { name: 'Ädä', file: Buffer.from([0, 255, 13, 10]) },
      { validateStatus: () => true },
    )
    await refreshed
    return { answer, sent: to(bench.server.log, '/api/form') }
  }

  test.each([true, false])(
    'the form of postForm is replayed with its boundary if bufferStreams is %s',
    async (on) => {
      const { answer, sent } = await postForm(on)

      expect(answer.status).toBe(200)
      const [first, second] = sent
      expect(second!.headers['content-type']).toBe(first!.headers['content-type'])
      expect(Buffer.from(second!.bodyBytes)).toEqual(Buffer.from(first!.bodyBytes))
      const form = await new Response(second!.bodyBytes.slice(), {
        headers: { 'content-type': second!.headers['content-type']! },
      }).formData()
      expect(form.get('name')).toBe('Ädä')
    },
  )
})

describe('axios: a stream as the response', () => {
  test.each(['http', 'fetch'] as const)(
    'the %s adapter returns the stream of the replay and discards that of the 401',
    async (adapter) => {
      const { url, signedIn, server } = await setUp()
      const auth = await signedIn()
      const origin = await startOrigin(({ headers }) =>
        headers.authorization?.includes('at-1-1-')
          ? { status: 401, body: Buffer.alloc(1 << 20) }
          : { body: 'streamed' },
      )
      const instance = axios.create({ baseURL: origin.url, adapter, proxy: false, responseType: 'stream' })
      attachAuth(instance, auth)

      const { status, data } = await instance.get('/file')

      expect([status, await new Response(data as ReadableStream).text()]).toEqual([200, 'streamed'])
      expect(origin.log.map(({ headers }) => headers.authorization?.slice(7, 14))).toEqual([
        'at-1-1-',
        'at-1-2-',
      ])
      expect(server.refreshes).toBe(1)
      expect(url).not.toBe(origin.url)
    },
  )
})
