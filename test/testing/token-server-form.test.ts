import { describe, expect, test } from 'vitest'
import { createAuth, SessionExpiredError } from '../../src/index.ts'
import { createTokenServer, type TokenServerOptions } from '../../src/testing/token-server/token-server.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

/** An API with names of its own, and with status codes of its own for refusals. */
const FORM = {
  paths: { signIn: '/v1/login', refresh: '/v1/refresh', revoke: 'DELETE /v1/session', api: '/v1/' },
  parse: ({ email, password, refreshToken }) => ({ username: email, password, refresh_token: refreshToken }),
  format: ({ access_token, refresh_token, expires_in }, { subject }) => ({
    data: {
      accessToken: access_token,
      refreshToken: refresh_token,
      expiresIn: expires_in,
      user: { subject },
    },
  }),
  formatError: ({ error_description }) => Response.json({ message: error_description }, { status: 401 }),
} satisfies TokenServerOptions

const setUp = (options: TokenServerOptions = {}) => {
  const server = createTokenServer({ ...FORM, ...options })
  const call = (method: string, path: string, body: object, headers: Record<string, string> = {}) =>
    server.fetch(path, {
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  return { server, call, post: (path: string, body: object) => call('POST', path, body) }
}

describe('paths, parse and format', () => {
  test('an app with an API of its own signs in, refreshes once, signs out and receives the end of its session', async () => {
    const { server, call, post } = setUp()
    const tokensOf = async (answer: Promise<Response>) => {
      const response = await answer
      if (!response.ok) throw response
      return (await response.json()).data
    }
    using auth = createAuth({
      signIn: (user: { email: string; password: string }) => tokensOf(post('/v1/login', user)),
      refresh: ({ refreshToken }) => tokensOf(post('/v1/refresh', { refreshToken })),
      revoke: ({ refreshToken }) => call('DELETE', '/v1/session', { refreshToken }),
    })
    const api = createAuthFetch(auth, { fetch: server.fetch, origins: [server.origin] })
    await expect(auth.signIn({ email: 'ada', password: 'wrong' })).rejects.toMatchObject({ status: 401 })
    await auth.signIn({ email: 'ada', password: 'correct' })
    expect(auth.session?.user).toEqual({ subject: 'ada' })

    server.expireAccessTokens()
    const answers = await Promise.all([1, 2, 3].map(() => api(`${server.origin}/v1/me`)))
    expect(await answers[0]?.json()).toMatchObject({ path: '/v1/me', subject: 'ada', generation: 2 })
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 1 })

    await auth.signOut()
    expect(server.revocations).toBe(1)

    await auth.signIn({ email: 'ada', password: 'correct' })
    server.killRefreshTokens()
    server.expireAccessTokens()
    await expect(api(`${server.origin}/v1/me`)).rejects.toThrow(SessionExpiredError)
  })

  test('refusals are written by formatError; without it they are OAuth errors', async () => {
    const refused = await setUp().post('/v1/refresh', { refreshToken: 'unknown' })
    expect([refused.status, await refused.json()]).toEqual([
      401,
      { message: 'The refresh token is unknown or revoked' },
    ])
    const plain = createTokenServer({ paths: { refresh: '/refresh' } })
    const answer = await plain.fetch('/refresh', { method: 'POST', body: new URLSearchParams() })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'There is no refresh token' },
    ])
  })

  test('format may return a Response, with a status and headers of its own', async () => {
    const { post } = setUp({
      format: ({ access_token }) => new Response(access_token, { status: 201, headers: { 'x-own': 'yes' } }),
    })
    const answer = await post('/v1/login', { email: 'ada', password: 'correct' })
    expect([answer.status, answer.headers.get('x-own')]).toEqual([201, 'yes'])
    expect(await answer.text()).toMatch(/^at-1-1-/)
  })

  test('parse receives the endpoint and the headers, and may ask for a cookie', async () => {
    const seen: unknown[] = []
    const { server, call } = setUp({
      parse: ({ email, password }, { endpoint, headers }) => {
        seen.push([endpoint, headers.get('x-client')])
        return { username: email, password, cookie: 1 }
      },
    })
    const own = { 'x-client': 'web' }
    const signedIn = await call('POST', '/v1/login', { email: 'ada', password: 'correct' }, own)
    expect(signedIn.headers.getSetCookie()[0]).toMatch(/; Path=\/$/)
    expect((await signedIn.json()).data).not.toHaveProperty('refreshToken')
    expect((await call('POST', '/v1/refresh', {}, own)).status).toBe(200)
    expect((await call('DELETE', '/v1/session', {}, own)).headers.getSetCookie()[0]).toMatch(/Max-Age=0$/)
    expect(seen).toEqual([
      ['signIn', 'web'],
      ['refresh', 'web'],
      ['revoke', 'web'],
    ])
    expect(server).toMatchObject({ refreshes: 1, revocations: 1 })
  })

  test('the log knows the generation of a token in a body that parse reads', async () => {
    const { server, post } = setUp()
    await post('/v1/refresh', { refreshToken: server.issue().refresh_token })
    expect(server.log[0]).toMatchObject({ path: '/v1/refresh', generation: 1 })
  })

  test('scripted faults apply to the sign-in and the refresh of an own path', async () => {
    const { server, post } = setUp()
    server.failNext(2, { status: 503 })
    expect((await post('/v1/login', { email: 'ada', password: 'correct' })).status).toBe(503)
    expect((await post('/v1/refresh', {})).status).toBe(503)
    expect(server).toMatchObject({ tokenRequests: 1, pendingScripts: 0 })
  })

  test('routes and the special paths of the API begin with paths.api', async () => {
    const { server } = setUp({ routes: { '/v1/list': { handler: () => Response.json(['Tea']) } } })
    const get = (path: string) =>
      server.fetch(path, { headers: { authorization: `Bearer ${server.issue().access_token}` } })
    expect(await (await get('/v1/list')).json()).toEqual(['Tea'])
    expect((await get('/v1/forbidden')).status).toBe(403)
    expect((await get('/api/me')).status).toBe(404)
    expect((await get('/token')).status).toBe(404)
  })

  test('another method is answered 405 with the one that is allowed', async () => {
    const { call } = setUp()
    const answer = await call('PUT', '/v1/session', {})
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'DELETE'])
  })

  test('a sign-in may be a multipart form', async () => {
    const server = createTokenServer()
    const body = new FormData()
    body.append('username', 'ada')
    body.append('picture', new Blob(['x']), 'ada.png')
    const signIn = () => server.fetch('/session', { method: 'POST', body })
    expect((await signIn()).status).toBe(400)
    body.append('password', 'correct')
    expect((await signIn()).status).toBe(200)
    const headers = { 'content-type': 'multipart/form-data; boundary=none' }
    const broken = await server.fetch('/session', { method: 'POST', body: 'x', headers })
    expect((await broken.json()).error_description).toBe('There is no username')
  })

  test.each([
    ['{"username":"ada"}', "The body is JSON, but its content-type is 'text/plain;charset=UTF-8'"],
    ['ada', 'There is no username'],
  ])('a refused sign-in with the text %s as its body says why', async (body, description) => {
    const answer = await createTokenServer().fetch('/session', { method: 'POST', body })
    expect(await answer.json()).toEqual({ error: 'invalid_request', error_description: description })
  })

  test('with a cookie, the body of a refresh does not matter', async () => {
    const { server, call } = setUp({ parse: (body) => ({ username: body.email, ...body, cookie: 1 }) })
    await call('POST', '/v1/login', { email: 'ada', password: 'correct' })
    expect((await server.fetch('/v1/refresh', { method: 'POST', body: '{}' })).status).toBe(200)
  })

  test.each(['parse', 'format', 'formatError'] as const)('%s cannot be asynchronous', async (name) => {
    const { post } = setUp({ [name]: async (given: object) => given })
    const password = name === 'formatError' ? 'wrong' : 'correct'
    const answer = await post('/v1/login', { email: 'ada', password })
    expect([answer.status, (await answer.json()).error_description]).toEqual([
      500,
      `A function of the test threw: TypeError: ${name} must not be asynchronous.`,
    ])
  })

  test('what a function of the test throws is answered 500 with the mistake', async () => {
    const { post } = setUp({
      parse: () => {
        throw new Error('no such field')
      },
    })
    const answer = await post('/v1/login', {})
    expect([answer.status, (await answer.json()).error_description]).toEqual([
      500,
      'A function of the test threw: Error: no such field',
    ])
  })

  test.each([
    [
      { paths: { refresh: 'refresh' } },
      "paths.refresh must be a path that begins with a slash, such as '/login', not 'refresh'",
    ],
    [{ paths: { api: '/v1' } }, "paths.api must be a path that begins and ends with a slash, not '/v1'"],
    [{ paths: { signIn: '/one', refresh: 'POST /one' } }, "paths: two of them are 'POST /one'"],
    [{ parse: 1 as never }, 'parse must be a function, not 1'],
    [{ format: {} as never }, 'format must be a function, not an object'],
    [
      { paths: { api: '/v1/' }, routes: { '/api/me': {} } },
      "routes must be paths that begin with '/v1/', not '/api/me'",
    ],
  ] as const)('%o is refused', (options, message) => {
    expect(() => createTokenServer(options)).toThrow(`createTokenServer: ${message}.`)
  })
})
