import { createServer, type RequestListener, request, type Server } from 'node:http'
import { connect, createServer as createHttp2Server, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import {
  appendResponseHeader,
  appendResponseHeaders,
  createApp,
  defineEventHandler,
  readRawBody,
  toNodeListener,
} from 'h3'
import { type Context, Hono } from 'hono'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { expressBff } from '../../src/adapters/express.ts'
import { fastifyBff } from '../../src/adapters/fastify.ts'
import { honoBff } from '../../src/adapters/hono.ts'
import { nextBff } from '../../src/adapters/next.ts'
import { nuxtBff, requestOf } from '../../src/adapters/nuxt.ts'
import { reactRouterBff } from '../../src/adapters/react-router.ts'
import { svelteKitBff } from '../../src/adapters/sveltekit.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { createBff } from '../../src/server/bff/bff.ts'
import type { Bff, BffOptions } from '../../src/server/bff/types.ts'
import { keyRing } from '../../src/server/key-ring.ts'
import { createAuthPool } from '../../src/server/pool.ts'
import type { AuthPoolOptions } from '../../src/server/pool-types.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'

const LINES = 2_000

interface User {
  readonly username: string
}

/** A token server over HTTP, and the backends of two processes that share a fleet. */
async function createBackends(apis: BffOptions<User, unknown>['apis'] = {}) {
  const server = createTokenServer({
    accessTokenLifetime: 3_600_000,
    jwt: true,
    routes: {
      '/api/stream': {
        handler: () => {
          let line = 0
          const body = new ReadableStream({
            pull(controller) {
              if (line++ === LINES) controller.close()
              else controller.enqueue(new TextEncoder().encode(`${line} ${'x'.repeat(500)}\n`))
            },
          })
          return new Response(body, { headers: { 'content-type': 'text/plain', 'x-own': 'yes' } })
        },
      },
    },
  })
  const listening = await server.listen()
  onTestFinished(() => listening.close())
  const post = async (path: string, fields: Record<string, string>, signal: unknown) => {
    const body = new URLSearchParams(fields)
    const answer = await fetch(listening.url + path, { method: 'POST', body, signal: signal as AbortSignal })
    if (!answer.ok) throw answer
    return path === '/revoke' ? answer : answer.json()
  }
  const fleet = memoryFleet()
  const options: AuthPoolOptions<User> = {
    fleet,
    keys: keyRing({ k1: new Uint8Array(32).fill(1) }),
    signIn: ({ username }, { signal }) => post('/session', { username, password: 'correct' }, signal),
    refresh: ({ refreshToken = '', signal }) =>
      post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    revoke: ({ refreshToken, accessToken }, { signal }) =>
      post('/revoke', { token: refreshToken ?? accessToken }, signal),
  }
  const make = () => {
    const pool = createAuthPool<User>(options)
    onTestFinished(() => pool.dispose())
    return createBff({
      pool,
      credentials: (request) => request.json() as Promise<User>,
      cookie: { secure: false },
      apis: { '/api': { to: `${listening.url}/api` }, ...apis },
    })
  }
  return { server, make }
}

/** A busy machine needs longer than the default between two requests of a connection, in milliseconds. */
const KEEP_ALIVE = 60_000

const listen = async (server: Server | Http2Server): Promise<string> => {
  Object.assign(server, { keepAliveTimeout: KEEP_ALIVE })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function listenHono(app: Hono): Promise<string> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  server.keepAliveTimeout = KEEP_ALIVE
  await new Promise<void>((resolve) => (server.listening ? resolve() : server.once('listening', resolve)))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const OWN = 'a page of the app'

/** What a route of the app answers to a body. */
const received = (body: unknown) => `${OWN}: ${String(body).length}`

/** What `/own` answers in a framework that gives a Request. */
const ownAnswer = async (request: Request) =>
  new Response(request.method === 'GET' ? OWN : received(await request.text()))

/** Each framework, with the backend and a route of its own at `/own` for GET and POST. Returns its address. */
const FRAMEWORKS: Readonly<Record<string, (bff: Bff) => Promise<string>>> = {
  'node:http': (bff) => listen(createServer(expressBff(bff))),

  express(bff) {
    const app = express()
    app.use(expressBff(bff))
    app.use(express.text({ limit: '5mb' }))
    app.get('/own', (_, response) => void response.send(OWN))
    app.post('/own', (request, response) => void response.send(received(request.body)))
    return listen(createServer(app))
  },

  async fastify(bff) {
    const app = fastify({ keepAliveTimeout: KEEP_ALIVE, bodyLimit: 5_000_000, forceCloseConnections: true })
    fastifyBff(app, bff)
    app.get('/own', async () => OWN)
    app.post('/own', async (request) => received(request.body))
    onTestFinished(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },

  hono(bff) {
    const app = new Hono()
    app.use(honoBff(bff))
    app.all('/own', (context) => ownAnswer(context.req.raw))
    return listenHono(app)
  },

  h3(bff) {
    const app = createApp()
    app.use(defineEventHandler(nuxtBff(bff)))
    app.use(
      '/own',
      defineEventHandler(async (event) =>
        event.method === 'GET' ? OWN : received(await readRawBody(event)),
      ),
    )
    return listen(createServer(toNodeListener(app)))
  },

  // The functions that these frameworks call with a Request of the platform, behind Node's own server.
  ...Object.fromEntries(
    Object.entries({
      next: (bff: Bff) => {
        const { GET, POST, DELETE } = nextBff(bff)
        const methods: Readonly<Record<string, typeof GET>> = { GET, POST, DELETE }
        return (request: Request) =>
          new URL(request.url).pathname === '/own'
            ? ownAnswer(request)
            : (methods[request.method] ?? GET)(request)
      },
      sveltekit: (bff: Bff) => {
        const handle = svelteKitBff(bff)
        return (request: Request) => handle({ event: { request }, resolve: () => ownAnswer(request) })
      },
      'react-router': (bff: Bff) => {
        const middleware = reactRouterBff(bff)
        return (request: Request) => middleware({ request }, () => ownAnswer(request))
      },
    }).map(([name, make]) => [
      name,
      (bff: Bff) => {
        const answer = make(bff)
        const bridge = { handle: async (request: Request) => answer(request), origin: undefined }
        return listen(createServer(expressBff(bridge)))
      },
    ]),
  ),
}

const HEADERS = { 'x-csrf': '1', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }

/** A browser at an address: keeps the cookie. */
function browserAt(url: string, cookie = '') {
  let kept = cookie
  return {
    get cookie() {
      return kept
    },
    async send(path: string, init: RequestInit = {}) {
      const headers = { ...HEADERS, ...(kept && { cookie: kept }), ...(init.headers as object) }
      const answer = await fetch(url + path, { redirect: 'manual', ...init, headers })
      for (const line of answer.headers.getSetCookie()) kept = line.split(';')[0] ?? ''
      return answer
    },
  }
}

describe.each(Object.keys(FRAMEWORKS))('the backend in %s', (name) => {
  const start = (bff: Bff) => FRAMEWORKS[name]?.(bff) as Promise<string>

  it('a user signs in, calls an API, and signs out, over HTTP', async () => {
    const { server, make } = await createBackends()
    const browser = browserAt(await start(make()))
    expect(await (await browser.send('/auth/session')).json()).toEqual({ signedIn: false })
    const signedIn = await browser.send('/auth/sign-in', {
      method: 'POST',
      body: JSON.stringify({ username: 'ada' }),
    })
    expect(signedIn.status).toBe(200)
    expect(signedIn.headers.getSetCookie()).toHaveLength(1)
    expect(browser.cookie).toMatch(/^session=[\w-]{43}$/)

    const posted = await browser.send('/api/notes?x=1', { method: 'POST', body: 'späte Notiz' })
    expect(await posted.json()).toMatchObject({
      method: 'POST',
      path: '/api/notes',
      subject: 'ada',
      body: Buffer.from('späte Notiz').toString('base64'),
    })
    expect((await browser.send('/api/empty')).status).toBe(204)
    server.expireAccessTokens()
    expect((await browser.send('/api/notes', { method: 'POST' })).status).toBe(200)
    server.expireAccessTokens()
    expect((await browser.send('/api/notes', { method: 'DELETE' })).status).toBe(200)
    expect((await browser.send('/auth/sign-out', { method: 'POST' })).status).toBe(204)
    expect((await browser.send('/api/me')).status).toBe(401)
    await vi.waitFor(() => expect(server.revocations).toBe(1))
  })

  it('an answer and a request stream through, byte for byte', async () => {
    const { make } = await createBackends()
    const browser = browserAt(await start(make()))
    await browser.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username: 'ada' }) })
    const answer = await browser.send('/api/stream')
    expect(answer.headers.get('x-own')).toBe('yes')
    const text = await answer.text()
    expect(text.split('\n')).toHaveLength(LINES + 1)
    expect(text).toHaveLength(
      Array.from({ length: LINES }, (_, n) => `${n + 1} `.length + 501).reduce((a, b) => a + b),
    )
    const sent = Buffer.from(Array.from({ length: 1_500_000 }, (_, n) => n % 251))
    const echoed = (await (await browser.send('/api/upload', { method: 'POST', body: sent })).json()) as {
      body: string
    }
    expect(Buffer.from(echoed.body, 'base64').equals(sent)).toBe(true)
  })

  it('an answer that ends before it is complete does so on both sides', async () => {
    let abandoned = () => {}
    const isAbandoned = new Promise<void>((resolve) => {
      abandoned = resolve
    })
    const api = createServer((request, response) => {
      response.on('close', () => abandoned()).write('first')
      if (request.url === '/broken') setImmediate(() => response.destroy())
    })
    const { make } = await createBackends({ '/events': { to: await listen(api) } })
    const browser = browserAt(await start(make()))
    await browser.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username: 'ada' }) })
    const patience = AbortSignal.timeout(4_000)
    const broken = browser.send('/events/broken', { signal: patience }).then((answer) => answer.text())
    await expect(broken).rejects.toThrow()
    expect(patience.aborted).toBe(false)

    await isAbandoned
    const leaving = new AbortController()
    const left = new Promise<void>((resolve) => {
      abandoned = resolve
    })
    const answer = await browser.send('/events/endless', { signal: leaving.signal })
    expect((await answer.body?.getReader().read())?.value).toEqual(new TextEncoder().encode('first'))
    leaving.abort()
    await left
  })

  it('parallel requests on an expired token, on two servers, cause one refresh and change no cookie', async () => {
    const { server, make } = await createBackends()
    const [one, other] = [await start(make()), await start(make())]
    const browser = browserAt(one)
    await browser.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username: 'ada' }) })
    const { cookie } = browser
    const second = browserAt(other, cookie)
    expect((await second.send('/api/me')).status).toBe(200)
    server.expireAccessTokens()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? browser : second).send('/api/me')),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(answers.flatMap(({ headers }) => headers.getSetCookie())).toEqual([])
    expect(server.refreshes).toBe(1)
    expect(server.reuseDetections).toBe(0)
  })

  it('a page of the app is left to the app, and a request of a foreign page is refused', async () => {
    const { make } = await createBackends()
    const browser = browserAt(await start(make()))
    const own = await browser.send('/own')
    if (name === 'node:http') expect(own.status).toBe(404)
    else expect(await own.text()).toBe(OWN)
    const forged = { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' }
    expect((await browser.send('/api/me', { method: 'POST', headers: forged })).status).toBe(403)
  })
})

/** Those that leave a request to the rest of the app. */
const WITH_ROUTES = Object.keys(FRAMEWORKS).filter((name) => name !== 'node:http')

describe.each(WITH_ROUTES)('the app behind the backend in %s', (name) => {
  it.each([1, 60_000, 900_000])(
    'gets the body of a request to its own route, of %i characters',
    async (length) => {
      const { make } = await createBackends()
      const browser = browserAt((await FRAMEWORKS[name]?.(make())) ?? '')
      const headers = { 'content-type': 'text/plain' }
      const signal = AbortSignal.timeout(4_000)
      const answer = await browser.send('/own', { method: 'POST', body: 'x'.repeat(length), headers, signal })
      expect([answer.status, await answer.text()]).toEqual([200, `${OWN}: ${length}`])
    },
  )
})

/** Sends a request as it is. */
const sendRaw = (url: string, method: string, headers: Record<string, string>) =>
  new Promise<[status: number | undefined, text: string]>((resolve, reject) => {
    const sent = request(url, { method, headers }, async (answer) => {
      let text = ''
      for await (const chunk of answer) text += chunk
      resolve([answer.statusCode, text])
    })
    sent.on('error', reject).end()
  })

describe.each(['express', 'fastify', 'h3'])('the app behind the backend in %s', (name) => {
  it('answers requests that the Fetch Standard does not have', async () => {
    const { make } = await createBackends()
    const url = `${await FRAMEWORKS[name]?.(make())}/own`
    expect(await sendRaw(url, 'GET', { host: 'a b' })).toEqual([200, OWN])
    const [status] = await sendRaw(url, 'TRACE', {})
    expect(status).toBeLessThan(500)
  })
})

describe('the adapters', () => {
  it('a browser that goes away ends the request to the API, and the app gets no error', async () => {
    const { server, make } = await createBackends()
    const errors: unknown[] = []
    const handle = expressBff(make())
    const handled: Promise<void>[] = []
    const app = createServer((request, response) => {
      handled.push(handle(request, response, (error) => errors.push(error)))
    })
    const browser = browserAt(await listen(app))
    await browser.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username: 'ada' }) })
    const held = server.holdApiNext()
    const controller = new AbortController()
    const sent = browser.send('/api/slow', { signal: controller.signal }).catch((error) => error.name)
    const request = await held.arrived
    controller.abort()
    expect(await sent).toBe('AbortError')
    void request
    await Promise.all(handled)
    expect(errors).toEqual([])
  })

  it('a parser that comes first gets an error that says so', async () => {
    const { make } = await createBackends()
    const app = express()
    app.use(express.json())
    app.use(expressBff(make()))
    const problems: unknown[] = []
    app.use(((error: unknown, _: unknown, response: express.Response, __: unknown) => {
      problems.push(error)
      response.sendStatus(500)
    }) as express.ErrorRequestHandler)
    const browser = browserAt(await listen(createServer(app)))
    const headers = { 'content-type': 'application/json' }
    await browser.send('/auth/sign-in', { method: 'POST', body: '{"username":"ada"}', headers })
    expect(String(problems[0])).toMatch(/Mount the backend before parsers/)
  })

  it('the middleware of Nuxt ends at an answer of the backend', async () => {
    const { make } = await createBackends()
    const bff = make()
    const handle = nuxtBff(bff)
    const errors: unknown[] = []
    const reached: string[] = []
    const app = createApp({ onError: (error) => void errors.push(error) })
    app.use(
      defineEventHandler(async (event) => {
        const answer = await handle(event)
        if (answer) return answer
        reached.push(event.path)
        await bff.session(requestOf(event))
        return undefined
      }),
    )
    app.use(
      '/own',
      defineEventHandler(() => OWN),
    )
    const browser = browserAt(await listen(createServer(toNodeListener(app))))
    await browser.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username: 'ada' }) })
    expect((await browser.send('/api/notes', { method: 'POST', body: 'a note' })).status).toBe(200)
    expect((await browser.send('/api/me')).status).toBe(200)
    expect((await browser.send('/api/empty')).status).toBe(204)
    expect(await (await browser.send('/own')).text()).toBe(OWN)
    expect(reached).toEqual(['/own'])
    expect(errors).toEqual([])
  })

  it('h3 gets no error when a browser or an API breaks off', async () => {
    const api = createServer((request, response) => {
      response.write('first')
      if (request.url === '/broken') setImmediate(() => response.destroy())
    })
    const { make } = await createBackends({ '/events': { to: await listen(api) } })
    const errors: unknown[] = []
    const app = createApp({ onError: (error) => void errors.push(error) })
    app.use(defineEventHandler(nuxtBff(make())))
    const answerOne = toNodeListener(app)
    const answered: unknown[] = []
    const server = createServer((request, response) => {
      answered.push(answerOne(request, response))
    })
    const browser = browserAt(await listen(server))
    await browser.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username: 'ada' }) })
    await expect(browser.send('/events/broken').then((answer) => answer.text())).rejects.toThrow()
    const leaving = new AbortController()
    await (await browser.send('/events/endless', { signal: leaving.signal })).body?.getReader().read()
    leaving.abort()
    await Promise.all(answered)
    expect(errors).toEqual([])
  })

  it.each(['express', 'h3'])('%s ends a request whose browser has gone away before', async (name) => {
    const api = createServer((_, response) => void response.write('first'))
    const { make } = await createBackends({ '/events': { to: await listen(api) } })
    const bff = make()
    const errors: unknown[] = []
    const app = createApp({ onError: (error) => void errors.push(error) })
    app.use(defineEventHandler(nuxtBff(bff)))
    const ofH3 = toNodeListener(app)
    const ofExpress = expressBff(bff)
    const handle: RequestListener = (request, response) =>
      name === 'h3' ? ofH3(request, response) : ofExpress(request, response, (error) => errors.push(error))
    const leaving = new AbortController()
    let done: () => void
    const isDone = new Promise<void>((resolve) => {
      done = resolve
    })
    const server = createServer(async (request, response) => {
      if (request.url === '/events/endless') {
        const closed = new Promise((resolve) => response.on('close', resolve))
        leaving.abort()
        await closed
      }
      await handle(request, response)
      if (request.url === '/events/endless') done()
    })
    const browser = browserAt(await listen(server))
    await browser.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username: 'ada' }) })
    const sent = browser.send('/events/endless', { signal: leaving.signal })
    await expect(sent).rejects.toThrow('aborted')
    await isDone
    // The API has no request that is still open.
    expect(await new Promise((resolve) => api.getConnections((_, count) => resolve(count)))).toBe(0)
    expect(errors).toEqual([])
  })

  it('h3 reads an answer as fast as the browser takes it', async () => {
    const CHUNK = 65_536
    let most = 0
    const server = createServer((request, response) => {
      let left = 200
      const body = new ReadableStream({
        pull(controller) {
          most = Math.max(most, response.writableLength)
          if (left-- === 0) controller.close()
          else controller.enqueue(new Uint8Array(CHUNK))
        },
      })
      const app = createApp()
      app.use(defineEventHandler(nuxtBff({ handle: async () => new Response(body), origin: undefined })))
      void toNodeListener(app)(request, response)
    })
    const answer = await fetch(await listen(server))
    expect((await answer.arrayBuffer()).byteLength).toBe(200 * CHUNK)
    expect(most).toBeLessThan(4 * CHUNK)
  })

  const cookies = ['mw=1; Path=/', 'session=old; Path=/']
  const honoWith = (bff: Bff, prepare: (context: Context) => void) => {
    const app = new Hono()
    app.use(async (context, next) => {
      prepare(context)
      for (const [name, value] of Object.entries({
        'x-before': '1',
        vary: 'X-Theme',
        'cache-control': 'public',
      }))
        context.header(name, value)
      for (const cookie of cookies) context.header('set-cookie', cookie, { append: true })
      await next()
    })
    app.use(honoBff(bff))
    return listenHono(app)
  }
  const SETS_HEADERS: Readonly<Record<string, (bff: Bff) => Promise<string>>> = {
    express(bff) {
      const app = express()
      app.use((_, response, next) => {
        response.set({ 'x-before': '1', vary: 'X-Theme', 'cache-control': 'public' })
        for (const cookie of cookies) response.append('set-cookie', cookie)
        next()
      })
      app.use(expressBff(bff))
      return listen(createServer(app))
    },
    fastify(bff) {
      const app = fastify({ forceCloseConnections: true })
      app.addHook('onRequest', async (_, reply) => {
        reply.headers({ 'x-before': '1', vary: 'X-Theme', 'cache-control': 'public' })
        for (const cookie of cookies) reply.header('set-cookie', cookie)
      })
      fastifyBff(app, bff)
      onTestFinished(() => app.close())
      return app.listen({ port: 0, host: '127.0.0.1' })
    },
    hono: (bff) => honoWith(bff, () => {}),
    // As `cors()` does.
    'hono with an answer': (bff) => honoWith(bff, ({ res }) => void res.headers),
    h3(bff) {
      const app = createApp()
      app.use(
        defineEventHandler((event) => {
          appendResponseHeaders(event, { 'x-before': '1', vary: 'X-Theme', 'cache-control': 'public' })
          appendResponseHeader(event, 'set-cookie', [...cookies])
        }),
      )
      app.use(defineEventHandler(nuxtBff(bff)))
      return listen(createServer(toNodeListener(app)))
    },
  }

  it.each(Object.keys(SETS_HEADERS))(
    'headers that %s set before are kept, and the last cookie of a name wins',
    async (name) => {
      const { make } = await createBackends()
      const browser = browserAt((await SETS_HEADERS[name]?.(make())) ?? '')
      const body = JSON.stringify({ username: 'ada' })
      const answer = await browser.send('/auth/sign-in', { method: 'POST', body })
      const session = expect.stringMatching(/^session=[\w-]{43};/)
      expect(answer.headers.getSetCookie()).toEqual([...cookies, session])
      expect(answer.headers.get('x-before')).toBe('1')
      expect(answer.headers.get('cache-control')).toBe('no-store')
      const forwarded = await browser.send('/api/me')
      expect(forwarded.status).toBe(200)
      const vary = forwarded.headers.get('vary')?.split(', ')
      expect(new Set(vary)).toEqual(new Set(['X-Theme', 'Origin', 'Cookie']))
    },
  )

  it('a page of h3 answers an impossible host with 400', async () => {
    const { make } = await createBackends()
    const bff = make()
    const app = createApp()
    app.use(defineEventHandler(nuxtBff(bff)))
    const page = async (event: Parameters<typeof requestOf>[0]) =>
      (await bff.session(requestOf(event))) ? 'signed in' : OWN
    app.use('/own', defineEventHandler(page))
    const url = `${await listen(createServer(toNodeListener(app)))}/own`
    expect(await sendRaw(url, 'GET', {})).toEqual([200, OWN])
    expect((await sendRaw(url, 'GET', { host: 'a b' }))[0]).toBe(400)
  })

  it('a browser whose word for the origin is missing signs in over HTTP/2 as well', async () => {
    const { make } = await createBackends()
    const server = createHttp2Server(expressBff(make()) as never)
    const url = await listen(server)
    const session = connect(url)
    onTestFinished(() => session.close())
    const post = (origin: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = session.request({ ':method': 'POST', ':path': '/auth/sign-in', origin, 'x-csrf': '1' })
        sent.on('response', (headers) => resolve(headers[':status'])).on('error', reject)
        sent.resume().end(JSON.stringify({ username: 'ada' }))
      })
    expect(await post(url)).toBe(200)
    expect(await post('http://localhost')).toBe(403)
  })

  it('an event of h3 gives the request of either version', () => {
    const request = new Request('http://here.test/')
    expect(requestOf({ req: request })).toBe(request)
    expect(() => requestOf({})).toThrow(TypeError)
  })
})
