import axios, { AxiosError, type AxiosInstance, getAdapter } from 'axios'
import { describe, expect, onTestFinished, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { setUp } from '../conformance/harness.ts'
import { to } from './support.ts'

const statusOf = (call: Promise<{ status: number }>) =>
  call.then(
    ({ status }) => status,
    (error: AxiosError) => error.response?.status,
  )

describe.each(['http', 'fetch'] as const)('axios (%s adapter): above the adapter', (adapter) => {
  const attached = async () => {
    const bench = await setUp()
    const instance = axios.create({ baseURL: bench.url, adapter, proxy: false })
    const auth = await bench.signedIn()
    attachAuth(instance, auth)
    bench.server.expireAccessTokens()
    return { ...bench, auth, instance }
  }

  test('interceptors and transforms run once for a call, not once for each sending', async () => {
    const { instance, server } = await attached()
    const ran: string[] = []
    instance.interceptors.request.use((config) => {
      ran.push('request')
      return config
    })
    instance.interceptors.response.use((response) => {
      ran.push(`response ${response.status}`)
      return response
    })

    const { data } = await instance.post(
      '/api/echo',
      { n: 1 },
      {
        transformRequest: (body) => {
          ran.push('transformRequest')
          return JSON.stringify({ wrapped: body })
        },
        transformResponse: (body: string) => {
          ran.push('transformResponse')
          return JSON.parse(body)
        },
      },
    )

    expect(data.generation).toBe(2)
    expect(ran).toEqual(['request', 'transformRequest', 'transformResponse', 'response 200'])
    expect(to(server.log, '/api/echo').map(({ bodyText }) => bodyText)).toEqual([
      '{"wrapped":{"n":1}}',
      '{"wrapped":{"n":1}}',
    ])
  })

  test('a final 401 runs the error interceptor once, with the transformed data', async () => {
    const { instance } = await attached()
    const seen: unknown[] = []
    instance.interceptors.response.use(undefined, (error: AxiosError) => {
      seen.push(error.response?.data)
      throw error
    })

    expect(await statusOf(instance.get('/api/always-401'))).toBe(401)

    expect(seen).toEqual([{ error: 'invalid_token' }])
  })

  test.each([
    ['null', null],
    ['a function that accepts everything', () => true],
  ])('a 401 leads to a replay if validateStatus is %s', async (_, validateStatus) => {
    const { instance, server } = await attached()

    const { status, data } = await instance.get('/api/a', { validateStatus })

    expect([status, data.generation]).toEqual([200, 2])
    expect(server.refreshes).toBe(1)
    expect((await instance.get('/api/always-401', { validateStatus })).status).toBe(401)
  })

  test('an answer that validateStatus rejects also rejects after a replay', async () => {
    const { instance } = await attached()

    const call = instance.get('/api/a', { validateStatus: (status) => status === 418 })

    await expect(call).rejects.toMatchObject({ name: 'AxiosError', response: { status: 200 } })
  })

  test('params are sent with both sendings', async () => {
    const { instance, server } = await attached()

    await instance.get('/api/a', { params: { q: 'ü', list: [1, 2] } })

    const [first, second] = to(server.log, '/api/a')
    expect(second!.search).toBe(first!.search)
    expect(first!.search).toContain('q=%C3%BC')
  })

  test('a call without a config and request() use the session, too', async () => {
    const { instance } = await attached()

    expect((await instance('/api/a')).data.generation).toBe(2)
    expect((await instance.request({ url: '/api/a' })).data.generation).toBe(2)
  })

  test('the error of a final 401 is an AxiosError with response, config and code', async () => {
    const { instance } = await attached()

    const error: AxiosError = await instance.get('/api/always-401').catch((thrown) => thrown)

    expect(error).toBeInstanceOf(AxiosError)
    expect([error.code, error.status, error.config?.url]).toEqual(['ERR_BAD_REQUEST', 401, '/api/always-401'])
    expect(error.response?.request).toBeDefined()
    expect(error.request).toBeDefined()
  })
})

describe('axios: attaching and detaching', () => {
  const instanceFor = (url: string) => axios.create({ baseURL: url, adapter: 'http', proxy: false })

  test('detach restores the adapter, and no token is sent from then on', async () => {
    const { url, signedIn, server } = await setUp()
    const instance = axios.create({ baseURL: url, proxy: false })
    const before = instance.defaults.adapter
    const detach = attachAuth(instance, await signedIn())
    expect(await statusOf(instance.get('/api/a'))).toBe(200)

    detach()
    detach()

    expect(instance.defaults.adapter).toBe(before)
    expect(await statusOf(instance.get('/api/b'))).toBe(401)
    expect(to(server.log, '/api/b').map(({ authorization }) => authorization)).toEqual([undefined])
    expect(server.tokenRequests).toBe(0)
  })

  test('detach keeps a wrapper that was put around the adapter since, and sends no token', async () => {
    const { url, signedIn, server } = await setUp()
    const instance = instanceFor(url)
    const detach = attachAuth(instance, await signedIn())
    const under = instance.defaults.adapter
    let wrapped = 0
    const theirs: AxiosInstance['defaults']['adapter'] = (config) => {
      wrapped++
      return getAdapter(under)(config)
    }
    instance.defaults.adapter = theirs
    expect(await statusOf(instance.get('/api/a'))).toBe(200)

    detach()

    expect(instance.defaults.adapter).toBe(theirs)
    expect(await statusOf(instance.get('/api/b'))).toBe(401)
    expect(wrapped).toBe(2)
    expect(to(server.log, '/api/b')[0]).not.toHaveProperty('authorization')
  })

  test('a request that was held when detach was called is still sent', async () => {
    const { url, signedIn, server } = await setUp()
    const instance = instanceFor(url)
    const detach = attachAuth(instance, await signedIn())
    server.expireAccessTokens()
    const refreshing = server.whenRequest(({ path }) => path === '/token')

    const call = instance.get('/api/a')
    await refreshing
    detach()

    expect((await call).data.generation).toBe(2)
  })

  test('an instance with the session attached twice refreshes once and sends one header', async () => {
    const { url, signedIn, server } = await setUp()
    const instance = instanceFor(url)
    const auth = await signedIn()
    const before = instance.defaults.adapter
    const detachments = [attachAuth(instance, auth), attachAuth(instance, auth)]
    server.expireAccessTokens()

    expect((await instance.get('/api/a')).data.generation).toBe(2)

    expect([server.refreshes, to(server.log, '/api/a').length]).toEqual([1, 2])
    for (const detach of detachments.reverse()) detach()
    expect(instance.defaults.adapter).toBe(before)
  })

  test('another session can be attached after a detach', async () => {
    const { url, signedIn } = await setUp()
    const instance = instanceFor(url)
    attachAuth(instance, await signedIn({}, 'ada'))()
    attachAuth(instance, await signedIn({}, 'grace'))

    expect((await instance.get('/api/a')).data.subject).toBe('grace')
  })

  test('a custom adapter function is wrapped, on the package’s own instance as on any other', async () => {
    const { url, signedIn, server } = await setUp()
    const before = axios.defaults.adapter
    const http = getAdapter('http')
    let sendings = 0
    axios.defaults.adapter = (config) => {
      sendings++
      return http({ ...config, proxy: false })
    }
    const custom = axios.defaults.adapter
    onTestFinished(() => {
      axios.defaults.adapter = before!
    })
    const detach = attachAuth(axios, await signedIn(), { origins: [url] })
    server.expireAccessTokens()

    expect((await axios.get(`${url}/api/a`)).data.generation).toBe(2)

    expect(sendings).toBe(2)
    detach()
    expect(axios.defaults.adapter).toBe(custom)
  })

  test.each([
    ['its name', 'http' as const],
    ['names', ['fetch', 'http'] as const],
    ['a function', getAdapter('http')],
  ])('a request that names its own adapter by %s uses the session and that adapter', async (_, adapter) => {
    const { url, signedIn, server } = await setUp()
    let defaults = 0
    const instance = axios.create({
      baseURL: url,
      proxy: false,
      adapter: (config) => {
        defaults++
        return getAdapter('http')(config)
      },
    })
    const detach = attachAuth(instance, await signedIn())
    server.expireAccessTokens()

    const { data, config } = await instance.get('/api/a', { adapter: adapter as never })
    expect(data.generation).toBe(2)
    expect((await instance(config)).data.generation).toBe(2)
    detach()

    expect(await statusOf(instance.get('/api/a', { adapter: adapter as never }))).toBe(401)
    expect([defaults, to(server.log, '/api/a').length]).toEqual([0, 4])
  })

  test('a request is sent in the same tick as by the bare client, whatever interceptors there are', async () => {
    const { signedIn } = await setUp()
    const auth = await signedIn()
    const bodies = [
      undefined,
      'text',
      { n: 1 },
      new Uint8Array(2),
      new URLSearchParams('a=1'),
      new Blob(['b']),
    ]
    const ticks = async (attach: boolean, intercepted: boolean, data: unknown) => {
      let ticks = 0
      let sentAt = -1
      const instance = axios.create({ baseURL: 'https://api.example.com' })
      const adapter = async (config: never) => {
        sentAt = ticks
        return { status: 200, statusText: '', headers: {}, config, data: '' }
      }
      instance.defaults.adapter = adapter as never
      if (attach) attachAuth(instance, auth)
      if (intercepted) instance.interceptors.request.use(async (config) => config)
      const call = instance.post('/a', data)
      for (; sentAt < 0; ticks++) await undefined
      await call
      return sentAt
    }

    for (const intercepted of [false, true])
      for (const data of [...bodies, new FormData()])
        expect(await ticks(true, intercepted, data)).toBe(await ticks(false, intercepted, data))
    expect(await ticks(true, false, 'text')).toBe(0)
  })

  test('axios itself, not the session, rejects a relative URL without a base URL', async () => {
    const { url, signedIn } = await setUp()
    const instance = axios.create({ proxy: false, adapter: 'http' })
    attachAuth(instance, await signedIn(), { origins: [url] })

    await expect(instance.get('/api/a')).rejects.toMatchObject({ code: 'ERR_INVALID_URL' })
  })
})
