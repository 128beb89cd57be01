import { inspect } from 'node:util'
import axios, { AxiosError, CanceledError } from 'axios'
import { describe, expect, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { setUp } from '../conformance/harness.ts'
import { startOrigin, TOKEN_MARKER } from './support.ts'

/** The ways in which people log an object. */
const shown = (value: object) => [
  JSON.stringify(value, (_, part) => (part instanceof Headers ? [...part] : part)),
  inspect(value, { depth: 12, maxArrayLength: null, maxStringLength: null }),
  inspect({ ...value }, { depth: 12 }),
  String(value),
  String((value as Error).stack),
]

const expectNoToken = (value: object) => {
  for (const text of shown(value)) expect(text).not.toMatch(TOKEN_MARKER)
}

describe.each(['http', 'fetch'] as const)('axios (%s adapter): tokens stay out of logs', (adapter) => {
  const attached = async (baseURL?: string) => {
    const bench = await setUp()
    const auth = await bench.signedIn()
    const instance = axios.create({ baseURL: baseURL ?? bench.url, adapter, proxy: false })
    attachAuth(instance, auth)
    const fails = (path: string, config = {}) =>
      instance.get(path, config).then(
        () => expect.unreachable(`${path} was to fail`),
        (error: AxiosError) => error,
      )
    return { ...bench, auth, instance, fails }
  }

  test('the marker that these tests search for is in the header that was sent', async () => {
    const { instance, server } = await attached()

    await instance.get('/api/a')

    expect(server.log[0]!.authorization).toMatch(TOKEN_MARKER)
  })

  test('a successful response contains no token', async () => {
    const { instance } = await attached()

    const { data: _, ...response } = await instance.get('/api/a')

    expect(JSON.stringify(response.config)).toContain('/api/a')
    expectNoToken(response)
  })

  test('the response of a replay contains no token', async () => {
    const { instance, server } = await attached()
    server.expireAccessTokens()

    expectNoToken(await instance.post('/api/a', { n: 1 }))
    expect(server.refreshes).toBe(1)
  })

  test('the error of a final 401 contains no token', async () => {
    const { fails } = await attached()

    const error = await fails('/api/always-401')

    expect([error.name, error.response?.status]).toEqual(['AxiosError', 401])
    expectNoToken(error)
    expectNoToken(error.toJSON())
    expectNoToken(error.response!)
  })

  test('the error of a 500 contains no token', async () => {
    const broken = await startOrigin(() => ({ status: 500, body: 'oops' }))
    const { fails } = await attached(broken.url)

    const error = await fails('/a')

    expect(error.response?.status).toBe(500)
    expect(broken.log[0]!.headers.authorization).toMatch(TOKEN_MARKER)
    expectNoToken(error)
    expectNoToken(error.response!)
  })

  test('the error of a broken connection contains no token', async () => {
    const broken = await startOrigin((_, reply) => {
      reply.destroy()
      return undefined
    })
    const { fails } = await attached(broken.url)

    const error = await fails('/a')

    expect(error).toBeInstanceOf(AxiosError)
    expect(error.response).toBeUndefined()
    expectNoToken(error)
  })

  test('the errors of a timeout and of an abort in flight contain no token', async () => {
    const { fails, server } = await attached()
    const controller = new AbortController()
    const arrived = server.whenRequest(({ search }) => search.includes('abort'))
    const aborted = fails('/api/slow?ms=60000&abort', { signal: controller.signal })
    await arrived
    controller.abort()

    expect(await aborted).toBeInstanceOf(CanceledError)
    expectNoToken(await aborted)
    expectNoToken(await fails('/api/slow?ms=60000', { timeout: 40 }))
  })

  test('the error of a transform that throws contains no token', async () => {
    const { fails } = await attached()

    expectNoToken(
      await fails('/api/a', {
        transformResponse: () => {
          throw new Error('cannot read this')
        },
      }),
    )
  })

  test('the errors of the session contain no token', async () => {
    const { fails, server, auth } = await attached()
    server.expireAccessTokens()
    server.killRefreshTokens()

    const error = await fails('/api/a')

    expect(error).toMatchObject({ name: 'SessionExpiredError', reason: 'invalid_grant' })
    expectNoToken(error)
    expectNoToken({ history: auth.history, snapshot: auth.actor.getPersistedSnapshot() })
  })

  test('the configs that an interceptor receives contain no token', async () => {
    const { instance } = await attached()
    const configs: unknown[] = []
    instance.interceptors.response.use(undefined, (error: AxiosError) => {
      configs.push(error.config?.headers.toJSON(), error.response?.config.headers.toJSON())
      throw error
    })

    await instance.get('/api/always-401').catch(() => {})

    expect(configs).toHaveLength(2)
    expectNoToken({ configs })
    expect(JSON.stringify(configs)).not.toMatch(/authorization/i)
  })
})
