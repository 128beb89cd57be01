import { inspect } from 'node:util'
import { FetchError, ofetch } from 'ofetch'
import { describe, expect, test } from 'vitest'
import { SessionExpiredError } from '../../src/index.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { setUp } from '../conformance/harness.ts'
import { closeGate, startOrigin, TOKEN_MARKER, to } from './support.ts'

const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it was to reject'),
    (error: unknown) => error,
  )

describe('ofetch: what the session puts under it', () => {
  test('a timeout that expires while the request is held rejects it, and nothing is sent', async () => {
    const { server, url, auth, open, first } = await closeGate()
    const api = createAuthOfetch(auth, { defaults: { baseURL: url } })

    const error = await caught(api('/api/a', { timeout: 50, retry: false }))

    expect(error).toBeInstanceOf(FetchError)
    expect((error as FetchError).cause).toMatchObject({ name: 'TimeoutError' })
    open()
    expect((await first).status).toBe(200)
    expect(to(server.log, '/api/a')).toEqual([])
  })

  test('an error of the session is not retried, although ofetch retries GET requests', async () => {
    const { url, auth, server } = await closeGate({ timeouts: { hold: 40 } })
    const api = createAuthOfetch(auth, { defaults: { baseURL: url, retry: 3 } })
    let failures = 0

    const error = await caught(
      api('/api/a', {
        onRequestError: () => {
          failures++
        },
      }),
    )

    expect(error).toMatchObject({ name: 'HoldTimeoutError', code: 'hold_timeout' })
    expect(failures).toBe(1)
    expect(to(server.log, '/api/a')).toEqual([])
  })

  test('a 500 is still retried, with the token', async () => {
    const { signedIn } = await setUp()
    let answers = 0
    const flaky = await startOrigin(() => (++answers < 3 ? { status: 500 } : { body: '"up again"' }))
    const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: flaky.url, retry: 2 } })

    expect(await api('/item', { responseType: 'json' })).toBe('up again')

    expect(flaky.log).toHaveLength(3)
    for (const { headers } of flaky.log) expect(headers.authorization).toMatch(/^Bearer at-1-1-/)
  })

  test.each(['call', 'raw', 'create'])(
    '%s rejects with the session’s own error, not wrapped',
    async (way) => {
      const { server, url, signedIn } = await setUp()
      const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: url } })
      server.expireAccessTokens()
      server.killRefreshTokens()
      const send = { call: api, raw: api.raw, create: api.create({}) }[way]!

      expect(await caught(send('/api/a'))).toBeInstanceOf(SessionExpiredError)
      expect(await caught(send('/api/a'))).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
      expect(server.tokenRequests).toBe(1)
    },
  )

  test('a final 401 is a FetchError with its data', async () => {
    const { url, signedIn } = await setUp()
    const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: url } })

    const error = await caught(api('/api/always-401'))

    expect(error).toBeInstanceOf(FetchError)
    expect(error).toMatchObject({ status: 401, data: { error: 'invalid_token' } })
  })

  test('logs of a response or an error contain no token', async () => {
    const { url, signedIn, server } = await setUp()
    const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: url } })
    const response = await api.raw('/api/a', { headers: { 'x-a': '1' } })
    const error = (await caught(api('/api/always-401'))) as FetchError
    const everything = [response, error, error.options, error.request, error.response, error.message]

    for (const value of everything) {
      expect(inspect(value, { depth: 12, getters: true })).not.toMatch(TOKEN_MARKER)
    }
    expect(inspect([...new Headers(error.options?.headers)])).not.toMatch(TOKEN_MARKER)
    expect(server.log.at(-1)!.authorization).toMatch(TOKEN_MARKER)
  })

  test('raw returns the whole response of the replay', async () => {
    const { server, url, signedIn } = await setUp()
    const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: url } })
    server.expireAccessTokens()

    const response = await api.raw<{ generation: number }>('/api/a')

    expect([response.status, response._data?.generation]).toEqual([200, 2])
    expect(response.headers.get('content-type')).toBe('application/json')
  })

  test('native is a fetch that uses the session', async () => {
    const { server, url, signedIn } = await setUp()
    const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: url } })
    server.expireAccessTokens()

    const response = await api.native(`${url}/api/a`)

    expect([response.status, (await response.json()).generation]).toEqual([200, 2])
  })

  test('create returns an instance with its own defaults and the same session', async () => {
    const { server, url, signedIn } = await setUp()
    const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: url } })
    const child = api.create({ headers: { 'x-child': '1' } }).create({ query: { deep: '1' } })
    server.expireAccessTokens()

    expect(await child('/api/a')).toMatchObject({ generation: 2 })

    const sent = to(server.log, '/api/a')
    expect(sent.map(({ search, headers, generation }) => [search, headers['x-child'], generation])).toEqual([
      ['?deep=1', '1', 1],
      ['?deep=1', '1', 2],
    ])
  })

  test('create with its own fetch still uses the session', async () => {
    const { url, signedIn } = await setUp()
    const api = createAuthOfetch(await signedIn(), { defaults: { baseURL: url } })
    const child = api.create({}, { fetch: (input, init) => fetch(input, init) })

    expect(await child('/api/a')).toMatchObject({ generation: 1 })
  })

  test('createAuthOfetch builds on the given instance and does not add a token to it', async () => {
    const { server, url, signedIn } = await setUp()
    const base = ofetch.create({ baseURL: url, headers: { 'x-base': '1' } })
    const api = createAuthOfetch(await signedIn(), { ofetch: base, origins: [url] })

    expect(await api('/api/a')).toMatchObject({ generation: 1 })
    await caught(base('/api/b'))

    expect(to(server.log, '/api/a')[0]!.headers['x-base']).toBe('1')
    expect(to(server.log, '/api/b')[0]).not.toHaveProperty('authorization')
  })

  test('hooks run once for a call, not once for each sending', async () => {
    const { server, url, signedIn } = await setUp()
    const ran: string[] = []
    const api = createAuthOfetch(await signedIn(), {
      defaults: {
        baseURL: url,
        onRequest: () => void ran.push('request'),
        onResponse: ({ response }) => void ran.push(`response ${response.status}`),
        onResponseError: () => void ran.push('response error'),
      },
    })
    server.expireAccessTokens()

    await api('/api/a', { method: 'POST', body: { a: 1 } })

    expect(ran).toEqual(['request', 'response 200'])
    expect(to(server.log, '/api/a')).toHaveLength(2)
  })

  test('an Authorization header that a hook sets is not changed', async () => {
    const { url, signedIn, server } = await setUp()
    const api = createAuthOfetch(await signedIn(), {
      defaults: {
        baseURL: url,
        onRequest: ({ options }) => options.headers.set('authorization', 'Basic b3du'),
      },
    })

    const error = await caught(api('/api/a'))

    expect(error).toMatchObject({ status: 401 })
    expect(to(server.log, '/api/a').map(({ authorization }) => authorization)).toEqual(['Basic b3du'])
    expect(server.tokenRequests).toBe(0)
  })
})
