import { Agent, request } from 'undici'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { authInterceptor } from '../../src/transports/undici.ts'
import { setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { startOrigin } from './support.ts'

/** An API that repeats what it gets, and a session whose page has another global `Promise`, as with Zone.js. */
const start = async () => {
  const { signedIn, server } = await setUp()
  const api = await startOrigin(({ body }) => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(String(body)),
  }))
  const auth = await signedIn()
  // Async functions return the promises of the platform all the same.
  vi.stubGlobal('Promise', class extends Promise<unknown> {})
  onTestFinished(() => void vi.unstubAllGlobals())
  return { auth, api, server }
}

test.each(transports)(
  '$name: with another global Promise, an async isChallenge that answers no sends nothing again',
  async ({ create }) => {
    const { auth, api, server } = await start()
    const client = create(auth, { origin: api.url, isChallenge: async () => false })

    expect((await client.request('/a', { method: 'POST', body: { n: 1 } })).status).toBe(200)
    expect([api.log.length, server.tokenRequests]).toEqual([1, 0])
  },
)

test('with another global Promise, fetch and undici send a buffered stream', async () => {
  const { auth, api } = await start()
  const options = { origins: [api.url], bufferStreams: true }
  const stream = () => new Blob(['streamed']).stream()
  const init = { method: 'POST', body: stream(), duplex: 'half' } as RequestInit
  const dispatcher = new Agent().compose(authInterceptor(auth, options))
  onTestFinished(() => dispatcher.close())

  expect(await (await createAuthFetch(auth, options)(api.url, init)).json()).toBe('streamed')
  const answer = await request(api.url, { method: 'POST', body: stream() as never, dispatcher })
  expect(await answer.body.json()).toBe('streamed')
})
