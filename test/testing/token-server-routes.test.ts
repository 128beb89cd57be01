import { describe, expect, test, vi } from 'vitest'
import type {
  IssuedTokens,
  TokenOwner,
  TokenServer,
  TokenServerOptions,
} from '../../src/testing/token-server/token-server.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { tokensOf } from './token-server-setup.ts'

const callers = (server: TokenServer) => ({
  api: (path: string, { access_token }: Pick<IssuedTokens, 'access_token'>, init: RequestInit = {}) =>
    server.fetch(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${access_token}` } }),
  token: (fields: Record<string, string>) =>
    server.fetch('/token', { method: 'POST', body: new URLSearchParams(fields) }),
})

const serve = (options: TokenServerOptions) => {
  const server = createTokenServer(options)
  const { api, token } = callers(server)
  return {
    server,
    api,
    token,
    signIn: (fields: Record<string, string> = {}) =>
      tokensOf(token({ grant_type: 'password', username: 'ada', password: 'correct', ...fields })),
    refresh: ({ refresh_token }: IssuedTokens, fields: Record<string, string> = {}) =>
      token({ grant_type: 'refresh_token', refresh_token, ...fields }),
    challengeOf: async (path: string, tokens: IssuedTokens) => {
      const reply = await api(path, tokens)
      return [reply.status, reply.headers.get('www-authenticate')]
    },
  }
}

const REPORTS = { routes: { '/api/reports': { scope: 'read reports' } } }
const TRANSFER = { routes: { '/api/transfer': { acrValues: 'mfa phr', maxAge: 60 } } }

describe('a route that requires scopes', () => {
  test('a token without one of the required scopes gets a 403 that names all of them', async () => {
    const { signIn, challengeOf, server } = serve({ ...REPORTS, scope: 'read write' })
    expect(await challengeOf('/api/reports', await signIn())).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="read reports"',
    ])
    expect(server.expiredTokenUses).toBe(0)
  })

  test('a token whose sign-in requested the scopes is accepted', async () => {
    const { signIn, api } = serve({ ...REPORTS, scope: 'read write' })
    const tokens = await signIn({ scope: 'reports read' })
    expect(tokens.scope).toBe('reports read')
    expect((await api('/api/reports', tokens)).status).toBe(200)
  })

  test('an invalid token gets a 401 before the scopes are checked', async () => {
    const { server, signIn, challengeOf } = serve(REPORTS)
    const tokens = await signIn()
    server.expireAccessTokens()
    expect(await challengeOf('/api/reports', tokens)).toEqual([401, 'Bearer error="invalid_token"'])
    expect((await server.fetch('/api/reports')).headers.get('www-authenticate')).toBe('Bearer')
  })

  test('the scope option is the default scope of sign-ins, and refreshed tokens keep it', async () => {
    const { signIn, refresh, api } = serve({ ...REPORTS, scope: 'read reports' })
    const tokens = await signIn()
    const refreshed = await tokensOf(refresh(tokens))
    expect([tokens.scope, refreshed.scope]).toEqual(['read reports', 'read reports'])
    expect((await api('/api/reports', refreshed)).status).toBe(200)
  })

  test('a refresh with a smaller scope gives a token that gets a 403, and the next refresh restores the scope', async () => {
    const { signIn, refresh, api } = serve({ ...REPORTS, scope: 'read reports' })
    const narrow = await tokensOf(refresh(await signIn(), { scope: 'read' }))
    expect(narrow.scope).toBe('read')
    expect((await api('/api/reports', narrow)).status).toBe(403)
    expect((await api('/api/reports', await tokensOf(refresh(narrow)))).status).toBe(200)
  })

  test('a refresh with a larger scope than granted is an invalid_scope and does not use up the refresh token', async () => {
    const { server, signIn, refresh } = serve({ scope: 'read' })
    const tokens = await signIn()
    const reply = await refresh(tokens, { scope: 'read reports' })
    expect([reply.status, await reply.json()]).toMatchObject([400, { error: 'invalid_scope' }])
    await tokensOf(refresh(tokens))
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
  })

  test('a sign-in with a malformed scope is an invalid_scope', async () => {
    const { token } = serve({})
    const fields = { grant_type: 'password', username: 'ada', password: 'correct', scope: 'a "b"' }
    expect(await (await token(fields)).json()).toMatchObject({ error: 'invalid_scope' })
  })
})

describe('a route that requires stronger or more recent authentication', () => {
  test('a token of a simple sign-in gets a challenge with all requirements', async () => {
    const { signIn, challengeOf } = serve(TRANSFER)
    expect(await challengeOf('/api/transfer', await signIn())).toEqual([
      401,
      'Bearer error="insufficient_user_authentication", acr_values="mfa phr", max_age="60"',
    ])
  })

  test.each(['mfa', 'phr', 'mfa pwd'])('a sign-in with acr_values %s is accepted', async (acr_values) => {
    const { signIn, api } = serve(TRANSFER)
    expect((await api('/api/transfer', await signIn({ acr_values }))).status).toBe(200)
  })

  test('an authentication that is too old gets a challenge, even with a new token', async () => {
    let now = 1_000_000
    const { signIn, refresh, api } = serve({ ...TRANSFER, now: () => now })
    const tokens = await signIn({ acr_values: 'mfa' })
    now += 60_000
    expect((await api('/api/transfer', tokens)).status).toBe(200)
    now += 1
    const refreshed = await tokensOf(refresh(tokens))
    expect((await api('/api/transfer', refreshed)).status).toBe(401)
  })

  test.each([
    [{ maxAge: 0 }, 'Bearer error="insufficient_user_authentication", max_age="0"'],
    [{ acrValues: 'mfa' }, 'Bearer error="insufficient_user_authentication", acr_values="mfa"'],
  ])('a challenge names only the requirements of its route: %j', async (route, challenge) => {
    let now = 1_000_000
    const { signIn, challengeOf } = serve({ routes: { '/api/transfer': route }, now: () => now })
    const tokens = await signIn()
    now += 1
    expect(await challengeOf('/api/transfer', tokens)).toEqual([401, challenge])
  })
})

describe('stepping up', () => {
  test('stepUp gives tokens that are accepted, and so are all later tokens of the session', async () => {
    const { server, signIn, refresh, api } = serve({ routes: { ...REPORTS.routes, ...TRANSFER.routes } })
    const weak = await signIn({ scope: 'read' })
    const strong = server.stepUp(weak.access_token, { acr: 'mfa', scope: 'reports' })
    expect(strong).toMatchObject({ scope: 'read reports', token_type: 'Bearer' })
    const refreshed = [await tokensOf(refresh(strong)), await tokensOf(refresh(weak))]
    for (const tokens of [strong, ...refreshed]) {
      expect((await api('/api/transfer', tokens)).status).toBe(200)
      expect((await api('/api/reports', tokens)).status).toBe(200)
    }
    expect(server.reuseDetections).toBe(0)
  })

  test('stepUp does not change older tokens and other sessions', async () => {
    const { server, signIn, api } = serve(TRANSFER)
    const [weak, other] = [await signIn(), await signIn()]
    server.stepUp(weak.refresh_token, { acr: 'mfa' })
    expect((await api('/api/transfer', weak)).status).toBe(401)
    expect((await api('/api/transfer', other)).status).toBe(401)
  })

  test('stepUp sets the authentication time to now and keeps the previous acr', async () => {
    let now = 1_000_000
    const { server, signIn, api } = serve({ ...TRANSFER, now: () => now })
    const tokens = await signIn({ acr_values: 'phr' })
    now += 3_600_000
    expect((await api('/api/transfer', server.stepUp(tokens.access_token))).status).toBe(200)
  })

  test('stepUp throws for a session that has ended and for an unknown token', async () => {
    const { server, signIn } = serve({})
    const tokens = await signIn()
    server.killRefreshTokens()
    expect(() => server.stepUp(tokens.access_token)).toThrow(/session has ended/)
    expect(() => server.stepUp('at-guess')).toThrow(/unknown/)
  })

  test('issue can create a session with scope and acr', async () => {
    const { server, api } = serve({ routes: { ...REPORTS.routes, ...TRANSFER.routes } })
    const tokens = server.issue('grace', { scope: 'read reports', acr: 'mfa' })
    expect((await api('/api/transfer', tokens)).status).toBe(200)
    expect(await (await api('/api/reports', tokens)).json()).toMatchObject({ subject: 'grace' })
  })

  test('JWTs contain scope, acr and auth_time', async () => {
    const now = 1_700_000_000_000
    const { server } = serve({ jwt: true, now: () => now, clockSkew: 5000 })
    const [, payload = ''] = server.issue('ada', { scope: 'read', acr: 'mfa' }).access_token.split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({
      iat: 1_700_000_005,
      exp: 1_700_003_605,
      sub: 'ada',
      scope: 'read',
      acr: 'mfa',
      auth_time: 1_700_000_005,
    })
  })
})

describe('a handler', () => {
  test('a handler receives the request with an unread body, and the token owner', async () => {
    const now = 1_700_000_000_000
    const seen: unknown[] = []
    const { api, server } = serve({
      now: () => now,
      routes: {
        '/api/items': {
          handler: async (request, owner) => {
            seen.push([request.method, new URL(request.url).search, await request.json(), owner])
            return Response.json({ saved: true }, { status: 201, headers: { 'x-total': '1' } })
          },
        },
      },
    })
    const tokens = server.issue('grace', { scope: 'read' })
    const reply = await api('/api/items?x=1', tokens, { method: 'POST', body: '{"name":"pen"}' })
    expect([reply.status, reply.headers.get('x-total'), await reply.json()]).toEqual([
      201,
      '1',
      { saved: true },
    ])
    const owner: TokenOwner = {
      subject: 'grace',
      generation: 1,
      scope: 'read',
      acr: undefined,
      authenticatedAt: now,
    }
    expect(seen).toEqual([['POST', '?x=1', { name: 'pen' }, owner]])
    expect(server.log[0]?.status).toBe(201)
  })

  test('a handler receives a request without a body unchanged', async () => {
    const { api, server } = serve({
      routes: {
        '/api/*': { handler: async (request) => Response.json([request.method, await request.text()]) },
      },
    })
    expect(await (await api('/api/items', server.issue())).json()).toEqual(['GET', ''])
  })

  test('a handler is called only after all checks have passed', async () => {
    const handler = vi.fn(() => new Response('secret'))
    const { api, server } = serve({ routes: { '/api/reports': { scope: 'reports', handler } } })
    expect((await api('/api/reports', server.issue())).status).toBe(403)
    expect((await server.fetch('/api/reports')).status).toBe(401)
    expect(handler).not.toHaveBeenCalled()
  })

  test.each([
    ['throws', () => Promise.reject(new Error('no such item')), /threw: Error: no such item/],
    ['returns nothing', () => undefined as unknown as Response, /returned no Response/],
  ])('a handler that %s causes a 500 with the reason', async (_, handler, message) => {
    const { api, server } = serve({ routes: { '/api/items': { handler } } })
    const reply = await api('/api/items', server.issue())
    expect(reply.status).toBe(500)
    expect(await reply.json()).toMatchObject({ error_description: expect.stringMatching(message) })
  })

  test('a handler drops the connection with Response.error()', async () => {
    const { api, server } = serve({ routes: { '/api/items': { handler: () => Response.error() } } })
    await expect(api('/api/items', server.issue())).rejects.toThrow(TypeError)
  })

  test('a handler can expose its own headers to pages', async () => {
    const headers = { 'access-control-expose-headers': 'X-Total', vary: 'Accept' }
    const { api, server } = serve({
      routes: { '/api/items': { handler: () => new Response('', { headers }) } },
    })
    const reply = await api('/api/items', server.issue())
    expect(reply.headers.get('access-control-expose-headers')).toBe('X-Total, WWW-Authenticate, Retry-After')
    expect(reply.headers.get('vary')).toBe('Accept, Origin')
  })
})

describe('the path of a route', () => {
  const named = (name: string) => ({ handler: () => new Response(name) })

  test.each([
    ['/api/items', 'items'],
    ['/api/items?x=1', 'items'],
    ['/api/items/7', 'one item'],
    ['/api/items/7/parts', 'parts'],
    ['/api/items/8/parts', 'one item'],
    ['/api/items/', 'all others'],
    ['/api/other', 'all others'],
  ])('the path %s is answered by the route of %s', async (path, name) => {
    const { api, server } = serve({
      routes: {
        '/api/*': named('all others'),
        '/api/items/*': named('one item'),
        '/api/items': named('items'),
        '/api/items/7/*': named('parts'),
      },
    })
    expect(await (await api(path, server.issue())).text()).toBe(name)
  })

  test('a route can add requirements to a built-in path', async () => {
    const { api, server } = serve({
      routes: { '/api/slow': { scope: 'slow' }, '/api/redirect': { scope: 'away' }, '/api/empty': {} },
    })
    const tokens = server.issue('ada', { scope: 'slow' })
    expect((await api('/api/slow?ms=1', tokens)).status).toBe(200)
    expect((await api('/api/slow?ms=1', server.issue())).status).toBe(403)
    expect((await api('/api/redirect?to=/public', tokens)).status).toBe(403)
    expect((await api('/api/empty', tokens)).status).toBe(204)
  })
})
