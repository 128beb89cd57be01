import { describe, expect, test } from 'vitest'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { expectInvalidGrant, tokensOf } from './token-server-setup.ts'

const refreshBody = (refreshToken: string) =>
  new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('fetch of the token server', () => {
  test('fetch accepts strings, URLs and requests, and resolves relative URLs against the origin', async () => {
    const { fetch, log, origin } = createTokenServer({ origin: 'https://api.example.test' })
    expect(origin).toBe('https://api.example.test')
    await fetch('/public?n=1')
    await fetch(new URL('https://api.example.test/public?n=2'))
    await fetch(new Request('https://elsewhere.test/public?n=3'))
    await fetch(new Request('https://elsewhere.test/public'), { method: 'HEAD' })
    expect(log.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET https://api.example.test/public?n=1',
      'GET https://api.example.test/public?n=2',
      'GET https://elsewhere.test/public?n=3',
      'HEAD https://elsewhere.test/public',
    ])
  })

  test('the default origin is an https origin that exists nowhere else', () => {
    expect(createTokenServer().origin).toBe('https://auth.test')
    expect(createTokenServer({ origin: 'http://localhost:8080/' }).origin).toBe('http://localhost:8080')
  })

  test('fetch returns responses with their URL', async () => {
    const { fetch } = createTokenServer()
    const reply = await fetch('/public?x=1#there')
    expect([reply.url, reply.redirected, reply.ok]).toEqual(['https://auth.test/public?x=1', false, true])
  })

  test('fetch sends text, form and stream bodies unchanged', async () => {
    const { fetch, log } = createTokenServer()
    const form = new FormData()
    form.append('field', 'value')
    const stream = new Blob(['streamed']).stream()
    await fetch('/public', { method: 'POST', body: 'text' })
    await fetch('/public', { method: 'POST', body: form })
    await fetch('/public', { method: 'POST', body: stream, duplex: 'half' } as RequestInit)
    expect(log[0]?.bodyText).toBe('text')
    expect(log[1]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(log[1]?.bodyText).toContain('name="field"')
    expect(log[2]?.bodyText).toBe('streamed')
  })

  test('fetch rejects with a TypeError that looks like a network error if the connection drops', async () => {
    const server = createTokenServer()
    const body = refreshBody(server.issue().refresh_token)
    server.dropNext()
    const error = await server.fetch('/token', { method: 'POST', body }).catch((caught) => caught)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ name: 'TypeError', code: 'ECONNRESET' })
  })

  test('fetch rejects with the abort reason before and during a request, and the server finishes its work', async () => {
    const server = createTokenServer()
    const reason = new Error('not needed any more')
    const aborted = server.fetch('/public', { signal: AbortSignal.abort(reason) })
    await expect(aborted).rejects.toBe(reason)
    expect(server.log).toEqual([])

    const held = server.holdNext()
    const controller = new AbortController()
    const body = refreshBody(server.issue().refresh_token)
    const waiting = server.fetch('/token', { method: 'POST', body, signal: controller.signal })
    await held.arrived
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    held.answer()
    expect(server.refreshes).toBe(1)
  })

  test('fetch rejects a GET with a body and an invalid URL, like the global fetch', async () => {
    const { fetch } = createTokenServer()
    await expect(fetch('/public', { method: 'GET', body: 'x' })).rejects.toThrow(TypeError)
    await expect(fetch('https://')).rejects.toThrow(TypeError)
  })
})

describe('redirects', () => {
  const to = (target: string) => `/api/redirect?to=${encodeURIComponent(target)}`

  test('fetch follows redirects and sends the token only to the same origin', async () => {
    const server = createTokenServer()
    const headers = bearer(server.issue().access_token)
    const reply = await server.fetch(to('/api/me'), { headers })
    expect([reply.status, reply.redirected, reply.url]).toEqual([200, true, 'https://auth.test/api/me'])
    await server.fetch(to('https://elsewhere.test/api/me'), { headers })
    expect(server.log.map(({ path, authorization }) => [path, authorization !== undefined])).toEqual([
      ['/api/redirect', true],
      ['/api/me', true],
      ['/api/redirect', true],
      ['/api/me', false],
    ])
  })

  test('fetch obeys the redirect modes manual and error', async () => {
    const { fetch } = createTokenServer()
    const reply = await fetch(to('/public'), { redirect: 'manual' })
    expect([reply.status, reply.headers.get('location')]).toEqual([302, '/public'])
    await expect(fetch(to('/public'), { redirect: 'error' })).rejects.toThrow(TypeError)
  })

  test('fetch rejects endless redirects and redirects to other protocols', async () => {
    const server = createTokenServer({
      routes: { '/api/circle': { handler: () => Response.redirect('https://auth.test/api/circle') } },
    })
    const headers = bearer(server.issue().access_token)
    await expect(server.fetch('/api/circle', { headers })).rejects.toThrow(/too many redirects/)
    expect(server.log).toHaveLength(21)
    await expect(server.fetch(to('mailto:ada@example.test'))).rejects.toThrow(TypeError)
  })

  test.each([
    [302, 'POST', 'GET', ''],
    [303, 'PUT', 'GET', ''],
    [302, 'PUT', 'PUT', 'body'],
    [307, 'POST', 'POST', 'body'],
    [308, 'DELETE', 'DELETE', 'body'],
  ])('fetch follows a %i of a %s with a %s', async (status, method, after, bodyText) => {
    const server = createTokenServer({
      routes: { '/api/moved': { handler: () => Response.redirect('https://auth.test/api/there', status) } },
    })
    const headers = { ...bearer(server.issue().access_token), 'x-own': '1' }
    await server.fetch('/api/moved', { method, headers, body: 'body' })
    expect(server.log[1]).toMatchObject({ path: '/api/there', method: after, bodyText })
    expect(server.log[1]?.headers).toHaveProperty('x-own')
    expect(Object.hasOwn(server.log[1]?.headers ?? {}, 'content-type')).toBe(bodyText !== '')
  })
})

describe('cookie mode in process', () => {
  const signIn = { grant_type: 'password', username: 'ada', password: 'correct', cookie: '1' }
  const post = (fetch: typeof globalThis.fetch, url: string, fields: object, init: RequestInit = {}) =>
    fetch(url, { method: 'POST', body: new URLSearchParams({ ...fields }), ...init })
  const refresh = { grant_type: 'refresh_token', cookie: '1' }

  test('the cookie is stored, sent to the token endpoint only, and replaced at each refresh', async () => {
    const server = createTokenServer()
    const { access_token } = await tokensOf(post(server.fetch, '/token', signIn))
    await server.fetch('/api/me', { headers: bearer(access_token) })
    await tokensOf(post(server.fetch, '/token', refresh))
    await tokensOf(post(server.fetch, '/token', refresh))
    expect(server.log.map(({ headers }) => headers.cookie?.slice(0, 20))).toEqual([
      undefined,
      undefined,
      'refresh_token=rt-1-1',
      'refresh_token=rt-1-2',
    ])
    expect(server).toMatchObject({ refreshes: 2, reuseDetections: 0 })
  })

  test('a revocation at /token/revoke ends the session and deletes the cookie', async () => {
    const server = createTokenServer()
    await tokensOf(post(server.fetch, '/token', signIn))
    expect((await post(server.fetch, '/token/revoke', {})).status).toBe(200)
    expect(server.revocations).toBe(1)
    const reply = await post(server.fetch, '/token', refresh)
    expect(await reply.json()).toMatchObject({ error: 'invalid_request' })
    expect(server.log.at(-1)?.headers).not.toHaveProperty('cookie')
  })

  test('requests to other origins send the cookie only if they include credentials', async () => {
    const server = createTokenServer()
    const url = 'https://login.test/token'
    await tokensOf(post(server.fetch, url, signIn, { credentials: 'include' }))
    expect((await post(server.fetch, url, refresh)).status).toBe(400)
    await tokensOf(post(server.fetch, url, refresh, { credentials: 'include' }))
    expect((await post(server.fetch, '/token', refresh)).status).toBe(400)
  })

  test('requests that omit credentials neither send nor store the cookie', async () => {
    const server = createTokenServer()
    await tokensOf(post(server.fetch, '/token', signIn, { credentials: 'omit' }))
    expect((await post(server.fetch, '/token', refresh)).status).toBe(400)
    await tokensOf(post(server.fetch, '/token', signIn))
    expect((await post(server.fetch, '/token', refresh, { credentials: 'omit' })).status).toBe(400)
  })

  test('a cookie header of the caller is sent unchanged', async () => {
    const server = createTokenServer()
    await tokensOf(post(server.fetch, '/token', signIn))
    await expectInvalidGrant(
      post(server.fetch, '/token', refresh, { headers: { cookie: 'refresh_token=rt-guess' } }),
    )
  })
})
