import type { Suite } from '../suite.ts'

const TEXT = 'plain text, with an umlaut: ü\r\n'

export const replays = ({ theme, scenario, expect }: Suite) =>
  theme('replayed requests', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      scenario(`a ${method} is replayed with the same query, headers and bytes`, async (setUp) => {
        const { server, connect, signedIn, apiLog } = await setUp()
        const client = connect(await signedIn())
        server.expireAccessTokens()

        const answer = await client.request('/api/item?q=a%20b&q=%C3%BC', {
          method,
          headers: { 'content-type': 'text/x-own', 'x-trace': 'abc' },
          body: TEXT,
        })

        expect(answer).toMatchObject({ status: 200, json: { method, path: '/api/item', generation: 2 } })
        const sent = {
          method,
          path: '/api/item',
          search: '?q=a%20b&q=%C3%BC',
          bodyText: TEXT,
          headers: { 'content-type': 'text/x-own', 'x-trace': 'abc' },
        }
        expect(apiLog()).toMatchObject([
          { ...sent, generation: 1, status: 401 },
          { ...sent, generation: 2, status: 200 },
        ])
      })
    }

    scenario('an object body is replayed as the same JSON', async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const client = connect(await signedIn())
      server.expireAccessTokens()

      expect((await client.post('/api/item', { name: 'Ädä', list: [1, null] })).status).toBe(200)

      expect(apiLog().map(({ bodyText }) => bodyText)).toEqual(
        Array(2).fill('{"name":"Ädä","list":[1,null]}'),
      )
      for (const { headers } of apiLog()) expect(headers['content-type']).toMatch(/^application\/json\b/)
    })

    scenario('an empty answer to a replay is returned as an empty answer', async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const client = connect(await signedIn())
      server.expireAccessTokens()

      const { status, json } = await client.get('/api/empty')

      expect([status, json ?? undefined]).toEqual([204, undefined])
      expect(apiLog().map((request) => request.status)).toEqual([401, 204])
    })
  })
