import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { deferred, startOrigin } from './support.ts'

describe.each(transports)('$name: requests in flight when a 401 arrives', ({ name, create, isAbort }) => {
  /** An API whose `/slow` answers a request with the first token only on command, and one with the second at once. */
  const startSlow = async () => {
    const bench = await setUp()
    const arrived = deferred()
    const letGo = deferred()
    const gone = deferred()
    const api = await startOrigin(async ({ url, method, headers }, reply) => {
      const stale = headers.authorization?.startsWith('Bearer at-1-1-')
      if (url.startsWith('/slow') && stale) {
        reply.once('close', () => {
          if (!reply.writableFinished) gone.resolve()
        })
        arrived.resolve()
        await letGo.promise
        return { headers: { 'content-type': 'application/json' }, body: '"late"' }
      }
      if (stale) return { status: 401 }
      return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(`${method} fresh`) }
    })
    const auth = await bench.signedIn()
    return { ...bench, auth, api, arrived: arrived.promise, letGo, gone: gone.promise }
  }

  const sendings = (api: { log: { url: string }[] }) => api.log.filter(({ url }) => url === '/slow').length

  test.each(['GET', 'OPTIONS'])(
    'abortInFlight safe: a slow %s is aborted, sent again, and gives one answer',
    async (method) => {
      const { api, auth, server, arrived, gone } = await startSlow()
      const client = create(auth, { origin: api.url, abortInFlight: 'safe' })

      const slow = client.request('/slow', { method })
      await arrived
      expect((await client.get('/other')).status).toBe(200)
      await gone

      const answer = await slow
      expect([answer.status, answer.json]).toEqual([200, `${method} fresh`])
      expect([sendings(api), server.refreshes]).toEqual([2, 1])
    },
  )

  test.each(['POST', 'PUT', 'DELETE'])(
    'abortInFlight safe: a slow %s is not aborted and runs once',
    async (method) => {
      const { api, auth, server, arrived, letGo } = await startSlow()
      const client = create(auth, { origin: api.url, abortInFlight: 'safe' })

      const slow = client.request('/slow', { method, body: { n: 1 } })
      await arrived
      expect((await client.get('/other')).status).toBe(200)
      letGo.resolve()

      expect((await slow).json).toBe('late')
      expect([sendings(api), server.refreshes]).toEqual([1, 1])
    },
  )

  test('abortInFlight safe: a slow OPTIONS whose body can be read once is not aborted', async () => {
    const { api, auth, server, arrived, letGo } = await startSlow()
    const client = create(auth, { origin: api.url, abortInFlight: 'safe' })

    // Node's http module sends no body with this method otherwise.
    const headers = name === 'axios (http adapter)' ? { 'transfer-encoding': 'chunked' } : {}
    const slow = client.request('/slow', {
      method: 'OPTIONS',
      headers,
      body: Readable.from([Buffer.from('once')]),
    })
    await arrived
    expect((await client.get('/other')).status).toBe(200)
    letGo.resolve()

    expect((await slow).json).toBe('late')
    expect([sendings(api), server.refreshes]).toEqual([1, 1])
  })

  test('abortInFlight never, the default: no request is aborted', async () => {
    const { api, auth, server, arrived, letGo } = await startSlow()
    const client = create(auth, { origin: api.url })

    const slow = client.get('/slow')
    await arrived
    expect((await client.get('/other')).status).toBe(200)
    letGo.resolve()

    expect((await slow).json).toBe('late')
    expect([sendings(api), server.refreshes]).toEqual([1, 1])
  })

  test('abortInFlight safe: the caller’s signal still aborts the request in flight, without a second sending', async () => {
    const { api, auth, server, arrived, gone } = await startSlow()
    const client = create(auth, { origin: api.url, abortInFlight: 'safe' })
    const controller = new AbortController()
    const why = new DOMException('enough', 'AbortError')

    const slow = client.get('/slow', { signal: controller.signal }).catch((error) => error)
    await arrived
    controller.abort(why)
    await gone

    expect(isAbort(await slow, why)).toBe(true)
    expect([sendings(api), server.tokenRequests]).toEqual([1, 0])
  })

  test('abortInFlight safe: the caller’s signal ends the wait of a request that was aborted to be sent again', async () => {
    const bench = await startSlow()
    const { api, arrived, gone, refresh, server } = bench
    const door = deferred()
    // This session controls its refresh; the first one is disposed of by the harness.
    const auth = bench.createAuth({
      refresh: async (request) => {
        await door.promise
        return refresh(request)
      },
      initialTokens: { ...server.issue(), access_token: 'at-1-1-in-hand' },
    })
    const client = create(auth, { origin: api.url, abortInFlight: 'safe' })
    const controller = new AbortController()
    const why = new DOMException('enough', 'AbortError')

    const slow = client.get('/slow', { signal: controller.signal }).catch((error) => error)
    await arrived
    const other = client.get('/other')
    await gone
    controller.abort(why)

    expect(isAbort(await slow, why)).toBe(true)
    door.resolve()
    expect((await other).status).toBe(200)
    expect(sendings(api)).toBe(1)
  })

  test('abortInFlight safe: an answer that has arrived is not discarded', async () => {
    const { api, auth, server } = await startSlow()
    const client = create(auth, { origin: api.url, abortInFlight: 'safe' })

    const answers = await Promise.all(['/a', '/b', '/c'].map((path) => client.get(path)))
    const before = api.log.length
    const again = await client.get('/a')

    expect([...answers, again].map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(server.refreshes).toBe(1)
    expect(api.log.length).toBe(before + 1)
  })
})
