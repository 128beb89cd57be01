import { once } from 'node:events'
import { Agent, type ServerResponse } from 'node:http'
import axios from 'axios'
import { describe, expect, onTestFinished, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { setUp } from '../conformance/harness.ts'
import { deferred, startOrigin } from './support.ts'

/** An API that answers the session's first token by a 401 with a body that never ends. */
const startEndless = async () => {
  const refused = { early: deferred<ServerResponse>(), late: deferred<ServerResponse>() }
  const arrived = deferred()
  const late = deferred()
  const api = await startOrigin(async ({ headers, url }, reply) => {
    arrived.resolve()
    const isLate = url === '/a?late'
    if (isLate) await late.promise
    if (!headers.authorization?.startsWith('Bearer at-1-1-')) return { body: 'the answer' }
    reply.statusCode = 401
    const more = () => {
      while (!reply.destroyed && reply.write(Buffer.alloc(1 << 16)));
    }
    reply.on('drain', more)
    more()
    refused[isLate ? 'late' : 'early'].resolve(reply)
    return undefined
  })
  const bench = await setUp()
  return {
    ...bench,
    api,
    auth: await bench.signedIn(),
    refused,
    arrived: arrived.promise,
    late,
  }
}

const streaming = { responseType: 'stream' } as const

const clients = [
  {
    name: 'fetch',
    read: async (auth: never, url: string, path = '/a') =>
      (await createAuthFetch(auth, { origins: [url] })(url + path)).text(),
  },
  {
    name: 'ofetch',
    read: (auth: never, url: string, path = '/a') =>
      createAuthOfetch(auth, { defaults: { baseURL: url } })(path, { responseType: 'text' }),
  },
  ...(['http', 'fetch'] as const).map((adapter) => ({
    name: `axios (${adapter} adapter), streaming`,
    read: async (auth: never, url: string, path = '/a') => {
      const instance = axios.create({ baseURL: url, adapter, proxy: false })
      attachAuth(instance, auth)
      return new Response((await instance.get(path, streaming)).data).text()
    },
  })),
]

describe.each(clients)('$name: the 401 before a replay', ({ read }) => {
  test('the 401 before a replay is discarded, so that its connection is free', async () => {
    const { api, auth, refused } = await startEndless()

    expect(await read(auth as never, api.url)).toBe('the answer')

    const reply = await refused.early.promise
    if (!reply.closed) await once(reply, 'close')
    expect(reply.writableFinished).toBe(false)
  })

  test('a 401 that ends the session is discarded, too', async () => {
    const { api, auth, refused, server } = await startEndless()
    server.killRefreshTokens()

    await expect(read(auth as never, api.url)).rejects.toMatchObject({ code: 'session_expired' })

    const reply = await refused.early.promise
    if (!reply.closed) await once(reply, 'close')
  })
})

describe.each(clients)('$name: a 401 after the end of the session', ({ read }) => {
  test('a 401 after the end of the session is discarded, and the call rejects with the session’s error', async () => {
    const { api, auth, refused, arrived, late, server } = await startEndless()
    const call = read(auth as never, api.url, '/a?late').catch((error: unknown) => error)
    await arrived
    server.killRefreshTokens()
    await expect(read(auth as never, api.url)).rejects.toMatchObject({ code: 'session_expired' })

    late.resolve()

    expect(await call).toMatchObject({ code: 'session_expired' })
    const reply = await refused.late.promise
    if (!reply.closed) await once(reply, 'close')
  })
})

describe('axios (http adapter): an agent with one socket', () => {
  test('an agent with one socket has it free for the replay', async () => {
    const { api, auth } = await startEndless()
    const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => httpAgent.destroy())
    const instance = axios.create({ baseURL: api.url, adapter: 'http', proxy: false, httpAgent })
    attachAuth(instance, auth)

    const { status, data } = await instance.get('/a', streaming)

    expect([status, await new Response(data).text()]).toEqual([200, 'the answer'])
  })
})

describe('fetch: the answer', () => {
  test('the answer is the client’s own unread Response', async () => {
    const { server, url, signedIn } = await setUp()
    const given: Response[] = []
    const send = createAuthFetch(await signedIn(), {
      origins: [url],
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        given.push(response)
        return response
      },
    })
    server.expireAccessTokens()

    const response = await send(`${url}/api/a?q=1`)

    expect(given).toHaveLength(2)
    expect(response).toBe(given[1])
    expect(response).toBeInstanceOf(Response)
    expect([response.ok, response.bodyUsed, response.url, response.redirected]).toEqual([
      true,
      false,
      `${url}/api/a?q=1`,
      false,
    ])
    expect(await response.clone().json()).toMatchObject({ generation: 2 })
    expect(await response.json()).toMatchObject({ generation: 2 })
  })

  test('the answer of a final 401 is that of the second sending, with an unread body', async () => {
    const { url, signedIn, server } = await setUp()
    const send = createAuthFetch(await signedIn(), { origins: [url] })

    const response = await send(`${url}/api/always-401`)

    expect([response.status, await response.json()]).toEqual([401, { error: 'invalid_token' }])
    expect(response.headers.get('www-authenticate')).toContain('invalid_token')
    expect(server.log.filter(({ path }) => path === '/api/always-401')).toHaveLength(2)
  })

  test('the answer can be streamed', async () => {
    const { url, signedIn, server } = await setUp()
    const send = createAuthFetch(await signedIn(), { origins: [url] })
    server.expireAccessTokens()

    const { body } = await send(`${url}/api/a`)
    const chunks: Uint8Array[] = []
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk)

    expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({ generation: 2 })
  })

  test('the answer comes from the global fetch at the time of the request', async () => {
    const { url, signedIn } = await setUp()
    const send = createAuthFetch(await signedIn(), { origins: [url] })
    const original = globalThis.fetch
    let calls = 0
    globalThis.fetch = (input, init) => {
      calls++
      return original(input, init)
    }
    onTestFinished(() => {
      globalThis.fetch = original
    })

    expect((await send(`${url}/api/a`)).status).toBe(200)

    expect(calls).toBe(1)
  })

  test('a network failure rejects with the client’s own error and causes no refresh', async () => {
    const { signedIn, server } = await setUp()
    const gone = await startOrigin((_, reply) => {
      reply.destroy()
      return undefined
    })
    const send = createAuthFetch(await signedIn(), { origins: [gone.url] })

    await expect(send(`${gone.url}/a`)).rejects.toThrow(TypeError)

    expect([gone.log.length, server.tokenRequests]).toEqual([1, 0])
  })
})
