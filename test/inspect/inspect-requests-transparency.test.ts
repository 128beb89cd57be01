import axios, { type AxiosError, CanceledError } from 'axios'
import { describe, expect, it } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { angularTransport } from '../conformance/angular-transport.ts'
import { setUp } from '../conformance/harness.ts'
import { transports as ours } from '../conformance/transports.ts'
import { closeGate, startOrigin, to } from '../transports/support.ts'
import { abortable, codeOf, outcome, watching } from './inspect-requests-harness.ts'

describe.each([...ours, angularTransport])('inspectRequests, $name', ({ create, isTimeout }) => {
  it('changes no timeout: a request that is held too long fails like without an observer', async () => {
    const { auth, url, server, open, first } = await closeGate()
    const client = create(auth, { origin: url })
    const facts = (error: unknown) => {
      const { name, message, code } = error as AxiosError
      return [isTimeout(error), name, message, code]
    }

    const alone = await outcome(client.get('/api/a', { timeout: 50 }))
    const { stories } = watching(auth)
    const seen = await outcome(client.get('/api/a', { timeout: 50 }))

    expect(facts(seen)).toEqual(facts(alone))
    expect(facts(seen)[0]).toBe(true)
    expect(stories()).toEqual([
      ['arrived GET /api/a', 'held', expect.stringMatching(/^rejected (hold_timeout|aborted)$/)],
    ])
    open()
    await first
    expect(to(server.log, '/api/a')).toEqual([])
  })

  it('changes no answer and no error', async () => {
    const answersOf = async (observed: boolean) => {
      const { signedIn, url, server } = await setUp()
      const auth = await signedIn()
      if (observed) watching(auth)
      const client = create(auth, { origin: url })
      const post = await client.post('/api/post', { n: 1 })
      server.expireAccessTokens()
      const replayed = await client.post('/api/post', { n: 2 })
      const answers = [post, replayed]
      for (const path of ['/api/always-401', '/api/step-up', '/api/forbidden', '/api/empty'])
        answers.push(await client.get(path))
      await auth.signOut()
      const anonymous = await client.get('/api/me')
      auth.dispose()
      const code = codeOf(await outcome(client.get('/api/me')))
      const received = [...answers, anonymous].map(({ status, json, givenAs }) => ({ status, json, givenAs }))
      return { received, code, sent: server.log.map(({ method, path, status }) => [method, path, status]) }
    }

    const alone = await answersOf(false)

    expect(await answersOf(true)).toEqual(alone)
    expect(alone.received.map(({ status }) => status)).toEqual([200, 200, 401, 401, 403, 204, 401])
    expect(alone.code).toBe('disposed')
  })
})

describe('inspectRequests', () => {
  it.each(['http', 'fetch'] as const)(
    'subtracts the hold from the timeout of axios (%s adapter)',
    async (adapter) => {
      const { auth, open } = await closeGate()
      const silent = await startOrigin(() => new Promise<undefined>(() => {}))
      const timeouts: (number | undefined)[] = []
      const send = axios.getAdapter(adapter)
      const instance = axios.create({
        baseURL: silent.url,
        adapter: (config) => {
          timeouts.push(config.timeout)
          return send(config)
        },
      })
      attachAuth(instance, auth)
      const { stories, seen } = watching(auth)

      const { signal, abort } = abortable()
      const call = outcome(instance.get('/never', { timeout: 60_000, signal }))
      await seen('held')
      setTimeout(open, 100)
      await seen('sent')
      abort()

      expect(await call).toBeInstanceOf(CanceledError)
      expect(timeouts).toHaveLength(1)
      expect(timeouts[0]).toBeLessThan(60_000 - 90)
      expect(timeouts[0]).toBeGreaterThan(0)
      await seen('rejected aborted')
      expect(stories()).toEqual([['arrived GET /never', 'held', 'sent', 'rejected aborted']])
    },
  )

  it('does not send a POST again that took effect before a redirect led to a refusal', async () => {
    const { signedIn } = await setUp()
    const api = await startOrigin(({ method }) =>
      method === 'POST' ? { status: 303, headers: { location: '/profile' } } : { status: 401 },
    )
    const auth = await signedIn()
    watching(auth)
    const request = createAuthFetch(auth, { origins: [api.url] })

    const answer = await request(`${api.url}/password`, { method: 'POST', body: '1' })

    expect(answer.status).toBe(401)
    expect(api.log.map(({ method }) => method)).toEqual(['POST', 'GET'])
  })
})
