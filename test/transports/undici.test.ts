import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import {
  Agent,
  Client,
  type Dispatcher,
  interceptors,
  MockAgent,
  Pool,
  request,
  FormData as UndiciForm,
  fetch as undiciFetch,
} from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WORKER_FETCH } from '../../src/core/auth.ts'
import { SessionExpiredError, TokenConfinedError } from '../../src/index.ts'
import { type AuthInterceptorOptions, authInterceptor } from '../../src/transports/undici.ts'
import { nextEvent, setUp, times } from '../conformance/harness.ts'
import { closeGate, type Reply, type Seen, startOrigin, to } from './support.ts'

/** A session, and a server that accepts its tokens from the second on. */
async function start(
  options: Partial<AuthInterceptorOptions> = {},
  refusal: Reply = { status: 401, body: 'no' },
) {
  const harness = await setUp()
  const auth = await harness.signedIn()
  const api = await startOrigin(({ headers, body }) =>
    headers.authorization?.startsWith('Bearer at-1-1-') ? refusal : { body: body.length > 0 ? body : 'yes' },
  )
  const interceptor = authInterceptor(auth, { origins: [api.url], ...options })
  return { ...harness, auth, api, interceptor, dispatcher: composed(interceptor) }
}

function composed(...all: Dispatcher.DispatcherComposeInterceptor[]) {
  const agent = new Agent()
  onTestFinished(() => agent.destroy())
  return agent.compose(...all)
}

const generations = (log: readonly Seen[]) => log.map(({ headers }) => headers.authorization?.slice(7, 13))

describe('undici: what its caller uses again', () => {
  test('the query and lists of headers are sent as they were at the call, although they change while it is held', async () => {
    const { server, url, auth, open } = await closeGate()
    const query = { page: ['1'] }
    const headers = { 'x-when': ['1'] }

    const dispatcher = composed(authInterceptor(auth, { origins: [url] }))
    const call = request(`${url}/api/echo`, { dispatcher, query, headers })
    await nextEvent(auth, 'requestHeld')
    query.page[0] = '2'
    headers['x-when'][0] = '2'
    open()
    await (await call).body.dump()

    const sent = to(server.log, '/api/echo')
    expect(sent.map(({ search, headers }) => [search, headers['x-when']])).toEqual([['?page=1', '1']])
  })

  test('the values in a Map of headers are sent as they were at the call', async () => {
    const { server, url, auth, open } = await closeGate()
    const values = ['1']
    const headers = new Map([['x-when', values]])

    const dispatcher = composed(authInterceptor(auth, { origins: [url] }))
    const call = request(`${url}/api/echo`, { dispatcher, headers })
    await nextEvent(auth, 'requestHeld')
    values[0] = '2'
    open()
    await (await call).body.dump()

    expect(to(server.log, '/api/echo').map((sent) => sent.headers['x-when'])).toEqual(['1'])
  })
})

describe('undici: a rejected token', () => {
  test('twenty requests at once with a rejected token cause one refresh', async () => {
    const { api, dispatcher, server } = await start()

    const bodies = await Promise.all(
      times(20, async (index) =>
        (await request(`${api.url}/x`, { dispatcher, method: 'POST', body: `n${index}` })).body.text(),
      ),
    )

    expect(bodies).toEqual(Array.from({ length: 20 }, (_, index) => `n${index}`))
    expect(server.refreshes).toBe(1)
  })

  test('a connection is used again after a short refusal, and closed after a long one', async () => {
    const short = await start()
    await (await request(short.api.url, { dispatcher: short.dispatcher })).body.text()
    expect([short.api.log.length, short.api.connections()]).toEqual([2, 1])

    const long = await start({}, { status: 401, body: Buffer.alloc(200_000) })
    expect(await (await request(long.api.url, { dispatcher: long.dispatcher })).body.text()).toBe('yes')
    expect(long.api.log.length).toBe(2)
    expect(long.api.connections()).toBeGreaterThan(1)
  })

  test('a refusal whose body does not end blocks no connection', async () => {
    const { auth, server } = await start()
    const api = await startOrigin(({ headers }, reply) => {
      if (!headers.authorization?.startsWith('Bearer at-1-1-')) return { body: 'yes' }
      reply.writeHead(401, { 'content-length': '20' }).write('no')
      return undefined
    })
    const client = new Client(api.url)
    onTestFinished(() => client.destroy())
    const dispatcher = client.compose(authInterceptor(auth, { origins: [api.url] }))
    const ask = async () => (await request(api.url, { dispatcher })).body.text()

    expect(await Promise.all([ask(), ask()])).toEqual(['yes', 'yes'])
    expect(server.refreshes).toBe(1)
  })

  test('isChallenge is asked about each head, also asynchronously, and the body arrives behind it', async () => {
    const heads: number[] = []
    const { api, dispatcher, server } = await start(
      {
        isChallenge: async ({ statusCode, headers }) => {
          await new Promise(setImmediate)
          heads.push(statusCode)
          return headers['x-expired'] === 'true'
        },
      },
      { status: 200, headers: { 'x-expired': 'true' }, body: 'old' },
    )

    const { statusCode, body } = await request(api.url, {
      dispatcher,
      method: 'PUT',
      body: 'a'.repeat(300_000),
    })

    expect([statusCode, (await body.text()).length, heads, server.refreshes]).toEqual([
      200,
      300_000,
      [200, 200],
      1,
    ])
  })

  test('an ended session reaches the caller as itself, also through the interceptors retry and redirect', async () => {
    const { auth, api, interceptor, server } = await start()
    server.killRefreshTokens()
    await request(api.url, { dispatcher: composed(interceptor) }).catch(() => {})
    const sent = api.log.length
    const dispatcher = composed(
      interceptor,
      interceptors.redirect({ maxRedirections: 3 }),
      interceptors.retry(),
    )

    const error = await request(api.url, { dispatcher }).catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(SessionExpiredError)
    expect([auth.state, api.log.length]).toEqual(['expired', sent])
  })

  test('a session that ends during the wait fails the requests that wait', async () => {
    const { api, dispatcher, server } = await start()
    server.killRefreshTokens()
    const errors = await Promise.all(
      times(3, () => request(api.url, { dispatcher }).catch((error: unknown) => error)),
    )
    expect(errors.map((error) => error instanceof SessionExpiredError)).toEqual([true, true, true])
  })
})

describe('undici: bodies', () => {
  const text = () => Readable.from(['a', 'b', 'c'], { objectMode: false })

  test('a stream is not replayed: the refusal reaches the caller, and the next request has a new token', async () => {
    const { api, dispatcher } = await start()
    const refused = await request(api.url, { dispatcher, method: 'POST', body: text() })
    expect([refused.statusCode, await refused.body.text(), api.log.length]).toEqual([401, 'no', 1])

    expect((await request(api.url, { dispatcher })).statusCode).toBe(200)
  })

  test.each([
    ['a Node stream', text],
    ['a stream of the web', () => Readable.toWeb(text())],
    [
      'an async generator',
      async function* () {
        yield 'ab'
        yield 'c'
      },
    ],
  ])('%s is replayed byte for byte with bufferStreams', async (_, make) => {
    const { api, dispatcher } = await start({ bufferStreams: true })
    const { body } = await request(api.url, { dispatcher, method: 'POST', body: make() as never })
    expect(await body.text()).toBe('abc')
    expect(api.log.map((seen) => String(seen.body))).toEqual(['abc', 'abc'])
  })

  test('a generator is not replayed', async () => {
    const { api, dispatcher } = await start()
    const body = (function* () {
      yield Buffer.from('a')
    })()
    expect((await request(api.url, { dispatcher, method: 'POST', body: body as never })).statusCode).toBe(401)
  })

  test('a form of undici is replayed with the same boundary', async () => {
    const { api, dispatcher } = await start()
    const form = new UndiciForm()
    form.append('a', 'ä')
    const { statusCode } = await request(api.url, { dispatcher, method: 'POST', body: form })
    expect(statusCode).toBe(200)
    const [first, second] = api.log
    expect(second!.body).toEqual(first!.body)
    expect(second!.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
  })

  test('a stream that fails while its request waits fails the request', async () => {
    const { api, dispatcher, server } = await start()
    const refresh = server.holdNext()
    const first = request(api.url, { dispatcher })
    await refresh.arrived
    const broken = new Error('The source broke')
    const body = new Readable({ read() {} })
    const call = request(api.url, { dispatcher, method: 'POST', body })
    body.destroy(broken)

    await expect(call).rejects.toBe(broken)
    refresh.answer()
    expect((await first).statusCode).toBe(200)
    expect(api.log.length).toBe(2)
  })

  test('undici’s own fetch is held and sends its token', async () => {
    const { api, dispatcher } = await start()
    const answer = await undiciFetch(api.url, { dispatcher })
    expect([answer.status, await answer.text()]).toEqual([200, 'yes'])
  })
})

describe('undici: the answer', () => {
  test('of undici’s own fetch shows when its first byte arrived', async () => {
    const { dispatcher, api } = await start()
    const entries: PerformanceResourceTiming[] = []
    const observed = new Promise<void>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        entries.push(...(list.getEntriesByName(`${api.url}/x`) as PerformanceResourceTiming[]))
        if (entries.length > 0) resolve()
      })
      onTestFinished(() => observer.disconnect())
      observer.observe({ entryTypes: ['resource'] })
    })

    await (await undiciFetch(`${api.url}/x`, { dispatcher })).text()

    await observed
    expect(entries[0]!.responseStart).toBeGreaterThanOrEqual(entries[0]!.requestStart)
  })

  /** Sends 16 MB, and counts what the connection took. */
  async function bigServer() {
    const server = createServer((incoming, outgoing) => {
      if (incoming.headers.authorization?.startsWith('Bearer at-1-1-')) {
        outgoing.writeHead(401)
        outgoing.end()
        return
      }
      outgoing.writeHead(200, { trailer: 'x-sum' })
      let sent = 0
      const write = () => {
        while (sent < 16 << 20) {
          sent += 65_536
          counts.sent = sent
          if (!outgoing.write(Buffer.alloc(65_536, 1))) {
            outgoing.once('drain', write)
            return
          }
        }
        outgoing.addTrailers({ 'x-sum': '16' })
        outgoing.end()
      }
      write()
    })
    const counts = { sent: 0 }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counts }
  }

  test.each([
    ['that is sent once', false],
    ['that is replayed', true],
  ])('of a request %s waits for a slow reader, and keeps its trailers', async (_, isReplayed) => {
    const harness = await setUp()
    const auth = await harness.signedIn()
    if (!isReplayed) await auth.refresh()
    const { url, counts } = await bigServer()
    const dispatcher = composed(authInterceptor(auth, { origins: [url] }))

    const { body, trailers } = await request(url, { dispatcher })
    let before = -1
    // The server stops when the buffers between it and the reader are full.
    while (before !== counts.sent) {
      before = counts.sent
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(counts.sent).toBeLessThan(16 << 20)
    let read = 0
    for await (const chunk of body) read += (chunk as Buffer).length

    expect([read, trailers]).toEqual([16 << 20, { 'x-sum': '16' }])
  })

  test('of a mock, which cannot be paused, is whole', async () => {
    const harness = await setUp()
    const auth = await harness.signedIn()
    const mock = new MockAgent()
    onTestFinished(() => mock.close())
    mock.disableNetConnect()
    const api = mock.get('https://api.example.com')
    api.intercept({ path: '/me' }).reply(401, 'no')
    api.intercept({ path: '/me' }).reply(200, 'yes')
    const dispatcher = mock.compose(
      authInterceptor(auth, {
        origins: ['https://api.example.com'],
        isChallenge: ({ statusCode }) => statusCode === 401,
      }),
    )

    const { statusCode, body } = await request('https://api.example.com/me', { dispatcher })

    expect([statusCode, await body.text(), harness.server.refreshes]).toEqual([200, 'yes', 1])
  })
})

describe('undici: aborts', () => {
  test('the controller ends a request that waits', async () => {
    const { api, dispatcher, server } = await start()
    const refresh = server.holdNext()
    const first = request(api.url, { dispatcher })
    await refresh.arrived
    const reason = new Error('Enough')
    const error = await new Promise((resolve) => {
      dispatcher.dispatch(
        { origin: api.url, path: '/', method: 'GET' },
        {
          onRequestStart: (controller) => setImmediate(() => controller.abort(reason)),
          onResponseError: (_, thrown) => resolve(thrown),
        },
      )
    })

    expect(error).toBe(reason)
    refresh.answer()
    expect((await first).statusCode).toBe(200)
    expect(api.log.length).toBe(2)
    // Sooner than the refresh times out.
  }, 5_000)

  test('a signal that has aborted before sends nothing', async () => {
    const { api, dispatcher } = await start()
    const signal = AbortSignal.abort(new Error('Before'))
    await expect(request(api.url, { dispatcher, signal })).rejects.toThrow()
    expect(api.log).toEqual([])
  })
})

describe('undici: what gets the token', () => {
  test('a Client and a Pool send it to their own origin, if there is one origin only', async () => {
    const { api, interceptor } = await start()
    for (const base of [new Client(api.url), new Pool(api.url)]) {
      onTestFinished(() => base.destroy())
      const { statusCode, body } = await base.compose(interceptor).request({ path: '/', method: 'GET' })
      expect([statusCode, await body.text()]).toEqual([200, 'yes'])
    }
  })

  test('a Client without an origin gets none if several origins are named', async () => {
    const { api, auth } = await start()
    const client = new Client(api.url)
    onTestFinished(() => client.destroy())
    const interceptor = authInterceptor(auth, { origins: [api.url, 'https://other.example.com'] })
    await (await client.compose(interceptor).request({ path: '/', method: 'GET' })).body.dump()
    expect(generations(api.log)).toEqual([undefined])
  })

  test.each([
    ['an object', { 'X-A': '1' }],
    ['names and values by turns', ['X-A', '1']],
    ['pairs', new Map([['X-A', '1']])],
    ['Headers', new Headers({ 'X-A': '1' })],
    ['nothing', null],
  ])('headers given as %s are kept', async (_, headers) => {
    const { api, dispatcher } = await start()
    await (await request(api.url, { dispatcher, headers: headers as never })).body.dump()
    expect(generations(api.log)).toEqual(['at-1-1', 'at-1-2'])
    expect(api.log.map((seen) => seen.headers['x-a'])).toEqual(
      Array(2).fill(headers === null ? undefined : '1'),
    )
  })

  test.each([
    ['an object', { AUTHORIZATION: 'Basic eA==' }],
    ['names and values by turns', ['x', 'authorization', 'Authorization', 'Basic eA==']],
    ['pairs', new Map([['authorization', 'Basic eA==']])],
  ])('a caller’s own authorization in %s is not changed', async (_, headers) => {
    const { api, dispatcher } = await start()
    await (await request(api.url, { dispatcher, headers: headers as never })).body.dump()
    expect(api.log.map((seen) => seen.headers.authorization)).toEqual(['Basic eA=='])
  })

  test('an origin given as a URL, with a slash at its end, and a query', async () => {
    const { api, dispatcher } = await start()
    for (const origin of [new URL(api.url), `${api.url}/`]) {
      const { body } = await dispatcher.request({ origin, path: '/a', query: { b: 1 }, method: 'GET' })
      await body.dump()
    }
    expect(api.log.map(({ url }) => url)).toEqual(['/a?b=1', '/a?b=1', '/a?b=1'])
    expect(generations(api.log)).toEqual(['at-1-1', 'at-1-2', 'at-1-2'])
  })

  test('a path for a proxy, an excluded URL and another origin get none', async () => {
    const { api, auth } = await start()
    const foreign = await startOrigin(() => ({ body: '' }))
    const dispatcher = composed(
      authInterceptor(auth, { origins: [api.url], exclude: (url) => url.endsWith('/public') }),
    )
    await (
      await dispatcher.request({ origin: api.url, path: 'http://other.example.com/', method: 'GET' })
    ).body.dump()
    await (await request(`${api.url}/public`, { dispatcher })).body.dump()
    await (await request(foreign.url, { dispatcher })).body.dump()
    expect(generations([...api.log, ...foreign.log])).toEqual([undefined, undefined, undefined])
  })

  test('upgrades and CONNECT are not changed', async () => {
    const { auth } = await start()
    const seen: (string | undefined)[] = []
    const server = createServer()
    for (const event of ['upgrade', 'connect'])
      server.on(event, ({ method, headers }, socket) => {
        seen.push(method, headers.authorization)
        socket.end(
          event === 'upgrade'
            ? 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'
            : 'HTTP/1.1 200 OK\r\n\r\n',
        )
      })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = new Client(origin)
    onTestFinished(() => client.destroy())
    const own = client.compose(authInterceptor(auth, { origins: [origin] }))

    ;(await own.upgrade({ path: '/', protocol: 'x' })).socket.destroy()
    ;(await own.connect({ path: 'host:1', origin } as never)).socket.destroy()

    expect(seen).toEqual(['GET', undefined, 'CONNECT', undefined])
  })
})

describe('undici: mistakes', () => {
  test('a dispatcher of another generation of undici is refused', async () => {
    const { interceptor } = await start()
    const dispatch = interceptor(() => true)
    expect(() => dispatch({ path: '/', method: 'GET' }, { onConnect() {} })).toThrow(/new Agent\(\)/)
  })

  test('a session in a worker does not give its token away', async () => {
    const { auth } = await start()
    const confined = Object.assign(Object.create(auth), { [WORKER_FETCH]: fetch })
    expect(() => authInterceptor(confined, { origins: ['https://a.example.com'] })).toThrow(
      TokenConfinedError,
    )
  })

  test('origins are required', async () => {
    const { auth } = await start()
    expect(() => authInterceptor(auth, { origins: [] })).toThrow(/authInterceptor has no origin/)
  })
})
