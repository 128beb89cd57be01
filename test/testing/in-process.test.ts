import { expect, onTestFinished, test } from 'vitest'
import type { AuthOptions, TokenResponse } from '../../src/index.ts'
import { createAuth, fromCookie, SessionExpiredError } from '../../src/index.ts'
import { createTokenServer, type TokenServerOptions } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'

const MINUTE = 60_000

/** A session and its server on one virtual clock, without sockets. */
function setUp(serverOptions: TokenServerOptions = {}, options: Partial<AuthOptions<object>> = {}) {
  const clock = createVirtualClock()
  const server = createTokenServer({ clock, accessTokenLifetime: 10 * MINUTE, ...serverOptions })
  const post = async (path: string, fields: object, signal: AbortSignal) => {
    const response = await server.fetch(path, {
      method: 'POST',
      body: new URLSearchParams({ ...fields }),
      signal,
    })
    if (!response.ok) throw response
    return response
  }
  const auth = createAuth<object>({
    clock,
    signIn: async (more, { signal }) => {
      const fields = { grant_type: 'password', username: 'ada', password: 'correct', ...more }
      return (await post('/token', fields, signal)).json() as Promise<TokenResponse>
    },
    refresh: async ({ refreshToken = '', signal }) => {
      const fields = { grant_type: 'refresh_token', refresh_token: refreshToken }
      return (await post('/token', fields, signal)).json() as Promise<TokenResponse>
    },
    revoke: ({ accessToken, refreshToken = accessToken }, { signal }) =>
      post('/revoke', { token: refreshToken }, signal),
    retry: { jitter: 0, minDelay: 1000 },
    ...options,
  })
  onTestFinished(async () => {
    auth.dispose()
    server.reset()
    await clock.advance(0)
    expect(clock.pending).toBe(0)
  })
  const send = createAuthFetch(auth, { fetch: server.fetch, origins: [server.origin] })
  return { clock, server, auth, api: (path: string) => send(server.origin + path) }
}

test('a whole session runs in process without sockets and real waits', async () => {
  const { clock, server, auth, api } = setUp()
  await auth.signIn({})
  expect(await (await api('/api/me')).json()).toMatchObject({ subject: 'ada', generation: 1 })

  // Scheduled refreshes for a whole day.
  await clock.advance(24 * 60 * MINUTE)
  const refreshesOfDay = server.refreshes
  expect(refreshesOfDay).toBeGreaterThan(24 * 6)
  expect((await api('/api/me')).status).toBe(200)

  // The token expires unnoticed, and many requests get a 401 at the same time.
  server.expireAccessTokens()
  const answers = await Promise.all(Array.from({ length: 20 }, () => api('/api/me')))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(server.refreshes).toBe(refreshesOfDay + 1)

  const token = await auth.getAccessToken()
  await auth.signOut()
  expect([server.revocations, server.isRevoked(token)]).toEqual([1, true])
  expect(server.reuseDetections).toBe(0)
  expect(server.pendingScripts).toBe(0)
})

test('the first request after a sleep refreshes an expired token', async () => {
  const { clock, server, auth, api } = setUp()
  await auth.signIn({})
  await clock.sleep(8 * 60 * MINUTE)
  expect(server.refreshes).toBe(0)
  expect((await api('/api/me')).status).toBe(200)
  expect(server).toMatchObject({ refreshes: 1, expiredTokenUses: 0 })
})

test('a request waits for the end of an outage on the virtual clock', async () => {
  const { clock, server, auth, api } = setUp()
  await auth.signIn({})
  server.failNext(2, { status: 503 })
  server.expireAccessTokens()
  const answer = api('/api/me')
  await clock.advance(1000 + 2000)
  expect((await answer).status).toBe(200)
  expect(server).toMatchObject({ tokenRequests: 4, refreshes: 1, pendingScripts: 0 })
})

test('a lost refresh answer expires the session if ambiguousRefresh is expire', async () => {
  const { server, auth, api } = setUp({}, { ambiguousRefresh: 'expire' })
  await auth.signIn({})
  server.dropAnswerNext()
  server.expireAccessTokens()
  const error = await api('/api/me').catch((caught) => caught)
  expect(error).toBeInstanceOf(SessionExpiredError)
  expect(error.reason).toBe('ambiguous')
  expect(server.reuseDetections).toBe(0)
})

test('a late 401 for the old token is replayed with the new one, without another refresh', async () => {
  const { server, auth, api } = setUp({ previousAccessTokenDies: true })
  await auth.signIn({})
  const held = server.holdApiNext()
  const late = api('/api/report')
  await held.arrived
  await auth.refresh()
  held.answer({ check: 'release' })
  expect(await (await late).json()).toMatchObject({ generation: 2 })
  expect(server).toMatchObject({ refreshes: 1, expiredTokenUses: 1 })
})

test('a session emits stepUpRequired, steps up, and keeps the new grant', async () => {
  const routes = { '/api/transfer': { acrValues: 'mfa', maxAge: 300 }, '/api/reports': { scope: 'reports' } }
  const { clock, server, auth, api } = setUp({ routes, scope: 'read' })
  const required: unknown[] = []
  auth.on('stepUpRequired', ({ scope, acrValues, maxAge }) => required.push({ scope, acrValues, maxAge }))
  await auth.signIn({})

  expect((await api('/api/transfer')).status).toBe(401)
  expect((await api('/api/reports')).status).toBe(403)
  expect(required).toEqual([
    { scope: undefined, acrValues: 'mfa', maxAge: 300 },
    { scope: 'reports', acrValues: undefined, maxAge: undefined },
  ])
  expect(server.tokenRequests).toBe(1)

  await auth.signIn({ acr_values: 'mfa', scope: 'read reports' })
  expect((await api('/api/transfer')).status).toBe(200)
  expect((await api('/api/reports')).status).toBe(200)

  await clock.advance(300_001)
  expect((await api('/api/transfer')).status).toBe(401)
  await auth.setTokens(server.stepUp(await auth.getAccessToken()))
  expect((await api('/api/transfer')).status).toBe(200)
})

test('a session in a cookie is restored, refreshed and signed out in process', async () => {
  const clock = createVirtualClock()
  const server = createTokenServer({ clock, accessTokenLifetime: 10 * MINUTE })
  const post = async (path: string, fields: object) => {
    const response = await server.fetch(path, {
      method: 'POST',
      body: new URLSearchParams({ cookie: '1', ...fields }),
      credentials: 'include',
    })
    if (!response.ok) throw response
    return response
  }
  await post('/token', { grant_type: 'password', username: 'ada', password: 'correct' })

  const auth = createAuth({
    clock,
    silentSignIn: fromCookie(),
    refresh: async () => (await post('/token', { grant_type: 'refresh_token' })).json(),
    revoke: () => post('/token/revoke', {}),
  })
  onTestFinished(() => auth.dispose())
  const ofetch = createAuthOfetch(auth, { fetch: server.fetch, defaults: { baseURL: server.origin } })
  expect(await ofetch('/api/me')).toMatchObject({ subject: 'ada', generation: 2 })
  await clock.advance(60 * MINUTE)
  await auth.signOut()
  expect(server).toMatchObject({ revocations: 1, reuseDetections: 0 })
  await expect(post('/token', { grant_type: 'refresh_token' })).rejects.toMatchObject({ status: 400 })
})
