import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import type { AxiosInstance, AxiosRequestConfig, CreateAxiosDefaults } from 'axios'
import * as current from 'axios'
import * as currentOfetch from 'ofetch'
import { describe, expect, test, vi } from 'vitest'
import fc from '../support/property.ts'
import * as oldest from './oldest/clients.ts'

const API = 'https://api.example.com'
const FOREIGN = 'https://foreign.example'
const SECRET = 'at-secret-0123456789'

type Axios = typeof current.default

/** The axios that the transport imports, and the one that the app uses. */
const packages: readonly (readonly [name: string, imported: unknown, used: Axios])[] = [
  ['the oldest axios', oldest.axios, oldest.axios.default as never],
  ['the oldest axios as CommonJS', oldest.axios, oldest.load('axios')],
  ['the current axios', current, current.default],
  ['the current axios as CommonJS', current, createRequire(import.meta.url)('axios')],
  ['an axios older than the transport’s', current, oldest.axios.default as never],
]

/** Loads library and transport so that they import these clients. */
const load = async (clients: Readonly<Record<string, unknown>>) => {
  vi.resetModules()
  for (const [name, imported] of Object.entries(clients)) vi.doMock(name, () => imported as object)
  const [{ createAuth }, { attachAuth }, { createAuthOfetch }] = await Promise.all([
    import('../../src/index.ts'),
    import('../../src/transports/axios.ts'),
    import('../../src/transports/ofetch.ts'),
  ])
  const auth = createAuth({
    initialTokens: { access_token: SECRET, expires_in: 3600 },
    refresh: () => Promise.reject(new Error('No refresh is expected')),
  })
  return { auth, attachAuth, createAuthOfetch }
}

/** A session of a copy of its own, whose requests wait. */
const hold = async () => {
  vi.resetModules()
  const { createAuth } = await import('../../src/index.ts')
  return createAuth({
    initialTokens: { access_token: SECRET, expires_in: 0 },
    refresh: () => new Promise<never>(() => {}),
  })
}

interface Sent {
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [string, string])[]
  readonly authorization: string | undefined
}

/** An instance whose requests end where axios hands them to the platform. */
const capturing = (axios: Axios, adapter: 'http' | 'fetch', defaults: CreateAxiosDefaults = {}) => {
  const sent: Sent[] = []
  const capture = (url: string, method: string, headers: Iterable<[string, string]>) => {
    const all = [...headers].map(([name, value]) => [name, value.replace(/boundary=.*/, '')] as const)
    const isToken = ([name]: readonly [string, string]) => name.toLowerCase() === 'authorization'
    sent.push({
      url,
      method,
      headers: all.filter((header) => !isToken(header)),
      authorization: all.find(isToken)?.[1],
    })
  }
  const fetch = async (request: Request) => {
    capture(request.url, request.method, request.headers)
    return new Response('{}')
  }
  const transport = {
    request({
      protocol,
      hostname,
      port,
      path,
      method,
      headers,
      auth,
    }: Record<string, string> & { headers: object }) {
      const all = [...Object.entries(headers), ...(auth ? [['Authorization', auth] as [string, string]] : [])]
      capture(`${protocol}//${hostname}${port ? `:${port}` : ''}${path}`, method!, all)
      throw new Error('This test sends nothing')
    },
  }
  const instance = axios.create({ adapter, env: { fetch }, transport, ...defaults } as CreateAxiosDefaults)
  return { instance, sent }
}

const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: Error & { code?: string }) => `${error.name} ${error.code} ${error.message}`,
  )

const bases = [
  undefined,
  null,
  '',
  API,
  `${API}/`,
  `${API}/v1`,
  `${API}//v1//`,
  FOREIGN,
  '/v1',
  'https:v1',
  API.toUpperCase(),
]
const urls = [
  ...[
    undefined,
    '',
    '/me',
    'me',
    '//me',
    '/a/../me',
    '/ü',
    '?a=1',
    '#f',
    '@foreign.example/me',
    '.foreign.example',
  ],
  ...[
    '//foreign.example/me',
    `${FOREIGN}/me`,
    `${API}/me`,
    `${API}@foreign.example`,
    ` ${FOREIGN}`,
    'https:foreign.example',
  ],
  ...[
    '/\\foreign.example',
    '\\\\foreign.example',
    'HTTPS://API.EXAMPLE.COM/me',
    'https://a:b@api.example.com/me',
  ],
]
const calls = fc.record({
  baseURL: fc.constantFrom(...bases),
  url: fc.oneof(
    fc.constantFrom(...urls),
    fc.string({ maxLength: 6 }).map((path) => `/${path}`),
  ),
  isObject: fc.boolean(),
  allowAbsoluteUrls: fc.constantFrom(undefined, true, false),
  params: fc.constantFrom(undefined, { a: 'x' }, { q: '@foreign.example/' }),
  by: fc.constantFrom('request', 'interceptor', 'getter', 'defaults'),
})

type Call = typeof calls extends fc.Arbitrary<infer Value> ? Value : never

/** Makes the same request in each of the ways in which an app may come to it. */
const request = (instance: AxiosInstance, { by, isObject, url, ...rest }: Call) => {
  const target = isObject && url && URL.canParse(url) ? new URL(url) : url
  const config = { ...rest, url: target } as AxiosRequestConfig
  if (by === 'request') return instance.request(config)
  if (by === 'defaults') {
    Object.assign(instance.defaults, rest)
    return instance.request({ url: target } as AxiosRequestConfig)
  }
  instance.interceptors.request.use((before) => {
    if (by === 'interceptor') return Object.assign(before, config)
    // Each reading of the URL gives another one, and the last is foreign.
    let reads = 0
    const get = () => (reads++ === 0 ? target : `${FOREIGN}/later`)
    return Object.defineProperty(Object.assign(before, config), 'url', {
      get,
      enumerable: true,
      configurable: true,
    })
  })
  return instance.request({ url: '/before' })
}

describe.each(packages)('%s', (_, imported, axios) => {
  describe.each(['http', 'fetch'] as const)('%s adapter', (adapter) => {
    test('the token goes to its own origin only, and every request goes where the bare client sends it', async () => {
      const { auth, attachAuth } = await load({ axios: imported })
      await fc.assert(
        fc.asyncProperty(calls, async (call) => {
          const bare = capturing(axios, adapter, { baseURL: API })
          const wrapped = capturing(axios, adapter, { baseURL: API })
          attachAuth(wrapped.instance, auth)
          const bareOutcome = await outcome(request(bare.instance, call))
          const wrappedOutcome = await outcome(request(wrapped.instance, call))

          for (const { url, authorization } of wrapped.sent)
            if (new URL(url).origin !== API) expect(authorization ?? '').not.toContain(SECRET)
          if (call.by === 'getter') return
          const isText = !call.isObject || !call.url || !URL.canParse(call.url)
          // axios takes a URL object only without a base, and not with each adapter.
          if (!isText && bare.sent.length === 0) return
          const { origin } = new URL(bare.sent[0]?.url ?? FOREIGN)
          expect(wrapped.sent.map(({ url }) => url)).toEqual(bare.sent.map(({ url }) => url))
          expect(wrappedOutcome).toBe(bareOutcome)
          expect(wrapped.sent.map(({ headers }) => headers)).toEqual(bare.sent.map(({ headers }) => headers))
          const own = bare.sent[0]?.authorization
          expect(wrapped.sent[0]?.authorization).toBe(
            own ?? (bare.sent[0] && origin === API ? `Bearer ${SECRET}` : undefined),
          )
        }),
      )
      auth.dispose()
    })

    test('headers keep their names, values and order for each kind of body', async () => {
      const { auth, attachAuth } = await load({ axios: imported })
      const bodies = [
        [undefined],
        ['text', { 'content-TYPE': 'text/x-own' }],
        [{ a: 1 }, { 'X-Trace': 'abc', 'x-false': false, 'X-Null': null }],
        [new URLSearchParams('a=ü')],
        [Buffer.from('bytes')],
        [new Uint8Array([1, 2, 3]).subarray(1)],
        [new Blob(['b'], { type: 'image/png' })],
      ] as const
      const defaults = { baseURL: API, headers: { common: { 'X-Common': 'c' }, post: { 'X-Post': 'p' } } }
      const bare = capturing(axios, adapter, defaults as never)
      const wrapped = capturing(axios, adapter, defaults as never)
      attachAuth(wrapped.instance, auth)

      for (const [data, headers = {}] of bodies) {
        const config = { headers: headers as never }
        const error = await bare.instance.post('/a', data, config).catch((thrown) => thrown)
        const other = await wrapped.instance.post('/a', data, config).catch((thrown) => thrown)
        if (adapter === 'http') continue
        expect(Object.keys({ ...other.config })).toEqual(Object.keys({ ...error.config }))
        expect(Object.entries(other.config.headers)).toEqual(Object.entries(error.config.headers))
      }

      expect(wrapped.sent.map(({ headers }) => headers)).toEqual(bare.sent.map(({ headers }) => headers))
      expect(wrapped.sent.map(({ authorization }) => authorization)).toEqual(
        bodies.map(() => `Bearer ${SECRET}`),
      )
      auth.dispose()
    })

    test('an error is of the app’s own class, and nothing in it leads to the token', async () => {
      const { auth, attachAuth } = await load({ axios: imported })
      const fetch = async () => new Response('{}', { status: 500 })
      // The port of `discard`, where nothing listens.
      const baseURL = adapter === 'http' ? 'http://127.0.0.1:9' : API
      const instance = axios.create({ baseURL, adapter, env: { fetch } } as CreateAxiosDefaults)
      attachAuth(instance, auth)

      const error = await instance.get('/a').catch((thrown) => thrown)

      expect(error).toBeInstanceOf(axios.AxiosError)
      for (const text of [
        JSON.stringify(error),
        inspect(error, { depth: 9 }),
        inspect({ ...error }, { depth: 9 }),
      ])
        expect(text).not.toContain(SECRET)
      expect(JSON.stringify(error.config)).toContain('/a')
      auth.dispose()
    })
  })
})

const ofetches: readonly (readonly [name: string, imported: unknown, used: typeof currentOfetch])[] = [
  ['the oldest ofetch', oldest.ofetch, oldest.ofetch as never],
  ['the oldest ofetch as CommonJS', oldest.ofetch, oldest.load('ofetch')],
  ['the current ofetch', currentOfetch, currentOfetch],
]

describe.each(ofetches)('%s', (_, imported, { createFetch }) => {
  test('the token goes to its own origin only, with the caller’s headers', async () => {
    const { auth, createAuthOfetch } = await load({ ofetch: imported })
    const sent: [url: string, headers: [string, string][]][] = []
    const fetch = async (url: unknown, init?: RequestInit) => {
      sent.push([String(url), [...new Headers(init?.headers)]])
      return Response.json({})
    }
    const api = createAuthOfetch(auth, {
      ofetch: createFetch({ fetch: fetch as never, Headers }) as never,
      fetch: fetch as never,
      defaults: { baseURL: API },
    })

    await api('/a', { method: 'POST', body: { a: 1 }, headers: { 'X-Trace': 'abc' } })
    await api('/b', { baseURL: FOREIGN })

    const [own, foreign] = sent.map(([url, headers]) => [url, new Headers(headers)] as const)
    expect([own![0], own![1].get('authorization')]).toEqual([`${API}/a`, `Bearer ${SECRET}`])
    expect([own![1].get('x-trace'), own![1].get('content-type')]).toEqual(['abc', 'application/json'])
    expect([foreign![0], foreign![1].get('authorization')]).toEqual([`${FOREIGN}/b`, null])
    auth.dispose()
  })
})

describe('a session of another copy of this package', () => {
  test('its errors are not wrapped, not retried, and those of a timeout are the client’s own', async () => {
    const one = await load({ axios: current, ofetch: currentOfetch })
    const errors = await import('../../src/core/errors.ts')
    const other = await load({ axios: current, ofetch: currentOfetch })
    const { isAuthError, SignedOutError, HoldTimeoutError } = await import('../../src/core/errors.ts')
    expect(SignedOutError).not.toBe(errors.SignedOutError)
    one.auth.dispose()

    let retries = 0
    const api = other.createAuthOfetch(one.auth, {
      origins: [API],
      defaults: { retry: 2, onRequestError: () => void retries++ },
    })
    for (const call of [() => api(`${API}/a`), () => api.raw(`${API}/a`), () => api.create({})(`${API}/a`)]) {
      const error: unknown = await call().catch((thrown) => thrown)
      expect(error).toBeInstanceOf(errors.DisposedError)
      expect(error).not.toBeInstanceOf(currentOfetch.FetchError)
    }
    expect(retries).toBe(3)
    expect([new errors.HoldTimeoutError(), new HoldTimeoutError()].map(isAuthError)).toEqual([true, true])

    const held = await hold()
    const instance = current.default.create({ baseURL: API, timeout: 30 })
    other.attachAuth(instance, held)
    const error: unknown = await instance.get('/a').catch((thrown) => thrown)
    expect(error).toMatchObject({
      name: 'AxiosError',
      code: 'ECONNABORTED',
      message: 'timeout of 30ms exceeded',
    })
    other.auth.dispose()
    held.dispose()
  })

  test('no other error counts as one of this package', async () => {
    const { isAuthError } = await import('../../src/core/errors.ts')
    const named = Object.assign(new Error(), { name: 'HoldTimeoutError', code: 'hold_timeout' })
    for (const error of [new Error(), new currentOfetch.FetchError(''), named, undefined, null, 'error', 5])
      expect(isAuthError(error)).toBe(false)
  })
})
