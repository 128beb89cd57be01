import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/core/errors.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { angularTransport } from '../conformance/angular-transport.ts'
import { setUp } from '../conformance/harness.ts'
import { type Answer, transports as ours } from '../conformance/transports.ts'
import { closeGate, startOrigin } from '../transports/support.ts'
import { codeOf, outcome, watching } from './inspect-requests-harness.ts'

describe.each([...ours, angularTransport])('inspectRequests, $name', ({ create, isAbort }) => {
  it('reports a request whose caller aborts it while it is held, and in flight', async () => {
    const { auth, url, server, open, first } = await closeGate()
    const client = create(auth, { origin: url })
    const { stories, seen } = watching(auth)
    const [one, other] = [new AbortController(), new AbortController()]
    const why = new DOMException('enough', 'AbortError')

    const waiting = outcome(client.get('/api/a', { signal: one.signal }))
    await seen('held')
    one.abort(why)
    expect(isAbort(await waiting, why)).toBe(true)
    open()
    await first
    const held = server.holdApiNext()
    const flying = outcome(client.get('/api/b', { signal: other.signal }))
    await held.arrived
    other.abort(why)
    expect(isAbort(await flying, why)).toBe(true)
    await seen('rejected aborted', 2)

    expect(stories()).toEqual([
      ['arrived GET /api/a', 'held', 'rejected aborted'],
      ['arrived GET /api/b', 'sent', 'rejected aborted'],
    ])
  })

  it('reports a request that finds the queue full', async () => {
    const { auth, url, open, first } = await closeGate({ queueLimit: 1 })
    const { stories } = watching(auth)

    expect(codeOf(await outcome(create(auth, { origin: url }).get('/api/a')))).toBe('queue_full')

    expect(stories()).toEqual([['arrived GET /api/a', 'rejected queue_full']])
    open()
    await first
  })

  it('reports requests that are rejected because the session expired', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const { stories } = watching(auth)
    server.expireAccessTokens()
    server.killRefreshTokens()

    expect(codeOf(await outcome(client.get('/api/a')))).toBe('session_expired')
    expect(codeOf(await outcome(client.get('/api/b')))).toBe('session_expired')

    expect(stories()).toEqual([
      ['arrived GET /api/a', 'sent', 'answered 401', 'held', 'rejected session_expired'],
      ['arrived GET /api/b', 'rejected session_expired'],
    ])
  })

  it('reports no answer if the connection breaks', async () => {
    const { signedIn } = await setUp()
    const broken = await startOrigin((_, reply) => {
      reply.destroy()
      return undefined
    })
    const auth = await signedIn()
    const { stories } = watching(auth)

    const error = await outcome(create(auth, { origin: broken.url }).post('/a', {}))

    expect([(error as Answer).givenAs, error instanceof AuthError]).toEqual([undefined, false])

    expect(stories()).toEqual([['arrived POST /a', 'sent', 'rejected failed']])
  })
})

describe('inspectRequests', () => {
  it('reports no hold of a request that was aborted before it could be held', async () => {
    const { auth, url, open, first } = await closeGate()
    const { stories } = watching(auth)
    const signal = AbortSignal.abort(new DOMException('enough', 'AbortError'))

    const error = await outcome(createAuthFetch(auth, { origins: [url] })(`${url}/api/a`, { signal }))

    expect(error).toBe(signal.reason)
    expect(stories()).toEqual([['arrived GET /api/a', 'rejected aborted']])
    open()
    await first
  })

  it('reports requests that are rejected because the session was disposed', async () => {
    const { auth, url, first } = await closeGate()
    const { stories, seen } = watching(auth)
    const get = createAuthFetch(auth, { origins: [url] })

    const waiting = outcome(get(`${url}/api/a`))
    await seen('held')
    auth.dispose()

    expect([await waiting, await outcome(get(`${url}/api/b`))].map(codeOf)).toEqual(['disposed', 'disposed'])
    await outcome(first)
    expect(stories()).toEqual([
      ['arrived GET /api/a', 'held', 'rejected disposed'],
      ['arrived GET /api/b', 'rejected disposed'],
    ])
  })
})
