import axios from 'axios'
import { ofetch } from 'ofetch'
import { describe, expect, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { nextEvent, setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { closeGate, deferred, startOrigin, to } from './support.ts'

/** A body, how its owner changes it after the call, and what has to arrive nevertheless. */
const mutable: readonly (readonly [
  kind: string,
  make: () => [body: unknown, mutate: () => void],
  sent: string,
])[] = [
  [
    'a typed array',
    () => {
      const bytes = new TextEncoder().encode('before')
      return [bytes, () => bytes.fill(88)]
    },
    'before',
  ],
  [
    'an ArrayBuffer',
    () => {
      const bytes = new TextEncoder().encode('before')
      return [bytes.buffer, () => bytes.fill(88)]
    },
    'before',
  ],
  [
    'a Node Buffer',
    () => {
      const bytes = Buffer.from('before')
      return [bytes, () => bytes.fill('X')]
    },
    'before',
  ],
  [
    'URLSearchParams',
    () => {
      const parameters = new URLSearchParams('when=before')
      return [parameters, () => parameters.set('when', 'after')]
    },
    'when=before',
  ],
  [
    'a JSON object',
    () => {
      const json = { when: 'before' }
      return [
        json,
        () => {
          json.when = 'after'
        },
      ]
    },
    '{"when":"before"}',
  ],
]

describe.each(transports)('$name: what the caller changes after the call', ({ create }) => {
  test.each(mutable)(
    '%s is sent as it was at the call, although it changes while the request is held',
    async (_, make, sent) => {
      const { server, url, auth, open } = await closeGate()
      const client = create(auth, { origin: url })
      const [body, mutate] = make()

      const call = client.post('/api/echo', body)
      mutate()
      await nextEvent(auth, 'requestHeld')
      open()

      expect((await call).status).toBe(200)
      expect(to(server.log, '/api/echo').map(({ bodyText }) => bodyText)).toEqual([sent])
    },
  )

  test.each(mutable)(
    '%s is replayed as it was at the call, although it changes before the replay',
    async (_, make, sent) => {
      const { server, url, signedIn } = await setUp()
      const client = create(await signedIn(), { origin: url })
      server.expireAccessTokens()
      const [body, mutate] = make()
      const refreshing = server.whenRequest(({ path }) => path === '/token')

      const call = client.post('/api/echo', body)
      await refreshing
      mutate()

      expect((await call).status).toBe(200)
      expect(to(server.log, '/api/echo').map(({ bodyText }) => bodyText)).toEqual([sent, sent])
    },
  )

  test('a form is sent as it was at the call, although it changes while the request is held', async () => {
    const { server, url, auth, open } = await closeGate()
    const client = create(auth, { origin: url })
    const form = new FormData()
    form.set('when', 'before')

    const call = client.post('/api/form', form)
    form.set('when', 'after')
    await nextEvent(auth, 'requestHeld')
    open()

    expect((await call).status).toBe(200)
    const [sent] = to(server.log, '/api/form')
    expect(sent!.bodyText).toContain('before')
    expect(sent!.bodyText).not.toContain('after')
  })
})

type Send = (url: string, init: RequestInit) => Promise<unknown>

const clients: readonly (readonly [name: string, make: (auth: never, url: string) => Send])[] = [
  ['fetch', (auth, url) => createAuthFetch(auth, { origins: [url] })],
  ['ofetch', (auth, url) => createAuthOfetch(auth, { ofetch, origins: [url] }) as never],
  [
    'axios',
    (auth, baseURL) => {
      const instance = axios.create({ baseURL, proxy: false })
      attachAuth(instance, auth)
      return (url, init) => {
        const { body, ...rest } = init as RequestInit & { data?: unknown }
        return instance.request(Object.assign(init, { url, data: body, ...rest }) as never)
      }
    },
  ],
]

describe.each(clients)('%s: the init object', (_, make) => {
  test.each([
    ['without a body', undefined],
    ['with a string body', 'text'],
    ['with bytes as its body', new TextEncoder().encode('text')],
  ])('an init %s is read once, at the call', async (_, body) => {
    const { server, url, auth, open } = await closeGate()
    const headers = { 'x-when': 'before' }
    const init = { method: 'DELETE', headers, ...(body !== undefined && { body }) } as RequestInit

    const call = make(auth as never, url)(`${url}/api/echo`, init)
    headers['x-when'] = 'after'
    Object.assign(init, { method: 'POST', body: 'after', data: 'after', headers: { 'x-when': 'after' } })
    await nextEvent(auth, 'requestHeld')
    open()
    await call

    const sent = to(server.log, '/api/echo')
    expect(sent.map(({ method, headers: { 'x-when': when }, bodyText }) => [method, when, bodyText])).toEqual(
      [['DELETE', 'before', body === undefined ? '' : 'text']],
    )
  })

  test.each([
    ['Headers', () => new Headers({ 'x-when': 'before' })],
    ['an array of pairs', () => [['x-when', 'before']]],
  ])('%s may change between the first sending and the replay without an effect', async (_, makeHeaders) => {
    const { server, url, signedIn, refresh } = await setUp()
    const asked = deferred()
    const door = deferred()
    const auth = await signedIn({
      refresh: async (request) => {
        asked.resolve()
        await door.promise
        return refresh(request)
      },
    })
    server.expireAccessTokens()
    const headers = makeHeaders()

    const call = make(auth as never, url)(`${url}/api/echo`, { method: 'GET', headers } as RequestInit)
    await asked.promise
    if (headers instanceof Headers) headers.set('x-when', 'after')
    else headers[0]![1] = 'after'
    door.resolve()
    await call

    expect(to(server.log, '/api/echo').map(({ headers: sent }) => sent['x-when'])).toEqual([
      'before',
      'before',
    ])
  })
})

describe('axios: the parameters of the URL', () => {
  test('parameters are sent as they were at the call, although they change while the request is held', async () => {
    const { server, url, auth, open } = await closeGate()
    const instance = axios.create({ baseURL: url, proxy: false })
    attachAuth(instance, auth)
    const params = new URLSearchParams({ page: '1' })

    const call = instance.get('/api/echo', { params })
    await nextEvent(auth, 'requestHeld')
    params.set('page', '2')
    open()
    await call

    expect(to(server.log, '/api/echo').map(({ search }) => search)).toEqual(['?page=1'])
  })
})

describe('fetch: a URL object', () => {
  test('a URL object that changes while the request is held does not redirect the token', async () => {
    const { url, auth, open, server } = await closeGate()
    const foreign = await startOrigin(() => ({ body: '{}' }))
    const target = new URL('/api/echo', url)

    const call = createAuthFetch(auth, { origins: [url] })(target)
    target.port = String(foreign.port)
    await nextEvent(auth, 'requestHeld')
    open()

    expect((await call).status).toBe(200)
    expect(foreign.log).toEqual([])
    expect(to(server.log, '/api/echo')).toHaveLength(1)
  })
})
