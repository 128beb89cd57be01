import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import axios, { type AxiosAdapter, AxiosError } from 'axios'
import { describe, expect, onTestFinished, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { setUp } from '../conformance/harness.ts'
import { startOrigin, TOKEN_MARKER, to } from './support.ts'

const attached = async (config: object = {}, options: object = {}) => {
  const bench = await setUp()
  const auth = await bench.signedIn()
  const instance = axios.create({ baseURL: bench.url, ...config })
  attachAuth(instance, auth, options)
  return { ...bench, auth, instance }
}

const expectNoToken = (value: unknown) => {
  for (const text of [
    JSON.stringify(value),
    inspect(value, { depth: 12 }),
    inspect({ ...Object(value) }, { depth: 12 }),
  ])
    expect(text).not.toMatch(TOKEN_MARKER)
}

describe('axios: plain http to this machine and proxies', () => {
  const startProxy = async (how: string) => {
    const proxy = await startOrigin(() => ({ body: '{}' }))
    const { hostname: host, port } = new URL(proxy.url)
    if (how === 'the option')
      return { proxy, config: { proxy: { protocol: 'http', host, port: Number(port) } } }
    const before = process.env
    process.env = { ...before, http_proxy: proxy.url, no_proxy: '', NO_PROXY: '' }
    onTestFinished(() => {
      process.env = before
    })
    return { proxy, config: {} }
  }

  test.each(['the option', 'the environment'])(
    'a request goes past the proxy of %s, with its token',
    async (how) => {
      const { proxy, config } = await startProxy(how)
      const { instance, server } = await attached({ ...config, adapter: 'http' })

      expect((await instance.get('/api/a')).status).toBe(200)

      expect(proxy.log).toEqual([])
      expect(to(server.log, '/api/a')[0]!.authorization).toMatch(TOKEN_MARKER)
    },
  )

  test('allowInsecure sends through the proxy as axios does', async () => {
    const { proxy, config } = await startProxy('the option')
    const { instance } = await attached({ ...config, adapter: 'http' }, { allowInsecure: true })

    await instance.get('/api/a')

    expect(proxy.log).toHaveLength(1)
  })
})

describe('axios: adapters of the app', () => {
  const kinds: readonly (readonly [string, (config: Parameters<AxiosAdapter>[0]) => unknown])[] = [
    ['its own config', (config) => ({ config })],
    ['a copy of its config', (config) => ({ config: { ...config } })],
    ['a copy of its headers', (config) => ({ config: { ...config, headers: { ...config.headers } } })],
    ['the request', (config) => ({ request: { headers: { ...config.headers } } })],
    ['an unknown field', ({ headers }) => ({ options: { sent: [{ ...headers }] } })],
    [
      'a cause',
      (config) => ({
        cause: Object.assign(new Error('inner'), {
          config,
          request: { raw: `x ${config.headers.Authorization}` },
        }),
      }),
    ],
    ['a list of errors', (config) => ({ errors: [Object.assign(new Error('inner'), { config })] })],
  ]

  test.each(kinds)('an error that leads to the token by %s does so no more', async (_, fields) => {
    const adapter: AxiosAdapter = async (config) => {
      expect(config.headers.Authorization).toMatch(TOKEN_MARKER)
      throw Object.assign(new Error('Request failed'), { isAxiosError: true, ...Object(fields(config)) })
    }
    const { instance } = await attached({ adapter })

    expectNoToken(await instance.get('/a').catch((error) => error))
  })

  test.each(kinds)('a response that leads to the token by %s does so no more', async (_, fields) => {
    const adapter: AxiosAdapter = async (config) =>
      ({ status: 200, statusText: '', headers: {}, data: '', config, ...Object(fields(config)) }) as never
    const { instance } = await attached({ adapter })

    expectNoToken(await instance.get('/a'))
  })

  test('an error of another class with a 401 leads to a refresh, also if its request names a path', async () => {
    const sent: unknown[] = []
    const adapter: AxiosAdapter = async (config) => {
      sent.push(config.headers.Authorization)
      const response = {
        status: sent.length === 1 ? 401 : 200,
        statusText: '',
        headers: {},
        data: '',
        config,
      }
      if (sent.length > 1) return response
      throw Object.assign(new Error('refused'), { response: { ...response, request: { responseURL: '/a' } } })
    }
    const { instance } = await attached({ adapter })

    expect((await instance.get('/a')).status).toBe(200)
    expect(new Set(sent).size).toBe(2)
  })
})

describe('axios: streams as responses', () => {
  test.each(['http', 'fetch'] as const)(
    'nothing of a stream of the %s adapter leads to the token',
    async (adapter) => {
      const { instance } = await attached({ adapter, responseType: 'stream', proxy: false })

      const response = await instance.get('/api/a')

      expectNoToken(response)
      expectNoToken(response.data)
    },
  )

  test('the error of a stream that grows too long contains no token', async () => {
    const { instance } = await attached({
      adapter: 'http',
      responseType: 'stream',
      maxContentLength: 1,
      proxy: false,
    })

    const { data } = await instance.get('/api/a')
    const error = await new Response(data).text().catch((thrown) => thrown)

    expect(error).toBeInstanceOf(AxiosError)
    expectNoToken(error)
  })

  test.each([
    ['http', { maxContentLength: 3 }],
    ['fetch', { maxContentLength: 3 }],
    ['fetch', { responseType: 'formdata' }],
  ])('a 401 that the %s adapter cannot read with %o leads to a refresh', async (adapter, config) => {
    const { instance, server } = await attached({ adapter, proxy: false })
    server.expireAccessTokens()

    await instance.get('/api/a', config as object).catch(() => {})

    expect([server.refreshes, to(server.log, '/api/a').length]).toEqual([1, 2])
  })
})

describe('axios: bufferStreams', () => {
  const endless = () => new Readable({ read() {} })

  test('an abort ends the reading of a stream, and the stream', async () => {
    const { instance, server } = await attached({ proxy: false }, { bufferStreams: true })
    const controller = new AbortController()
    const stream = endless()

    const call = instance.post('/api/upload', stream, { signal: controller.signal })
    controller.abort()

    await expect(call).rejects.toMatchObject({ name: 'CanceledError', code: 'ERR_CANCELED' })
    await expect.poll(() => stream.destroyed).toBe(true)
    expect(server.log).toEqual([])
  })

  test('the caller’s timeout ends the reading of a stream with axios’s own error', async () => {
    const { instance, server } = await attached({ proxy: false }, { bufferStreams: true })

    await expect(instance.post('/api/upload', endless(), { timeout: 30 })).rejects.toMatchObject({
      name: 'AxiosError',
      code: 'ECONNABORTED',
      message: 'timeout of 30ms exceeded',
    })
    expect(server.log).toEqual([])
  })
})

test('axios: a file in a form is not read into memory to be sent twice', async () => {
  const { instance, server } = await attached({ proxy: false })
  server.expireAccessTokens()
  const file = new File(['x'.repeat(1000)], 'a.txt')
  const read: string[] = []
  const form = new FormData()
  form.append('file', file)
  const held = form.get('file') as File
  held.arrayBuffer = () => Promise.reject(read.push('arrayBuffer'))

  expect((await instance.postForm('/api/form', form)).status).toBe(200)

  expect(read).toEqual([])
  expect(to(server.log, '/api/form').map(({ bodyBytes }) => bodyBytes.length > 1000)).toEqual([true, true])
})

test('axios over a Unix socket: a refused token is replaced, and the request is sent again', async () => {
  const { signedIn, server } = await setUp()
  const folder = mkdtempSync(join(tmpdir(), 'authchart-'))
  const socketPath =
    process.platform === 'win32' ? `\\\\.\\pipe\\${basename(folder)}` : join(folder, 'socket')
  const log: unknown[] = []
  const api = createServer((incoming, outgoing) => {
    const { url, headers } = incoming
    log.push([url, headers.authorization?.slice(7, 13)])
    outgoing.statusCode = headers.authorization?.startsWith('Bearer at-1-1-') ? 401 : 200
    outgoing.end()
  })
  await new Promise<void>((resolve) => api.listen(socketPath, resolve))
  onTestFinished(() => {
    api.close()
    rmSync(folder, { recursive: true })
  })
  const client = axios.create({ baseURL: 'http://localhost', socketPath })
  attachAuth(client, await signedIn())

  expect((await client.post('/a', { n: 1 })).status).toBe(200)
  expect([log, server.refreshes]).toEqual([
    [
      ['/a', 'at-1-1'],
      ['/a', 'at-1-2'],
    ],
    1,
  ])
})
