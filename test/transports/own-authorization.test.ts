import axios from 'axios'
import { describe, expect, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { setUp, type TestAuth } from '../conformance/harness.ts'
import { closeGate, startOrigin } from './support.ts'

const BASIC = `Basic ${btoa('me:mine')}`

type Call = (auth: TestAuth, url: string) => Promise<number | undefined>

const statusOf = (error: { status?: number; response?: { status: number } }) =>
  error.response?.status ?? error.status

const viaFetch =
  (input: (url: string) => string | URL | Request, init?: RequestInit): Call =>
  async (auth, url) =>
    (await createAuthFetch(auth, { origins: [url] })(input(`${url}/own`), init)).status

const viaOfetch =
  (init: object, asRequest = false): Call =>
  async (auth, url) => {
    const api = createAuthOfetch(auth, { defaults: { baseURL: url } })
    const request = asRequest ? new Request(`${url}/own`, init) : '/own'
    return api.raw(request, asRequest ? {} : init).then(({ status }) => status, statusOf)
  }

const viaAxios =
  (adapter: 'http' | 'fetch', config: object, defaults = {}): Call =>
  async (auth, url) => {
    const instance = axios.create({ baseURL: url, adapter, proxy: false, ...defaults })
    attachAuth(instance, auth)
    const { userinfo, ...rest } = config as { userinfo?: string }
    const path = userinfo ? `${url.replace('//', `//${userinfo}@`)}/own` : '/own'
    return instance.get(path, rest).then(({ status }) => status, statusOf)
  }

/** Options whose getters are not enumerable. */
class ClassOptions {
  get headers() {
    return { Authorization: BASIC, 'x-own': '1' }
  }
}

const object = { headers: { AUTHORIZATION: BASIC } }

const calls: readonly (readonly [name: string, call: Call])[] = [
  ['fetch: a Headers object', viaFetch((url) => url, { headers: new Headers({ Authorization: BASIC }) })],
  [
    'fetch: a Map',
    viaFetch((url) => url, { headers: new Map([['Authorization', BASIC]]) as unknown as HeadersInit }),
  ],
  [
    'fetch: parameters',
    viaFetch((url) => url, {
      headers: new URLSearchParams({ Authorization: BASIC }) as unknown as HeadersInit,
    }),
  ],
  [
    'fetch: pairs that can be read once',
    (auth, url) => {
      const headers = new Headers({ Authorization: BASIC }).entries() as unknown as HeadersInit
      return viaFetch((target) => target, { headers })(auth, url)
    },
  ],
  ['fetch: a class', viaFetch((url) => url, new ClassOptions())],
  ['fetch: an object, in lower case', viaFetch((url) => url, { headers: { authorization: BASIC } })],
  ['fetch: an object, in any case', viaFetch((url) => url, object)],
  [
    'fetch: an array of pairs',
    viaFetch((url) => new URL(url), {
      headers: [
        ['x-a', '1'],
        ['authorizatioN', BASIC],
      ],
    }),
  ],
  ['fetch: a Request', viaFetch((url) => new Request(url, { headers: { authorization: BASIC } }))],
  [
    'fetch: a Request and an init without headers',
    viaFetch((url) => new Request(url, object), { method: 'PUT' }),
  ],
  [
    'fetch: a Request in the place of the init',
    viaFetch((url) => url, new Request('https://a.example', object)),
  ],
  ['ofetch: a Headers object', viaOfetch({ headers: new Headers({ Authorization: BASIC }) })],
  ['ofetch: an object', viaOfetch(object)],
  ['ofetch: a Request', viaOfetch(object, true)],
  ...(['http', 'fetch'] as const).flatMap((adapter) => [
    [`axios (${adapter} adapter): headers`, viaAxios(adapter, object)] as const,
    [
      `axios (${adapter} adapter): headers of the defaults`,
      viaAxios(adapter, {}, { headers: { common: { Authorization: BASIC } } }),
    ] as const,
    [
      `axios (${adapter} adapter): auth`,
      viaAxios(adapter, { auth: { username: 'me', password: 'mine' } }),
    ] as const,
    [
      `axios (${adapter} adapter): auth of the defaults`,
      viaAxios(adapter, {}, { auth: { username: 'me', password: 'mine' } }),
    ] as const,
    [
      `axios (${adapter} adapter): user and password in the URL`,
      viaAxios(adapter, { userinfo: 'me:mine' }),
    ] as const,
  ]),
]

describe('the caller’s own Authorization header', () => {
  test.each(calls)('%s: the own Authorization header arrives unchanged', async (_, call) => {
    const { signedIn } = await setUp()
    const api = await startOrigin(() => ({ body: '"ok"' }))

    expect(await call(await signedIn(), api.url)).toBe(200)

    expect(api.log.map(({ headers }) => headers.authorization)).toEqual([BASIC])
  })

  test.each(calls)(
    '%s: a request with its own Authorization header does not wait for a refresh',
    async (_, call) => {
      const { auth, server, open, first } = await closeGate()
      const api = await startOrigin(() => ({ body: '"ok"' }))

      expect(await call(auth, api.url)).toBe(200)

      expect([auth.state, server.tokenRequests]).toEqual(['refreshing', 0])
      open()
      expect((await first).status).toBe(200)
    },
  )

  test.each(calls)(
    '%s: a 401 for an own Authorization header does not concern the session',
    async (_, call) => {
      const { signedIn, server, events } = await setUp()
      const auth = await signedIn()
      const api = await startOrigin(() => ({ status: 401, headers: { 'www-authenticate': 'Bearer' } }))

      expect(await call(auth, api.url)).toBe(401)

      expect(api.log).toHaveLength(1)
      expect([auth.state, server.tokenRequests, events.length]).toEqual(['authenticated', 0, 0])
    },
  )

  test('headers in the init object replace those of a Request, including its Authorization', async () => {
    const { signedIn } = await setUp()
    const api = await startOrigin(() => ({}))

    await viaFetch((url) => new Request(url, object), { headers: { 'x-a': '1' } })(await signedIn(), api.url)

    expect(api.log[0]!.headers.authorization).toMatch(/^Bearer at-/)
  })
})
