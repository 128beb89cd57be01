import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { type Client, transports } from '../conformance/transports.ts'
import { startOrigin } from './support.ts'

/** A token endpoint that allows five refreshes, and endpoints that refuse every token under /no. */
const startStrictServer = async () => {
  let refreshes = 0
  const server = await startOrigin(({ url, headers, body }) => {
    if (url === '/token') {
      if (++refreshes > 5) return { status: 429, headers: { 'retry-after': '60' } }
      return { body: JSON.stringify({ access_token: `at-${refreshes}`, refresh_token: 'rt' }) }
    }
    const isValid = headers.authorization === `Bearer at-${refreshes}`
    return { status: isValid && !url.startsWith('/no') && String(body) !== 'secret' ? 200 : 401, body: '{}' }
  })
  const auth = createAuth({
    initialTokens: { access_token: 'at-0', refresh_token: 'rt' },
    async refresh({ signal }) {
      const response = await fetch(`${server.url}/token`, { method: 'POST', signal })
      if (!response.ok) throw response
      return response.json()
    },
    timeouts: { hold: 2_000 },
  })
  return { url: server.url, auth, refreshes: () => refreshes }
}

type Poll = (client: Client, n: number) => Promise<unknown>

const polls: readonly (readonly [string, number, Poll])[] = [
  ['two paths', 2, ({ get }, n) => get(`/no/${n % 2}`)],
  ['two methods of one path', 2, ({ request }, n) => request('/no', { method: n % 2 ? 'GET' : 'POST' })],
  ['an id for each request', 3, ({ get }, n) => get(`/no/${crypto.randomUUID()}/${n}`)],
  ['two operations of one path', 1, ({ post }, n) => post('/graphql', n % 2 ? 'secret' : 'public')],
  ['bodies that can be read once', 1, ({ post }) => post('/no', Readable.from(['x']))],
]

describe.each(transports)('$name: endpoints that refuse every token', ({ create, name }) => {
  test.each(polls)(
    '%s cost at most %i refreshes, and no other endpoint waits for them',
    async (_, most, poll) => {
      const { url, auth, refreshes } = await startStrictServer()
      const client = create(auth, { origin: url })
      for (let n = 0; n < 12; n++) {
        await poll(client, n).catch((error: unknown) => expect(error, name).toBeUndefined())
        expect((await client.get('/good')).status).toBe(200)
      }
      expect(refreshes()).toBeLessThanOrEqual(most)
      auth.dispose()
    },
  )
})
