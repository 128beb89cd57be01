import { describe, expect, test } from 'vitest'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { type Reply, startOrigin } from './support.ts'

/** An API that answers a request with the session's first token by `refusal`, and any other by a 200. */
const startApi = (refusal: Reply) =>
  startOrigin(({ headers }) =>
    headers.authorization?.startsWith('Bearer at-1-1-') ? refusal : { body: '{"ok":true}' },
  )

/** The statuses and `WWW-Authenticate` headers that ask for a new token. */
const refreshChallenges: readonly (readonly [what: string, header: string | string[] | undefined])[] = [
  ['without the header', undefined],
  ['with an empty header', ''],
  ['with Bearer alone', 'Bearer'],
  ['with a realm only', 'Bearer realm="api"'],
  ['with invalid_token', 'Bearer error="invalid_token"'],
  ['with invalid_token as a bare token', 'Bearer error=invalid_token'],
  ['with invalid_token in other letters', 'bEARER ERROR="invalid_token"'],
  ['with spaces around the equals sign', 'Bearer realm = "api" , error = "invalid_token"'],
  ['with Basic alone', 'Basic realm="api"'],
  ['with another scheme’s error', 'Negotiate error="invalid_request", Bearer error="invalid_token"'],
  ['with another scheme’s error after Bearer', 'Bearer realm="a", Digest error="insufficient_scope"'],
  ['with commas in quotes', 'Bearer realm="a, error=\\"invalid_request\\", b", error="invalid_token"'],
  [
    'with a scheme’s name in quotes',
    'Basic realm="x, Bearer error=invalid_request", Bearer error="invalid_token"',
  ],
  ['with two headers', ['Basic realm="a"', 'Bearer error="invalid_token"']],
]

const refusals: readonly (readonly [what: string, header: string | string[]])[] = [
  ['with invalid_request', 'Bearer error="invalid_request"'],
  ['with invalid_request as a bare token', 'Bearer realm="api",error=invalid_request'],
  [
    'with invalid_request among other schemes',
    'Basic realm="a", Bearer error="invalid_request", Digest nonce="n"',
  ],
  [
    'with an error of another specification',
    'Bearer error="something_else", error_description="expired, sort of"',
  ],
  ['with quotes in a quoted string', 'Bearer realm="say \\"x\\", please", error="invalid_request"'],
  ['with invalid_request in the second header', ['Basic realm="a"', 'Bearer error="invalid_request"']],
]

const withHeader = (header: string | string[] | undefined) =>
  header === undefined ? {} : { headers: { 'www-authenticate': header } }

describe.each(transports)('$name: what counts as a challenge', ({ create, givesRefusalsAs }) => {
  test.each(refreshChallenges)('a 401 %s leads to a refresh', async (_, header) => {
    const { signedIn, server } = await setUp()
    const api = await startApi({ status: 401, ...withHeader(header) })
    const client = create(await signedIn(), { origin: api.url })

    expect((await client.get('/a')).status).toBe(200)

    expect([api.log.length, server.refreshes]).toEqual([2, 1])
  })

  test.each(refusals)('a 401 %s is returned to the caller', async (_, header) => {
    const { signedIn, server, events } = await setUp()
    const api = await startApi({ status: 401, ...withHeader(header) })
    const client = create(await signedIn(), { origin: api.url })

    const answer = await client.get('/a')

    expect([answer.status, answer.givenAs]).toEqual([401, givesRefusalsAs])
    expect([api.log.length, server.tokenRequests, events]).toEqual([1, 0, []])
  })

  test.each([400, 403, 404, 419, 500])('a %i is returned to the caller', async (status) => {
    const { signedIn, server } = await setUp()
    const api = await startApi({ status, ...withHeader('Bearer error="invalid_token"') })
    const client = create(await signedIn(), { origin: api.url })

    expect((await client.get('/a')).status).toBe(status)

    expect([api.log.length, server.tokenRequests]).toEqual([1, 0])
  })

  test('isChallenge can make another status a challenge', async () => {
    const { signedIn, server } = await setUp()
    const api = await startApi({ status: 419 })
    const isChallenge = ({ status }: { status: number }) => status === 419
    const client = create(await signedIn(), { origin: api.url, isChallenge })

    expect((await client.post('/a', { n: 1 })).status).toBe(200)

    expect([api.log.length, server.refreshes]).toEqual([2, 1])
  })

  test('isChallenge may be asynchronous', async () => {
    const { signedIn, server } = await setUp()
    const api = await startApi({ status: 419 })
    const isChallenge = async ({ status }: { status: number }) => {
      await new Promise((resolve) => setImmediate(resolve))
      return status === 419
    }
    const client = create(await signedIn(), { origin: api.url, isChallenge })

    expect((await client.get('/a')).status).toBe(200)
    expect((await client.get('/b')).status).toBe(200)

    expect([api.log.length, server.refreshes]).toEqual([3, 1])
  })

  test('an isChallenge that returns false returns a 401 to the caller', async () => {
    const { signedIn, server } = await setUp()
    const api = await startApi({ status: 401, ...withHeader('Bearer error="invalid_token"') })
    const client = create(await signedIn(), { origin: api.url, isChallenge: () => false })

    expect((await client.get('/a')).status).toBe(401)

    expect([api.log.length, server.tokenRequests]).toEqual([1, 0])
  })

  test('isChallenge is not called for a step-up challenge, which no refresh can satisfy', async () => {
    const { signedIn, server, emitted } = await setUp()
    const header = 'Bearer error="insufficient_user_authentication", acr_values="phr phrh", max_age="60"'
    const api = await startApi({ status: 401, ...withHeader(header) })
    const client = create(await signedIn(), { origin: api.url, isChallenge: () => true })

    expect((await client.get('/a')).status).toBe(401)

    expect(server.tokenRequests).toBe(0)
    expect(emitted('stepUpRequired')).toMatchObject([{ acrValues: 'phr phrh', maxAge: 60 }])
  })

  test('an isChallenge that throws rejects the call with its error', async () => {
    const { signedIn, server } = await setUp()
    const api = await startApi({ status: 200 })
    const problem = new Error('cannot tell')
    const isChallenge = () => {
      throw problem
    }
    const client = create(await signedIn(), { origin: api.url, isChallenge })

    const error = await client.get('/a').catch((thrown) => thrown)

    expect([error, error.cause]).toContain(problem)
    expect(server.tokenRequests).toBe(0)
  })
})

describe('GraphQL: a challenge in the body of a 200', () => {
  const isChallenge = async (response: Response) => {
    const { errors } = await response.clone().json()
    return errors?.[0]?.extensions.code === 'UNAUTHENTICATED'
  }
  const startGraph = () => startApi({ body: '{"errors":[{"extensions":{"code":"UNAUTHENTICATED"}}]}' })

  test('fetch: isChallenge can read a clone, and the caller reads the body of the replay', async () => {
    const { signedIn, server } = await setUp()
    const api = await startGraph()
    const send = createAuthFetch(await signedIn(), { origins: [api.url], isChallenge })

    const response = await send(`${api.url}/graphql`, { method: 'POST', body: '{"query":"{ me }"}' })

    expect([response.bodyUsed, await response.json()]).toEqual([false, { ok: true }])
    expect(api.log.map(({ body }) => String(body))).toEqual(['{"query":"{ me }"}', '{"query":"{ me }"}'])
    expect(server.refreshes).toBe(1)
  })

  test('ofetch: isChallenge can read a clone, and the caller gets the data of the replay', async () => {
    const { signedIn, server } = await setUp()
    const api = await startGraph()
    const send = createAuthOfetch(await signedIn(), { defaults: { baseURL: api.url }, isChallenge })

    const data = await send('/graphql', { method: 'POST', body: { query: '{ me }' }, responseType: 'json' })

    expect(data).toEqual({ ok: true })
    expect(server.refreshes).toBe(1)
  })
})
