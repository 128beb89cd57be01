import { describe, expect, test } from 'vitest'
import { createTokenServer, type TokenServerOptions } from '../../src/testing/token-server/token-server.ts'

const SIGN_IN = { grant_type: 'password', username: 'ada', password: 'correct', cookie: '1' }
const REFRESH = { grant_type: 'refresh_token', cookie: '1' }

const setUp = (options: TokenServerOptions) => {
  const server = createTokenServer(options)
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    server.fetch(path, { method: 'POST', credentials: 'include', headers, body: new URLSearchParams(fields) })
  return { server, post }
}

describe('the csrfHeader option', () => {
  const OWN = { 'X-Requested-By': 'app' }

  test('csrfHeader accepts requests with the header and rejects requests that have only the cookie', async () => {
    const { server, post } = setUp({ csrfHeader: 'x-requested-by' })
    expect((await post('/token', SIGN_IN)).status).toBe(403)
    expect((await post('/token', SIGN_IN, OWN)).status).toBe(200)
    for (const [path, fields] of [
      ['/token', REFRESH],
      ['/token', { grant_type: 'refresh_token' }],
      ['/token/revoke', {}],
    ] as const) {
      const refused = await post(path, fields)
      expect(refused.status).toBe(403)
      expect(await refused.json()).toMatchObject({ error: 'invalid_request' })
      expect(refused.headers.getSetCookie()).toEqual([])
    }
    expect(server).toMatchObject({ refreshes: 0, revocations: 0, reuseDetections: 0 })
    expect((await post('/token', REFRESH, OWN)).status).toBe(200)
    expect((await post('/token/revoke', {}, OWN)).status).toBe(200)
    expect(server).toMatchObject({ refreshes: 1, revocations: 1 })
  })

  test('csrfHeader is not required if the refresh token is in the body', async () => {
    const { server, post } = setUp({ csrfHeader: 'x-requested-by' })
    const { refresh_token } = server.issue()
    expect((await post('/token', { grant_type: 'refresh_token', refresh_token })).status).toBe(200)
  })

  test('csrfHeader must be the name of a header', () => {
    expect(() => createTokenServer({ csrfHeader: 1 as never })).toThrow(
      'createTokenServer: csrfHeader must be the name of a header, not 1.',
    )
  })
})

test('the cookie is Secure if secureCookie is true', async () => {
  const { post } = setUp({ secureCookie: true })
  const [cookie = ''] = (await post('/token', SIGN_IN)).headers.getSetCookie()
  expect(cookie).toMatch(
    /^refresh_token=rt-1-1-[0-9a-f]{32}; HttpOnly; Secure; SameSite=Strict; Path=\/token$/,
  )
  expect((await post('/token', REFRESH)).status).toBe(200)
  expect(() => createTokenServer({ secureCookie: 'yes' as never })).toThrow(
    "createTokenServer: secureCookie must be true or false, not 'yes'.",
  )
})
