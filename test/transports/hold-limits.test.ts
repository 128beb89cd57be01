import { describe, expect, test } from 'vitest'
import { HoldTimeoutError, QueueFullError } from '../../src/index.ts'
import { entered, outcomes, setUp, times } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { closeGate, to } from './support.ts'

describe.each(transports)('$name: limits of the hold', ({ create }) => {
  test('a request that waits longer than timeouts.hold is rejected, and was never sent', async () => {
    const { server, url, auth, first } = await closeGate({ timeouts: { hold: 100 } })
    const client = create(auth, { origin: url })

    const [error] = await outcomes([client.get('/api/a')])

    expect(error).toBeInstanceOf(HoldTimeoutError)
    await expect(first).rejects.toBeInstanceOf(HoldTimeoutError)
    expect(to(server.log, '/api/a')).toEqual([])
  })

  test('a token endpoint that hangs does not keep a refused request longer than timeouts.hold', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn({ timeouts: { hold: 100 } })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.hangNext(1)

    const [error] = await outcomes([client.post('/api/a', { n: 1 })])

    expect(error).toBeInstanceOf(HoldTimeoutError)
    expect(to(server.log, '/api/a').map(({ status }) => status)).toEqual([401])
    expect([auth.state, server.tokenRequests]).toEqual(['refreshing', 1])
  })

  test('one request more than queueLimit is rejected, and the others are sent', async () => {
    // The request whose 401 closed the gate takes one place.
    const { server, url, auth, open, first } = await closeGate({ queueLimit: 4 })
    const client = create(auth, { origin: url })
    const authenticated = entered(auth, 'authenticated')

    const calls = times(4, (index) => client.get(`/api/item/${index}`))
    const [error] = await outcomes([calls[3]!])
    open()
    await authenticated

    expect(error).toBeInstanceOf(QueueFullError)
    expect((await Promise.all(calls.slice(0, 3))).map(({ status }) => status)).toEqual([200, 200, 200])
    expect((await first).status).toBe(200)
    expect(to(server.log, '/api/item/3')).toEqual([])
  })

  test('a request with a 401 that finds the queue full is rejected after one sending', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn({ queueLimit: 1 })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.tokenDelay = 20

    const results = await outcomes(times(3, (index) => client.get(`/api/item/${index}`)))

    const full = results.filter((result) => result instanceof QueueFullError)
    expect(full).toHaveLength(2)
    expect(results.filter((result) => (result as { status?: number }).status === 200)).toHaveLength(1)
    expect(server.refreshes).toBe(1)
  })
})
