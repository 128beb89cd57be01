import axios from 'axios'
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { TokenResponse } from '../../src/index.ts'
import { createAuth } from '../../src/index.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

const server = createTokenServer({ origin: 'https://api.example.com' })
const mock = setupServer(
  http.all('*', ({ request }) => server.handle(request).catch(() => HttpResponse.error())),
)

beforeAll(() => mock.listen({ onUnhandledRequest: 'error' }))
afterEach(() => {
  expect(server.pendingScripts).toBe(0)
  server.reset()
  mock.resetHandlers()
})
afterAll(() => mock.close())

/** A session that uses the global `fetch`, like that of an app. */
const signedIn = () => {
  const auth = createAuth({
    initialTokens: server.issue(),
    refresh: async ({ refreshToken = '', signal }) => {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
      const response = await fetch(`${server.origin}/token`, { method: 'POST', body, signal })
      if (!response.ok) throw response
      return (await response.json()) as TokenResponse
    },
    retry: { minDelay: 1, jitter: 0 },
  })
  onTestFinished(() => auth.dispose())
  const send = createAuthFetch(auth, { origins: [server.origin] })
  return { auth, api: (path: string, init?: RequestInit) => send(server.origin + path, init) }
}

test('with MSW, a session recovers from a 401', async () => {
  const { api } = signedIn()
  server.expireAccessTokens()
  const answers = await Promise.all([api('/api/a'), api('/api/b', { method: 'POST', body: 'note' })])
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  expect(server).toMatchObject({ refreshes: 1, expiredTokenUses: 2, reuseDetections: 0 })
  expect(server.log.find(({ path, status }) => path === '/api/b' && status === 200)?.bodyText).toBe('note')
})

test('with MSW, the token server also answers axios', async () => {
  const { auth } = signedIn()
  const client = axios.create({ baseURL: server.origin })
  attachAuth(client, auth)
  server.expireAccessTokens()
  expect((await client.get('/api/me')).data).toMatchObject({ subject: 'ada', generation: 2 })
})

test('with MSW, a dropped connection is a network error, and the session retries', async () => {
  const { api } = signedIn()
  server.dropNext()
  server.expireAccessTokens()
  expect((await api('/api/me')).status).toBe(200)
  expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1 })
})

test('with MSW, a dropped connection is a network error even without a catch in the handler', async () => {
  const logged = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => logged.mockRestore())
  mock.use(http.post('*/token', ({ request }) => server.handle(request)))
  server.dropNext()
  await expect(fetch(`${server.origin}/token`, { method: 'POST' })).rejects.toThrow(TypeError)
})

test('with MSW, the test can hold and release a request', async () => {
  const { api } = signedIn()
  const held = server.holdNext()
  server.expireAccessTokens()
  const answer = api('/api/me')
  await held.arrived
  held.answer()
  expect((await answer).status).toBe(200)
})

test('with MSW, other handlers take precedence over the token server', async () => {
  mock.use(http.get(`${server.origin}/api/me`, () => HttpResponse.json({ mine: true })))
  const { api } = signedIn()
  expect(await (await api('/api/me')).json()).toEqual({ mine: true })
  expect(server.log).toEqual([])
})
