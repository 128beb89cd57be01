import { describe, expect, test } from 'vitest'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { expectInvalidGrant, tokensOf } from './token-server-setup.ts'

const refreshBody = (refreshToken: string) =>
  new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('fetch of the token server', () => {
  test('takes strings, URLs and requests, relative ones from its origin', async () => {
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

  test('is at an https origin that exists nowhere else, unless it is told another one', () => {
    expect(createTokenServer().origin).toBe('https://auth.test')
    expect(createTokenServer({ origin: 'http://localhost:8080/' }).origin).toBe('http://localhost:8080')
  })

  test('gives answers that know their URL', async () => {
    const { fetch } = createTokenServer()
    const reply = await fetch('/public?x=1#there')
    expect([reply.url, reply.redirected, reply.ok]).toEqual(['https://auth.test/public?x=1', false, true])
  })

  test('sends bodies of every kind as they are', async () => {
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

  test('rejects with a TypeError that is a network error where the connection drops', async () => {
    const server = createTokenServer()
    const body = refreshBody(server.issue().refresh_token)
    server.dropNext()
    const error = await server.fetch('/token', { method: 'POST', body }).catch((caught) => caught)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ name: 'TypeError', code: 'ECONNRESET' })
  })

  test('rejects with the reason of an abort, before and while it waits, and the server goes on', async () => {
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

  test('rejects where the global fetch does: a body with GET, a URL that is none', async () => {
    const { fetch } = createTokenServer()
    await expect(fetch('/public', { method: 'GET', body: 'x' })).rejects.toThrow(TypeError)
    await expect(fetch('https://')).rejects.toThrow(TypeError)
  })
})

describe('redirects', () => {
  const to = (target: string) => `/api/redirect?to=${encodeURIComponent(target)}`

  test('are followed, with the token as long as the origin stays the same', async () => {
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

  test('are left to the caller, or an error, where the request says so', async () => {
    const { fetch } = createTokenServer()
    const reply = await fetch(to('/public'), { redirect: 'manual' })
    expect([reply.status, reply.headers.get('location')]).toEqual([302, '/public'])
    await expect(fetch(to('/public'), { redirect: 'error' })).rejects.toThrow(TypeError)
  })

  test('end where they go in a circle, or out of the web', async () => {
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
  ])('a %i turns %s into %s', async (status, method, after, bodyText) => {
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
  const renewal = { grant_type: 'refresh_token', cookie: '1' }

  test('the cookie is kept, sent to the token endpoint alone, and replaced at each refresh', async () => {
    const server = createTokenServer()
    const { access_token } = await tokensOf(post(server.fetch, '/token', signIn))
    await server.fetch('/api/me', { headers: bearer(access_token) })
    await tokensOf(post(server.fetch, '/token', renewal))
    await tokensOf(post(server.fetch, '/token', renewal))
    expect(server.log.map(({ headers }) => headers.cookie?.slice(0, 20))).toEqual([
      undefined,
      undefined,
      'refresh_token=rt-1-1',
      'refresh_token=rt-1-2',
    ])
    expect(server).toMatchObject({ refreshes: 2, reuseDetections: 0 })
  })

  test('revoking at /token/revoke ends the session and takes the cookie away', async () => {
    const server = createTokenServer()
    await tokensOf(post(server.fetch, '/token', signIn))
    expect((await post(server.fetch, '/token/revoke', {})).status).toBe(200)
    expect(server.revocations).toBe(1)
    const reply = await post(server.fetch, '/token', renewal)
    expect(await reply.json()).toMatchObject({ error: 'invalid_request' })
    expect(server.log.at(-1)?.headers).not.toHaveProperty('cookie')
  })

  test('requests to other origins carry it only where they are told to include credentials', async () => {
    const server = createTokenServer()
    const url = 'https://login.test/token'
    await tokensOf(post(server.fetch, url, signIn, { credentials: 'include' }))
    expect((await post(server.fetch, url, renewal)).status).toBe(400)
    await tokensOf(post(server.fetch, url, renewal, { credentials: 'include' }))
    expect((await post(server.fetch, '/token', renewal)).status).toBe(400)
  })

  test('requests that omit credentials neither send nor keep it', async () => {
    const server = createTokenServer()
    await tokensOf(post(server.fetch, '/token', signIn, { credentials: 'omit' }))
    expect((await post(server.fetch, '/token', renewal)).status).toBe(400)
    await tokensOf(post(server.fetch, '/token', signIn))
    expect((await post(server.fetch, '/token', renewal, { credentials: 'omit' })).status).toBe(400)
  })

  test('an own cookie header goes as it is', async () => {
    const server = createTokenServer()
    await tokensOf(post(server.fetch, '/token', signIn))
    await expectInvalidGrant(
      post(server.fetch, '/token', renewal, { headers: { cookie: 'refresh_token=rt-guess' } }),
    )
  })
})
