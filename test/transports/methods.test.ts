import { describe, expect, test } from 'vitest'
import { setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { startOrigin, to } from './support.ts'

const withBody = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
const bare = ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST'] as const

describe.each(transports)('$name: methods', ({ create }) => {
  /** An API that accepts only the second token of the session. */
  const staleClient = async () => {
    const { signedIn, server } = await setUp()
    const api = await startOrigin(({ method, headers }) =>
      headers.authorization?.startsWith('Bearer at-1-1-')
        ? { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' }, body: '{"no":1}' }
        : { headers: { 'x-method': method, 'content-type': 'application/json' }, body: '{"ok":1}' },
    )
    return { client: create(await signedIn(), { origin: api.url }), api, server }
  }

  test.each(bare)('%s without a body is replayed unchanged', async (method) => {
    const { client, api, server } = await staleClient()

    const answer = await client.request('/item', { method })

    expect([answer.status, answer.headers.get('x-method')]).toEqual([200, method])
    expect(answer.json ?? undefined).toEqual(method === 'HEAD' ? undefined : { ok: 1 })
    expect(api.log.map(({ method: sent, body }) => [sent, body.length])).toEqual([
      [method, 0],
      [method, 0],
    ])
    expect(server.refreshes).toBe(1)
  })

  test.each(withBody)('%s with a body is replayed with it', async (method) => {
    const { client, api } = await staleClient()

    const answer = await client.request('/item', { method, body: { n: 1 } })

    expect([answer.status, answer.headers.get('x-method')]).toEqual([200, method])
    expect(api.log.map(({ method: sent, body }) => [sent, String(body)])).toEqual([
      [method, '{"n":1}'],
      [method, '{"n":1}'],
    ])
    expect(api.log[0]!.headers['content-type']).toBe('application/json')
    expect(api.log[1]!.headers['content-type']).toBe('application/json')
  })

  test.each(['GET', 'DELETE', 'PUT'])(
    'a %s whose replay is answered by a 204 gives an empty answer',
    async (method) => {
      const { server, url, signedIn } = await setUp()
      const client = create(await signedIn(), { origin: url })
      server.expireAccessTokens()

      const answer = await client.request('/api/empty', { method })

      expect([answer.status, answer.json ?? undefined]).toEqual([204, undefined])
      expect(to(server.log, '/api/empty').map(({ status }) => status)).toEqual([401, 204])
    },
  )

  test('a 401 with an empty body leads to a replay like any other', async () => {
    const { signedIn } = await setUp()
    const api = await startOrigin(({ headers }) =>
      headers.authorization?.startsWith('Bearer at-1-1-') ? { status: 401 } : { body: '"yes"' },
    )
    const client = create(await signedIn(), { origin: api.url })

    const answer = await client.get('/item')

    expect(answer.status).toBe(200)
    expect(api.log).toHaveLength(2)
  })

  test('both sendings have the query string and the fragment as given', async () => {
    const { client, api } = await staleClient()

    expect((await client.get('/item?q=a%20b&q=%C3%BC#part')).status).toBe(200)

    expect(api.log.map(({ url }) => url)).toEqual(['/item?q=a%20b&q=%C3%BC', '/item?q=a%20b&q=%C3%BC'])
  })
})
