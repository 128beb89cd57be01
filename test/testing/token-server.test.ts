import { describe, expect, test } from 'vitest'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { expectInvalidGrant, start, tokensOf } from './token-server-setup.ts'

const MINUTE = 60_000

describe('signing in', () => {
  test('a sign-in with the right password returns tokens for that user', async () => {
    const { token, api } = await start()
    const reply = await token({ grant_type: 'password', username: 'grace', password: 'correct' })
    expect(reply.headers.get('cache-control')).toBe('no-store')
    const tokens = await tokensOf(reply)
    expect(tokens).toEqual({
      access_token: expect.stringMatching(/^at-1-1-[0-9a-f]{32}$/),
      refresh_token: expect.stringMatching(/^rt-1-1-[0-9a-f]{32}$/),
      expires_in: 3600,
      token_type: 'Bearer',
    })
    expect(await (await api('/api/x', tokens.access_token)).json()).toMatchObject({ subject: 'grace' })
  })

  test('a sign-in works with JSON as well as with a form', async () => {
    const { token } = await start()
    const body = JSON.stringify({ grant_type: 'password', username: 'grace', password: 'correct' })
    await tokensOf(token({}, { body, headers: { 'content-type': 'application/json' } }))
  })

  test('a wrong password is an invalid_grant', async () => {
    const { token } = await start()
    await expectInvalidGrant(token({ grant_type: 'password', username: 'grace', password: 'guess' }))
  })

  test.each([
    ['no grant type', {}, 'invalid_request'],
    ['an unknown grant type', { grant_type: 'device' }, 'unsupported_grant_type'],
    ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request'],
  ])('a token request with %s is a 400', async (_, parameters, error) => {
    const { token } = await start()
    const reply = await token(parameters)
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ error })
  })

  test.each(['{', 'null', '"x"'])('the JSON body %s is an invalid_request', async (body) => {
    const { token } = await start()
    const reply = await token({}, { body, headers: { 'content-type': 'application/json' } })
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ error: 'invalid_request' })
  })

  test('the token endpoint accepts only POST', async () => {
    const { server, url } = await start()
    const reply = await fetch(`${url}/token`)
    expect(reply.status).toBe(405)
    expect(reply.headers.get('allow')).toBe('POST')
    expect(server.tokenRequests).toBe(0)
  })
})

describe('refreshing', () => {
  test('rotation replaces both tokens, and the old access token stays valid', async () => {
    const { server, refresh, api } = await start()
    const first = server.issue()
    const second = await tokensOf(refresh(first.refresh_token))
    const third = await tokensOf(refresh(second.refresh_token))
    expect(new Set([first, second, third].map((tokens) => tokens.refresh_token)).size).toBe(3)
    expect(await (await api('/api/x', first.access_token)).json()).toMatchObject({ generation: 1 })
    expect(await (await api('/api/x', third.access_token)).json()).toMatchObject({
      subject: 'ada',
      generation: 3,
    })
    expect(server).toMatchObject({ refreshes: 2, tokenRequests: 2, reuseDetections: 0, expiredTokenUses: 0 })
  })

  test('without rotation the answer has no refresh token, and the old one stays valid', async () => {
    const { server, refresh } = await start({ rotate: false })
    const { refresh_token } = server.issue()
    expect(await tokensOf(refresh(refresh_token))).not.toHaveProperty('refresh_token')
    await tokensOf(refresh(refresh_token))
    expect(server).toMatchObject({ refreshes: 2, reuseDetections: 0 })
  })

  test('a refresh revokes the older access tokens if previousAccessTokenDies is true', async () => {
    const { server, refresh, api } = await start({ previousAccessTokenDies: true })
    const first = server.issue()
    const other = server.issue()
    const second = await tokensOf(refresh(first.refresh_token))
    expect((await api('/api/x', first.access_token)).status).toBe(401)
    expect((await api('/api/x', second.access_token)).status).toBe(200)
    expect((await api('/api/x', other.access_token)).status).toBe(200)
    expect(server.expiredTokenUses).toBe(1)
  })

  test('reuse of a refresh token revokes its session and no other', async () => {
    const { server, refresh, api } = await start()
    const first = server.issue()
    const other = server.issue()
    const second = await tokensOf(refresh(first.refresh_token))
    await expectInvalidGrant(refresh(first.refresh_token))
    await expectInvalidGrant(refresh(second.refresh_token))
    expect((await api('/api/x', first.access_token)).status).toBe(401)
    expect((await api('/api/x', second.access_token)).status).toBe(401)
    expect((await api('/api/x', other.access_token)).status).toBe(200)
    await tokensOf(refresh(other.refresh_token))
    expect(server).toMatchObject({ reuseDetections: 1, refreshes: 2 })
    expect(server.isRevoked(second.refresh_token)).toBe(true)
    expect(server.isRevoked(other.refresh_token)).toBe(false)
  })

  test('one of two simultaneous refreshes succeeds, and the other counts as reuse', async () => {
    const { server, refresh } = await start()
    const { refresh_token } = server.issue()
    const replies = await Promise.all([refresh(refresh_token), refresh(refresh_token)])
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 400])
    expect(server.reuseDetections).toBe(1)
  })

  test('an unknown refresh token does not count as reuse', async () => {
    const { server, refresh } = await start()
    await expectInvalidGrant(refresh('rt-guess'))
    expect(server.reuseDetections).toBe(0)
  })

  test('within the grace period the previous token works again, and both answers stay valid', async () => {
    const { server, refresh } = await start({ reuseGrace: MINUTE })
    const { refresh_token } = server.issue()
    const second = await tokensOf(refresh(refresh_token))
    const third = await tokensOf(refresh(refresh_token))
    expect(third.refresh_token).not.toBe(second.refresh_token)
    await tokensOf(refresh(second.refresh_token))
    await tokensOf(refresh(third.refresh_token))
    expect(server).toMatchObject({ refreshes: 4, reuseDetections: 0 })
  })

  test('the grace period starts with the first rotation and ends', async () => {
    let now = 1_000_000
    const { server, refresh } = await start({ reuseGrace: MINUTE, now: () => now })
    const { refresh_token } = server.issue()
    await tokensOf(refresh(refresh_token))
    now += MINUTE - 1
    await tokensOf(refresh(refresh_token))
    now += 1
    await expectInvalidGrant(refresh(refresh_token))
    expect(server.reuseDetections).toBe(1)
  })

  test('the grace period applies to the previous token only', async () => {
    const { server, refresh } = await start({ reuseGrace: MINUTE })
    const first = server.issue()
    const second = await tokensOf(refresh(first.refresh_token))
    await tokensOf(refresh(second.refresh_token))
    await expectInvalidGrant(refresh(first.refresh_token))
    expect(server.reuseDetections).toBe(1)
  })

  test('refresh tokens revoked by killRefreshTokens do not count as reuse', async () => {
    const { server, refresh, api } = await start()
    const first = server.issue()
    const second = await tokensOf(refresh(first.refresh_token))
    server.killRefreshTokens()
    await expectInvalidGrant(refresh(first.refresh_token))
    await expectInvalidGrant(refresh(second.refresh_token))
    expect((await api('/api/x', second.access_token)).status).toBe(200)
    expect(server.reuseDetections).toBe(0)
    expect(server.isRevoked(second.refresh_token)).toBe(true)
  })
})

describe('cookie mode', () => {
  test('the refresh token is only in an HttpOnly cookie', async () => {
    const { server, token } = await start()
    const reply = await token({ grant_type: 'password', username: 'grace', password: 'correct', cookie: '1' })
    const [cookie = ''] = reply.headers.getSetCookie()
    expect(cookie).toMatch(/^refresh_token=rt-1-1-[0-9a-f]{32}; HttpOnly; SameSite=Strict; Path=\/token$/)
    expect(await tokensOf(reply)).not.toHaveProperty('refresh_token')

    const parameters = { grant_type: 'refresh_token', cookie: '1' }
    const [pair = ''] = cookie.split(';')
    const second = await token(parameters, { headers: { cookie: `theme=dark; ${pair}` } })
    expect(second.headers.getSetCookie()[0]).toMatch(/^refresh_token=rt-1-2-/)
    expect(await tokensOf(second)).not.toHaveProperty('refresh_token')
    expect(server.refreshes).toBe(1)
    await expectInvalidGrant(token(parameters, { headers: { cookie: pair } }))
    expect(server.reuseDetections).toBe(1)
  })

  test('a refresh without rotation sets no new cookie', async () => {
    const { server, token } = await start({ rotate: false })
    const { refresh_token } = server.issue()
    const reply = await token({ grant_type: 'refresh_token', refresh_token, cookie: '1' })
    expect(reply.headers.getSetCookie()).toEqual([])
    expect(await tokensOf(reply)).not.toHaveProperty('refresh_token')
  })
})

describe('revoking', () => {
  test('revoking a refresh token revokes its whole session', async () => {
    const { server, refresh, revoke, api } = await start()
    const first = server.issue()
    const other = server.issue()
    const second = await tokensOf(refresh(first.refresh_token))
    expect((await revoke(second.refresh_token)).status).toBe(200)
    expect(server.revocations).toBe(1)
    for (const { access_token, refresh_token } of [first, second]) {
      expect(server.isRevoked(access_token)).toBe(true)
      expect(server.isRevoked(refresh_token)).toBe(true)
      expect((await api('/api/x', access_token)).status).toBe(401)
    }
    await expectInvalidGrant(refresh(second.refresh_token))
    expect((await api('/api/x', other.access_token)).status).toBe(200)
    expect(server.reuseDetections).toBe(0)
  })

  test('revoking an access token revokes only that token', async () => {
    const { server, refresh, revoke, api } = await start()
    const tokens = server.issue()
    await revoke(tokens.access_token)
    expect((await api('/api/x', tokens.access_token)).status).toBe(401)
    await tokensOf(refresh(tokens.refresh_token))
    expect(server.isRevoked(tokens.refresh_token)).toBe(false)
  })

  test('a revocation accepts unknown and revoked tokens without counting them', async () => {
    const { server, revoke } = await start()
    const { refresh_token } = server.issue()
    for (const token of ['nonsense', refresh_token, refresh_token]) {
      expect((await revoke(token)).status).toBe(200)
    }
    expect(server.revocations).toBe(1)
    expect(server.isRevoked('nonsense')).toBe(false)
  })

  test('a revocation without a token is an invalid_request', async () => {
    const { revoke } = await start()
    expect((await revoke('')).status).toBe(400)
  })
})

describe('time', () => {
  test('access tokens expire by the clock of the server', async () => {
    let now = 1_000_000
    const { server, api } = await start({ accessTokenLifetime: 1500, now: () => now })
    const { access_token, expires_in } = server.issue()
    expect(expires_in).toBe(1.5)
    now += 1499
    expect((await api('/api/x', access_token)).status).toBe(200)
    now += 1
    const refused = await api('/api/x', access_token)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect(server.expiredTokenUses).toBe(1)
    expect(server.isRevoked(access_token)).toBe(false)
  })

  test('expireAccessTokens expires all access tokens', async () => {
    const { server, api, refresh } = await start()
    const first = server.issue()
    server.expireAccessTokens()
    expect((await api('/api/x', first.access_token)).status).toBe(401)
    const second = await tokensOf(refresh(first.refresh_token))
    expect((await api('/api/x', second.access_token)).status).toBe(200)
  })

  test('JWTs contain the skewed time and the marker', async () => {
    const now = 1_700_000_000_000
    const server = createTokenServer({
      jwt: true,
      now: () => now,
      clockSkew: -MINUTE,
      accessTokenLifetime: 500,
    })
    const { access_token } = server.issue('grüße')
    const [header = '', payload = '', marker = ''] = access_token.split('.')
    const decode = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect(access_token).toMatch(/^[\w.-]+$/)
    expect(decode(header)).toEqual({ alg: 'none', typ: 'at+jwt' })
    expect(decode(payload)).toEqual({ iat: 1_699_999_940, exp: 1_699_999_940.5, sub: 'grüße' })
    expect(marker).toMatch(/^at-1-1-[0-9a-f]{32}/)
    expect(marker.length % 4).toBe(0)
    const request = new Request('http://test/api/x', { headers: { authorization: `Bearer ${access_token}` } })
    expect((await server.handle(request)).status).toBe(200)
  })
})
