import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createFetch, ofetch } from 'ofetch'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { nextEvent, setUp, type TestAuth } from '../conformance/harness.ts'
import { closeGate, startOrigin, to } from './support.ts'

const ORIGIN = 'https://api.example.com'

const signedIn = async () => (await setUp()).signedIn()

/** A `fetch` without a network that shows what it is given. */
const spy = (status = 200) => {
  const calls: (readonly [input: Request | string, init: RequestInit | undefined])[] = []
  const fetch = (async (input: Request | string, init?: RequestInit) => {
    calls.push([input, init])
    return new Response('{}', { status })
  }) as typeof globalThis.fetch
  return { fetch, calls }
}

describe('what a given fetch sees', () => {
  test('options beside the standard ones arrive with a URL and with a Request', async () => {
    const { fetch, calls } = spy()
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN], fetch })
    const extensions = { next: { revalidate: 1 }, cf: { a: 1 }, proxy: 'http://proxy', dispatcher: {} }

    await send(`${ORIGIN}/me`, extensions as RequestInit)
    await send(new Request(`${ORIGIN}/me`), extensions as RequestInit)

    expect(calls[0]![1]).toMatchObject(extensions)
    expect(calls[1]![1]).toEqual(extensions)
    expect((calls[1]![0] as Request).headers.get('authorization')).toMatch(/^Bearer at-/)
  })

  test('inherited options count, as they do for the platform', async () => {
    const { fetch, calls } = spy()
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN], fetch })

    await send(`${ORIGIN}/me`, Object.create({ method: 'PUT' }))

    expect(calls[0]![1]).toMatchObject({ method: 'PUT' })
  })

  test('a subclass of Request keeps its class, its fields, its URL and its body', async () => {
    const { fetch, calls } = spy()
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN], fetch })
    class JsonRequest extends Request {
      readonly tag = 'mine'
      constructor(path: string, data: unknown = {}) {
        super(ORIGIN + path, { method: 'POST', body: JSON.stringify(data) })
      }
      get isTagged() {
        return this.tag === 'mine'
      }
    }

    await send(new JsonRequest('/me', { a: 1 }))

    const [request] = calls[0] as [JsonRequest, undefined]
    expect(request).toBeInstanceOf(JsonRequest)
    expect([request.url, request.tag, request.isTagged]).toEqual([`${ORIGIN}/me`, 'mine', true])
    expect(await request.json()).toEqual({ a: 1 })
  })

  test('the names of headers keep their case, whatever they are given in', async () => {
    const { fetch, calls } = spy()
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN], fetch })

    await send(`${ORIGIN}/me`, { headers: { 'X-Trace': 'a' } })
    await send(`${ORIGIN}/me`, { headers: [['X-Trace', 'a']] })

    expect(Object.keys(calls[0]![1]!.headers as object)).toContain('X-Trace')
    expect(calls[1]![1]!.headers).toContainEqual(['X-Trace', 'a'])
  })

  test.each([
    ['a Buffer', Buffer.from('ü')],
    ['a typed array', new Uint16Array([1, 2])],
    ['a view', new DataView(new ArrayBuffer(4), 1, 2)],
    ['a Blob', new Blob(['x'])],
  ])('%s arrives as an equal one of the same class', async (_, body) => {
    const { fetch, calls } = spy()
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN], fetch })

    await send(`${ORIGIN}/me`, { method: 'POST', body })

    const sent = calls[0]![1]!.body as typeof body
    expect(sent.constructor).toBe(body.constructor)
    expect(sent).toEqual(body)
  })

  test('an instance of ofetch and its children send with their own fetch, under the session', async () => {
    const [parent, child] = [spy(), spy()]
    const base = createFetch({ fetch: parent.fetch })
    const api = createAuthOfetch(await signedIn(), { ofetch: base, origins: [ORIGIN] })

    await api(`${ORIGIN}/me`)
    await api.native(`${ORIGIN}/me`)
    await api.create({}, { fetch: child.fetch }).create({})(`${ORIGIN}/me`)

    expect([parent.calls.length, child.calls.length]).toEqual([2, 1])
    for (const [, init] of [...parent.calls, ...child.calls])
      expect(new Headers(init!.headers).get('authorization')).toMatch(/^Bearer at-/)
  })
})

describe('the global fetch', () => {
  /** Replaces the global `fetch` until the end of the test. */
  const install = (fetch: typeof globalThis.fetch) => {
    const before = globalThis.fetch
    globalThis.fetch = fetch
    onTestFinished(() => {
      globalThis.fetch = before
    })
  }

  test('the transport has the name and the length of the platform’s fetch', async () => {
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN] })

    expect([send.name, send.length]).toEqual([fetch.name, fetch.length])
  })

  test('the transport can become the global fetch, also twice, and under a wrapper', async () => {
    const { url, signedIn } = await setUp()
    const auth = await signedIn()
    const platform = globalThis.fetch
    const calls: unknown[] = []
    install(createAuthFetch(auth, { origins: [url] }))
    expect((await fetch(`${url}/api/a`)).status).toBe(200)

    globalThis.fetch = createAuthFetch(auth, { origins: [url] })
    expect((await fetch(`${url}/api/a`)).status).toBe(200)

    const { fetch: wrapped } = globalThis
    globalThis.fetch = (input, init) => {
      calls.push(input)
      return wrapped(input, init)
    }
    for (const _ of [1, 2, 3]) expect((await fetch(`${url}/api/a`)).status).toBe(200)
    // Both transports find out once that the wrapper leads back to them.
    expect(calls).toHaveLength(5)
    globalThis.fetch = platform
  })

  test('a global fetch that is replaced later is used', async () => {
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN] })
    const { fetch, calls } = spy()
    install(fetch)

    await send(`${ORIGIN}/me`)

    expect(calls).toHaveLength(1)
  })
})

describe('what was judged is what is sent', () => {
  /** A `fetch` that reads the URL in every way an implementation may. */
  const readers: readonly ((input: Request | string) => string)[] = [
    (input) => (typeof input === 'string' ? input : input.url),
    String,
    (input) => `${input}`,
    (input) => (input as never as URL).href ?? (input as Request).url ?? String(input),
  ]
  const EVIL = 'https://evil.example/'
  const turning = (then = EVIL) => {
    let count = 0
    return () => (count++ === 0 ? `${ORIGIN}/me` : then)
  }

  test.each<[name: string, make: () => unknown]>([
    ['an array with a clone', () => Object.assign([EVIL], { clone: 1, url: `${ORIGIN}/me` })],
    [
      'an object that looks like a Request',
      () => ({ clone: () => new Request(EVIL), url: `${ORIGIN}/me`, toString: () => EVIL }),
    ],
    ['a url that changes', () => Object.defineProperty({ clone() {} }, 'url', { get: turning() })],
    ['a toString that changes', () => ({ toString: turning() })],
    [
      'a subclass of URL',
      () =>
        new (class extends URL {
          override toString = turning()
        })(EVIL),
    ],
    [
      'a subclass of Request with its own url',
      () =>
        new (class extends Request {
          readonly #next = turning()
          override get url() {
            return this.#next?.() ?? `${ORIGIN}/me`
          }
        })(EVIL),
    ],
    [
      'a Request with its own url',
      () => Object.defineProperty(new Request(EVIL), 'url', { get: () => `${ORIGIN}/me` }),
    ],
    [
      'a subclass with its own toString',
      () =>
        new (class extends Request {
          override toString = () => EVIL
          get href() {
            return EVIL
          }
        })(`${ORIGIN}/me`),
    ],
    [
      'a Proxy around a Request',
      () => new Proxy(new Request(EVIL), { get: (_, name) => (name === 'url' ? `${ORIGIN}/me` : undefined) }),
    ],
  ])('%s sends no token elsewhere', async (_, make) => {
    const auth = await signedIn()
    for (const read of readers) {
      const sent: (readonly [url: string, authorization: string | null])[] = []
      const fetch = (async (input: Request | string, init?: RequestInit) => {
        const own = typeof input === 'object' && 'headers' in input ? input.headers : undefined
        sent.push([read(input), new Headers(init?.headers ?? own).get('authorization')])
        return new Response()
      }) as typeof globalThis.fetch
      const send = createAuthFetch(auth, { origins: [ORIGIN], fetch })
      await send(make() as never).catch(() => {})

      for (const [url, authorization] of sent)
        if (authorization !== null && URL.canParse(url)) expect(new URL(url).origin).toBe(ORIGIN)
    }
  })
})

describe('the end of a body', () => {
  const endless = () => {
    let isCancelled = false
    const stream = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        controller.enqueue(new Uint8Array(10))
      },
      cancel: () => {
        isCancelled = true
      },
    })
    return { stream, isCancelled: () => isCancelled }
  }
  const post = (body: unknown, signal: AbortSignal | null = null) =>
    ({ method: 'POST', body, duplex: 'half', signal }) as RequestInit

  test.each([
    [
      'fetch',
      (auth: TestAuth, url: string) => createAuthFetch(auth, { origins: [url], bufferStreams: true }),
    ],
    [
      'ofetch',
      (auth: TestAuth, url: string) => createAuthOfetch(auth, { origins: [url], bufferStreams: true }).raw,
    ],
  ])('%s: an abort ends the reading of a stream, and its source', async (_, make) => {
    const { url, signedIn, server } = await setUp()
    const send = make(await signedIn(), url)
    const { stream, isCancelled } = endless()

    const error = await send(`${url}/api/echo`, post(stream, AbortSignal.timeout(30)) as never).catch(
      (thrown: Error) => thrown,
    )

    expect([error, (error as Error).cause]).toContainEqual(expect.objectContaining({ name: 'TimeoutError' }))
    expect(isCancelled()).toBe(true)
    expect(to(server.log, '/api/echo')).toEqual([])
  })

  test.each<
    [
      how: string,
      make: (url: string, stream: ReadableStream, signal: AbortSignal) => [string | Request, RequestInit?],
    ]
  >([
    ['a URL', (url, stream, signal) => [url, post(stream, signal)]],
    ['a Request', (url, stream, signal) => [new Request(url, post(stream, signal))]],
    ['a Request with options', (url, stream, signal) => [new Request(url, post('')), post(stream, signal)]],
  ])('%s: the source of a stream that is held is cancelled by an abort', async (_, make) => {
    const { url, auth, open, first } = await closeGate()
    const { stream, isCancelled } = endless()
    const controller = new AbortController()
    const held = nextEvent(auth, 'requestHeld')

    const call = createAuthFetch(auth, { origins: [url] })(
      ...make(`${url}/api/echo`, stream, controller.signal),
    )
    await held
    controller.abort(new Error('enough'))

    await expect(call).rejects.toThrow('enough')
    await expect.poll(isCancelled).toBe(true)
    open()
    await first
  })

  test('a Node stream that is held is destroyed by an abort', async () => {
    const { url, auth, open, first } = await closeGate()
    const stream = Readable.from(['never read'])
    const controller = new AbortController()
    const held = nextEvent(auth, 'requestHeld')

    const call = createAuthFetch(auth, { origins: [url] })(url, post(stream, controller.signal))
    await held
    controller.abort(new Error('enough'))

    await expect(call).rejects.toThrow('enough')
    expect(stream.destroyed).toBe(true)
    open()
    await first
  })

  test('a large form is neither read nor copied', async () => {
    const { fetch, calls } = spy()
    const send = createAuthFetch(await signedIn(), { origins: [ORIGIN], fetch })
    const form = new FormData()
    const reads: string[] = []
    class Watched extends File {
      override stream() {
        reads.push('stream')
        return super.stream()
      }
      override arrayBuffer() {
        reads.push('arrayBuffer')
        return super.arrayBuffer()
      }
    }
    form.set('file', new Watched([new Uint8Array(5_000_000)], 'x.bin'))

    const call = send(`${ORIGIN}/me`, post(form))
    // Sent in the same tick, as by the platform.
    expect(calls).toHaveLength(1)
    await call

    expect(reads).toEqual([])
  })

  test('a refusal whose body is a Node stream is discarded, and a later abort does not end the process', async () => {
    const { url, signedIn, server } = await setUp()
    const auth = await signedIn()
    server.expireAccessTokens()
    const bodies: Readable[] = []
    const given = (async (input: string, init: RequestInit) => {
      const { status, headers } = await fetch(input, init)
      const body = Readable.from(['x'])
      bodies.push(body)
      return { status, headers, body }
    }) as unknown as typeof fetch

    const answer = await createAuthFetch(auth, { origins: [url], fetch: given })(`${url}/api/a`)

    expect(answer.status).toBe(200)
    expect(bodies.map(({ destroyed }) => destroyed)).toEqual([true, false])
    // As node-fetch does when the caller aborts.
    expect(() => bodies[0]!.emit('error', new Error('aborted'))).not.toThrow()
  })
})

describe('an abort after a garbage collection', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void

  test.each(['before the answer', 'while the answer is read'])(
    'an abort %s reaches the platform',
    async (when) => {
      const { signedIn } = await setUp()
      const origin = await startOrigin((_, reply) => {
        if (when === 'while the answer is read') reply.writeHead(200).write('begin')
        return undefined
      })
      const send = createAuthFetch(await signedIn(), { origins: [origin.url] })
      const controller = new AbortController()
      const request = new Request(origin.url, { signal: controller.signal })

      const call = send(request).then((answer) => answer.text())
      await expect.poll(() => origin.log.length).toBe(1)
      for (const _ of [1, 2, 3]) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        collect()
      }
      controller.abort()

      await expect(call).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
      expect(request.url).toBe(`${origin.url}/`)
    },
  )
})

describe('ofetch: the package’s own instance', () => {
  test('the given instance and the package’s ofetch are not changed', async () => {
    const { create, native, raw } = ofetch
    createAuthOfetch(await signedIn(), { ofetch, origins: [ORIGIN] })

    expect([ofetch.create, ofetch.native, ofetch.raw]).toEqual([create, native, raw])
  })
})
