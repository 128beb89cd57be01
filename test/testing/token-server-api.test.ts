import { describe, expect, test, vi } from 'vitest'
import { start, tokensOf } from './token-server-setup.ts'

describe('api', () => {
  test('the API echoes the request byte by byte', async () => {
    const { server, api } = await start()
    const body = Uint8Array.from({ length: 300 }, (_, index) => index % 256)
    const headers = { 'content-type': 'application/x-thing' }
    const reply = await api('/api/x/y?z=1', server.issue('grace').access_token, {
      method: 'PUT',
      body,
      headers,
    })
    expect(await reply.json()).toEqual({
      method: 'PUT',
      path: '/api/x/y',
      subject: 'grace',
      generation: 1,
      body: Buffer.from(body).toString('base64'),
      contentType: 'application/x-thing',
    })
    expect(server.log[0]?.bodyBytes).toEqual(body)
  })

  test.each([
    ['no header', undefined, 'Bearer'],
    ['another scheme', 'Basic YTpi', 'Bearer'],
    ['an unknown token', 'Bearer at-guess', 'Bearer error="invalid_token"'],
  ])('an API request with %s gets a 401', async (_, authorization, challenge) => {
    const { api } = await start()
    const reply = await api('/api/x', undefined, authorization ? { headers: { authorization } } : {})
    expect(reply.status).toBe(401)
    expect(reply.headers.get('www-authenticate')).toBe(challenge)
  })

  test.each([
    ['/api/always-401', 401, 'Bearer error="invalid_token"'],
    ['/api/forbidden', 403, 'Bearer error="insufficient_scope", scope="admin"'],
    ['/api/step-up', 401, 'Bearer error="insufficient_user_authentication", acr_values="phr", max_age=60'],
  ])('%s challenges a valid token without counting an expired token use', async (path, status, challenge) => {
    const { server, api } = await start()
    const reply = await api(path, server.issue().access_token)
    expect(reply.status).toBe(status)
    expect(reply.headers.get('www-authenticate')).toBe(challenge)
    expect(server.expiredTokenUses).toBe(0)
  })

  test('answers to HEAD and /api/empty have no body', async () => {
    const { server, api } = await start()
    const { access_token } = server.issue()
    const empty = await api('/api/empty', access_token)
    expect([empty.status, await empty.text()]).toEqual([204, ''])
    const head = await api('/api/x', access_token, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await api('/api/x', undefined, { method: 'HEAD' })).status).toBe(401)
  })

  test('redirects and public routes need no token', async () => {
    const { url } = await start()
    const target = 'http://elsewhere.test/x'
    const reply = await fetch(`${url}/api/redirect?to=${encodeURIComponent(target)}`, { redirect: 'manual' })
    expect(reply.status).toBe(302)
    expect(reply.headers.get('location')).toBe(target)
    expect((await fetch(`${url}/public`)).status).toBe(200)
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
  })

  test('the slow route checks the token at arrival or after the wait', async () => {
    const { server, api } = await start()
    const { access_token } = server.issue()
    const arrival = (): Promise<unknown> => server.whenRequest((entry) => entry.path === '/api/slow')
    const earlyArrival = arrival()
    const early = api('/api/slow?ms=40', access_token)
    await earlyArrival
    const lateArrival = arrival()
    const late = api('/api/slow?ms=40&check=late', access_token)
    await lateArrival
    server.expireAccessTokens()
    expect((await early).status).toBe(200)
    expect((await late).status).toBe(401)
  })
})

describe('cors', () => {
  test('a preflight is allowed for every origin and takes no scripted fault', async () => {
    const { server, url, refresh } = await start()
    server.failNext(1)
    const headers = { origin: 'http://app.test', 'access-control-request-method': 'POST' }
    const reply = await fetch(`${url}/token`, { method: 'OPTIONS', headers })
    expect(reply.status).toBe(204)
    expect(reply.headers.get('access-control-allow-origin')).toBe('http://app.test')
    expect(reply.headers.get('access-control-allow-headers')).toBe('authorization, content-type')
    expect(server.tokenRequests).toBe(0)
    expect((await refresh('x')).status).toBe(500)
  })

  test('pages of other origins can read refusals and faults', async () => {
    const { server, api, token } = await start()
    server.retryAfterNext(3)
    const headers = { origin: 'http://app.test' }
    for (const reply of [await api('/api/x', undefined, { headers }), await token({}, { headers })]) {
      expect(reply.headers.get('access-control-allow-origin')).toBe('http://app.test')
      expect(reply.headers.get('access-control-expose-headers')).toBe('WWW-Authenticate, Retry-After')
    }
  })
})

describe('observation', () => {
  test('the log contains every request on every route', async () => {
    const { server, url, refresh, api } = await start({ now: () => 5 })
    const first = server.issue()
    const second = await tokensOf(refresh(first.refresh_token))
    await api('/api/x?y=1', second.access_token, { method: 'POST', body: 'héllo' })
    await fetch(`${url}/public`)
    expect(server.log).toHaveLength(3)
    expect(server.log[0]).toMatchObject({ at: 5, method: 'POST', path: '/token', search: '', status: 200 })
    expect(server.log[0]?.bodyText).toBe(`grant_type=refresh_token&refresh_token=${first.refresh_token}`)
    expect(server.log[0]).not.toHaveProperty('authorization')
    expect(server.log[1]).toMatchObject({
      path: '/api/x',
      search: '?y=1',
      authorization: `Bearer ${second.access_token}`,
      generation: 2,
      bodyText: 'héllo',
      bodyBytes: new TextEncoder().encode('héllo'),
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
    })
    expect(server.log[2]).not.toHaveProperty('generation')
  })

  test('whenRequest resolves at arrival, before the answer', async () => {
    const { server, refresh } = await start()
    server.delayAnswerNext(40)
    const arrival = server.whenRequest((entry) => entry.path === '/token')
    const reply = refresh(server.issue().refresh_token)
    const entry = await arrival
    expect(entry.status).toBe(0)
    expect(server.refreshes).toBe(1)
    await reply
    expect(entry.status).toBe(200)
  })

  test('whenRequest ignores earlier requests and rejects if its predicate throws', async () => {
    const { server, url } = await start()
    await fetch(`${url}/public`)
    const seen = vi.fn()
    void server.whenRequest(() => true).then(seen)
    const failing = server.whenRequest(() => {
      throw new Error('not this one')
    })
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(seen).not.toHaveBeenCalled()
    await Promise.all([fetch(`${url}/public`), expect(failing).rejects.toThrow('not this one')])
    expect(seen).toHaveBeenCalledOnce()
  })

  test('reset clears the log and the counters and keeps the sessions', async () => {
    const { server, refresh } = await start()
    const { log } = server
    const second = await tokensOf(refresh(server.issue().refresh_token))
    server.reset()
    expect(log).toEqual([])
    expect(server).toMatchObject({ refreshes: 0, tokenRequests: 0 })
    await tokensOf(refresh(second.refresh_token))
    expect(log).toHaveLength(1)
  })
})
