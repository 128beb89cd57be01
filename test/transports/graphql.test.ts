import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuth, isSessionError, RefreshUnavailableError, SessionExpiredError } from '../../src/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { graphqlChallenge, trpcChallenge } from '../../src/transports/graphql.ts'

const json = (body: unknown, init: ResponseInit & { type?: string } = {}) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    ...init,
    headers: { 'content-type': init.type ?? 'application/json', ...init.headers },
  })

const refusal = (code = 'UNAUTHENTICATED') => ({ message: 'no', extensions: { code } })

describe('graphqlChallenge', () => {
  const isChallenge = graphqlChallenge()

  it.each<[string, Response]>([
    ['no data', json({ errors: [refusal()] })],
    ['data that is null', json({ data: null, errors: [refusal()] })],
    ['fields that are all null', json({ data: { me: null }, errors: [refusal()] })],
    [
      'the media type of GraphQL',
      json({ errors: [refusal()] }, { type: 'application/graphql-response+json' }),
    ],
    [
      'fields that are all refused',
      json({
        data: { me: null, pay: null },
        errors: [
          { ...refusal(), path: ['me'] },
          { ...refusal(), path: ['pay'] },
        ],
      }),
    ],
    ['a mutation that cannot be null', json({ data: null, errors: [{ ...refusal(), path: ['pay'] }] })],
    ['a batch of refusals', json([{ errors: [refusal()] }, { errors: [refusal()] }])],
    ['a bare 401', new Response(null, { status: 401 })],
    ['a 401 with a body', json({ errors: [] }, { status: 401 })],
  ])('recognises a refused token: %s', async (_, answer) => {
    expect(await isChallenge(answer)).toBe(true)
  })

  it.each<[string, Response]>([
    ['a success', json({ data: { me: {} } })],
    ['data beside the refusal', json({ data: { pay: { id: 1 }, me: null }, errors: [refusal()] })],
    [
      'a refusal of a field of a mutation that has run',
      json({ data: { transfer: null }, errors: [{ ...refusal(), path: ['transfer', 'account'] }] }),
    ],
    [
      'a refusal of a field of a mutation that has run and cannot be null',
      json({ data: null, errors: [{ ...refusal(), path: ['transfer', 'account'] }] }),
    ],
    [
      'a refusal beside a mutation without a result',
      json({ data: { clear: null, audit: null }, errors: [{ ...refusal(), path: ['audit'] }] }),
    ],
    [
      'a refusal without a path that may be about one of two fields',
      json({ data: { clear: null, audit: null }, errors: [refusal()] }),
    ],
    ['another error', json({ data: null, errors: [refusal('FORBIDDEN')] })],
    ['a batch with a success', json([{ data: { pay: 1 } }, { errors: [refusal()] }])],
    ['an empty batch', json([])],
    ['a text', json('UNAUTHENTICATED', { type: 'text/plain' })],
    ['a stream of events', json({ errors: [refusal()] }, { type: 'text/event-stream' })],
    ['broken JSON', json('{"errors":[')],
    ['JSON of other shapes', json('"x"')],
    ['a long answer', json({ data: { text: 'x'.repeat(70_000) }, errors: [refusal()] })],
    ['an empty answer', new Response(null, { status: 204 })],
    [
      'a 401 about a scope',
      new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_request"' } }),
    ],
  ])('leaves alone: %s', async (_, answer) => {
    expect(await isChallenge(answer)).toBe(false)
  })

  it('takes other codes', async () => {
    expect(await graphqlChallenge(['TOKEN_EXPIRED'])(json({ errors: [refusal('TOKEN_EXPIRED')] }))).toBe(true)
    expect(await graphqlChallenge(['TOKEN_EXPIRED'])(json({ errors: [refusal()] }))).toBe(false)
  })

  it('leaves the answer readable, whatever its length', async () => {
    for (const length of [10, 60_000, 500_000]) {
      const text = JSON.stringify({ data: { text: 'x'.repeat(length) } })
      const answer = json(text)
      await isChallenge(answer)
      expect(await answer.text()).toBe(text)
    }
  })
})

describe('trpcChallenge', () => {
  const isChallenge = trpcChallenge()
  const refused = { error: { message: 'no', code: -32001, data: { code: 'UNAUTHORIZED', httpStatus: 401 } } }
  const transformed = { error: { json: refused.error } }
  const success = { result: { data: 1 } }

  /** A `Response` made by hand has no URL. */
  const batch = (calls: unknown, url = 'https://api.example.com/trpc/a,b?batch=1', status = 207) =>
    Object.defineProperty(json(calls, { status }), 'url', { value: url })

  it.each([
    ['each call of a batch', batch([refused, refused])],
    ['with a transformer', batch([transformed])],
    [
      'one query of a batch',
      batch([success, refused], 'https://api.example.com/trpc/a,b?batch=1&input=%7B%7D'),
    ],
    ['a single call', batch(refused, undefined, 401)],
  ])('recognises a refused token: %s', async (_, answer) => {
    expect(await isChallenge(answer)).toBe(true)
  })

  it.each([
    ['a batch of mutations of which one succeeded', batch([success, refused])],
    ['a batch of successes', batch([success, success])],
    ['another error', batch([{ error: { data: { code: 'FORBIDDEN' } } }])],
    ['an empty batch', batch([])],
    ['a status other than 207', batch([refused], undefined, 200)],
  ])('leaves alone: %s', async (_, answer) => {
    expect(await isChallenge(answer)).toBe(false)
  })
})

it('a refusal inside a 200 costs one refresh, and each request goes again', async () => {
  let sent = 0
  const server = createServer((request, response) => {
    sent++
    const works = request.headers.authorization === 'Bearer at-1'
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(works ? { data: { me: 'ada' } } : { errors: [refusal()] }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let refreshes = 0
  const auth = createAuth({
    refresh: async () => ({ access_token: `at-${++refreshes}`, refresh_token: 'rt' }),
    initialTokens: { access_token: 'at-0', refresh_token: 'rt' },
  })
  onTestFinished(auth.dispose)
  const api = createAuthFetch(auth, { origins: [origin], isChallenge: graphqlChallenge() })
  const query = async () =>
    (await api(`${origin}/graphql`, { method: 'POST', body: '{"query":"{me}"}' })).json()
  const answers = await Promise.all(Array.from({ length: 20 }, query))
  expect(answers).toEqual(Array.from({ length: 20 }, () => ({ data: { me: 'ada' } })))
  expect({ refreshes, sent }).toEqual({ refreshes: 1, sent: 40 })
})

describe('isSessionError', () => {
  it('recognises the errors of the library, also inside those of clients', () => {
    const own = new SessionExpiredError({ reason: 'invalid_grant' })
    const wrapped = [
      own,
      new RefreshUnavailableError(),
      new Error('fetch failed', { cause: own }),
      { networkError: own },
      { cause: { cause: { originalError: own } } },
    ]
    expect(wrapped.map(isSessionError)).toEqual(wrapped.map(() => true))
  })

  it('takes nothing else for one, and ends on circles', () => {
    const circle: { cause?: unknown } = {}
    circle.cause = circle
    const others = [undefined, null, 'x', new Error('x'), { code: 'session_expired' }, circle]
    expect(others.map(isSessionError)).toEqual(others.map(() => false))
  })
})
