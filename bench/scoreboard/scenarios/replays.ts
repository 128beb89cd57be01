import { same } from '../check.ts'
import { allAnswer, begun, type Scenario } from '../scenario.ts'

const theme = 'replayed requests'
const TEXT = 'plain text, with an umlaut: ü\r\n'
const QUERY = '?q=a%20b&q=%C3%BC'

export const replays: readonly Scenario[] = [
  ...['POST', 'PUT', 'PATCH', 'DELETE'].map(
    (method): Scenario => ({
      theme,
      title: `a ${method} is replayed with the same query, headers and bytes`,
      needs: ['recovers'],
      async run({ open }) {
        const { server, client, apiLog } = await open()
        server.expireAccessTokens()
        const headers = { 'content-type': 'text/x-own', 'x-trace': 'abc' }
        await allAnswer(200, [begun(client.request(`/api/item${QUERY}`, { method, headers, body: TEXT }))])

        const sent = apiLog().map((entry) => [
          entry.method,
          entry.search,
          entry.bodyText,
          entry.headers['content-type'],
          entry.headers['x-trace'],
        ])
        same('what the server received', sent, Array(2).fill([method, QUERY, TEXT, 'text/x-own', 'abc']))
      },
    }),
  ),
  {
    theme,
    title: 'an object body is replayed as the same JSON',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      server.expireAccessTokens()
      const body = { name: 'Ädä', list: [1, null] }
      await allAnswer(200, [begun(client.request('/api/item', { method: 'POST', body }))])

      const sent = apiLog().map(({ bodyText, headers }) => [
        bodyText,
        headers['content-type']?.startsWith('application/json'),
      ])
      same('what the server received', sent, Array(2).fill([JSON.stringify(body), true]))
    },
  },
  {
    theme,
    title: 'an empty answer to a replay is returned as an empty answer',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open()
      server.expireAccessTokens()
      const { status, json } = await client.request('/api/empty')
      same('the answer', [status, json ?? null], [204, null])
    },
  },
]
