import { Readable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dpopProofs } from '../../src/oauth2/index.ts'
import { createHarness } from '../../src/testing/conformance/harness.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { times } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { type DPoPFrontOptions, startDPoPFront } from '../support/dpop-front.ts'

/** A session with proofs, at a server that demands them. */
async function setUp(options: DPoPFrontOptions = {}) {
  const proofs = dpopProofs()
  let front!: Awaited<ReturnType<typeof startDPoPFront>>
  const harness = await createHarness({}, async (target) => {
    front = await startDPoPFront(target, options)
    return { url: front.url, fetch: proofs.fetch, session: { proof: proofs }, close: front.close }
  })
  onTestFinished(harness.close)
  const auth = await harness.signedIn()
  const signIn = front.verdicts()
  front.checked.length = 0
  return { ...harness, auth, front, proofs, signIn }
}

describe.each(transports)('$name with DPoP', ({ name, create }) => {
  test('each new nonce costs one request more, at the token endpoint and at the API', async () => {
    const { auth, front, url, signIn } = await setUp()
    const client = create(auth, { origin: url })
    expect(signIn).toEqual(['POST /token nonce', 'POST /token ok'])

    for (const path of ['/api/a', '/api/b']) expect((await client.get(path)).status).toBe(200)
    expect(front.verdicts()).toEqual(['GET /api/a nonce', 'GET /api/a ok', 'GET /api/b ok'])

    front.checked.length = 0
    front.changeNonces()
    expect((await client.post('/api/c?x=1', { a: 1 })).json).toMatchObject({ method: 'POST' })
    expect((await client.get('/api/d')).status).toBe(200)
    await auth.refresh()
    await auth.refresh()
    expect(front.verdicts()).toEqual([
      'POST /api/c?x=1 nonce',
      'POST /api/c?x=1 ok',
      'GET /api/d ok',
      'POST /token nonce',
      'POST /token ok',
      'POST /token ok',
    ])
  })

  test('a token that is refused together with its nonce costs one refresh and one nonce', async () => {
    const { auth, front, server, url } = await setUp()
    const client = create(auth, { origin: url })
    server.expireAccessTokens()

    expect((await client.get('/api/a')).status).toBe(200)

    expect(front.verdicts()).toEqual(['GET /api/a nonce', 'GET /api/a ok', 'POST /token ok', 'GET /api/a ok'])
    expect(server.refreshes).toBe(1)
  })

  test('twenty requests at once with an expired token share a refresh', async () => {
    const { auth, front, server, url } = await setUp()
    const client = create(auth, { origin: url })
    await client.get('/api/first')
    server.expireAccessTokens()

    const answers = await Promise.all(times(20, (index) => client.get(`/api/${index}`)))

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(server.refreshes).toBe(1)
    expect(new Set(front.checked.slice(2).map(({ verdict }) => verdict))).toEqual(new Set(['ok']))
  })

  test.each([10, -10])(
    'a clock that is %i minutes wrong costs one request and harms nothing',
    async (minutes) => {
      const { auth, front, url, signIn } = await setUp({ requiresNonce: false, skew: minutes * 60_000 })
      const client = create(auth, { origin: url })
      expect(signIn).toEqual(['POST /token iat', 'POST /token ok'])

      expect((await client.get('/api/a')).status).toBe(200)
      await auth.refresh()
      expect((await client.get('/api/b')).status).toBe(200)
      expect(front.verdicts()).toEqual(['GET /api/a ok', 'POST /token ok', 'GET /api/b ok'])
    },
  )

  test('a wrong clock costs nothing if the server demands nonces', async () => {
    const { auth, front, url } = await setUp({ skew: 600_000 })
    const client = create(auth, { origin: url })
    expect((await client.get('/api/a')).status).toBe(200)
    expect(front.verdicts()).toEqual(['GET /api/a nonce', 'GET /api/a ok'])
  })

  test('a redirect within the origin is proven for the URL that it leads to', async () => {
    const { auth, front, url } = await setUp()
    const client = create(auth, { origin: url })
    await client.get('/api/first')
    front.checked.length = 0

    const { status, json } = await client.get(`/api/redirect?to=${encodeURIComponent('/api/end?x=1')}`)

    expect({ status, json }).toMatchObject({ status: 200, json: { path: '/api/end' } })
    expect(front.verdicts().at(-1)).toBe('GET /api/end?x=1 ok')
    expect(front.checked.length).toBeLessThanOrEqual(3)
  })

  test('a stream is sent with the newest nonce, and its 401 goes to the caller', async () => {
    const { auth, front, url } = await setUp()
    const client = create(auth, { origin: url })
    // The http adapter takes streams of Node.
    const stream = () => {
      const bytes = Readable.from([Buffer.from('bytes')])
      return name.includes('http') ? bytes : Readable.toWeb(bytes)
    }
    const post = () => client.post('/api/upload', stream())

    expect((await post()).status).toBe(401)
    expect(await post()).toMatchObject({ status: 200 })

    expect(front.verdicts()).toEqual(['POST /api/upload nonce', 'POST /api/upload ok'])
    expect(auth.session?.generation).toBe(1)
  })

  test('a step-up in a DPoP challenge is emitted and causes no refresh', async () => {
    const { auth, emitted, url, server } = await setUp()
    const client = create(auth, { origin: url })
    expect((await client.get('/api/step-up')).status).toBe(401)
    expect(emitted('stepUpRequired')).toMatchObject([{ acrValues: 'phr' }])
    expect(server.refreshes).toBe(0)
  })
})

describe('createAuthFetch with DPoP', () => {
  test('a Request with a body can be sent three times', async () => {
    const { auth, front, server, url } = await setUp()
    const api = createAuthFetch(auth, { origins: [url] })
    server.expireAccessTokens()

    const response = await api(new Request(`${url}/api/item`, { method: 'PUT', body: 'text' }))

    expect(await response.json()).toMatchObject({ method: 'PUT', body: btoa('text') })
    expect(front.verdicts()).toEqual([
      'PUT /api/item nonce',
      'PUT /api/item ok',
      'POST /token ok',
      'PUT /api/item ok',
    ])
  })

  test.each(['given', 'global'])(
    'a redirect of a %s fetch is proven anew, also for a Request',
    async (kind) => {
      const { auth, front, url } = await setUp()
      const api = createAuthFetch(auth, {
        origins: [url],
        ...(kind === 'given' && { fetch: (...given: Parameters<typeof fetch>) => fetch(...given) }),
      })
      await api(`${url}/api/first`)
      front.checked.length = 0
      const response = await api(new Request(`${url}/api/redirect?to=/api/end`))
      expect([response.status, response.redirected]).toEqual([200, true])
      expect(front.verdicts()).toEqual(['GET /api/redirect?to=/api/end ok', 'GET /api/end ok'])
    },
  )

  test('the token and the proof stay within their origin', async () => {
    const { auth, url } = await setUp()
    const other = await createHarness()
    onTestFinished(other.close)
    const api = createAuthFetch(auth, { origins: [url] })
    await api(`${url}/api/first`)
    await api(`${url}/api/redirect?to=${encodeURIComponent(`${other.url}/public`)}`)
    const [{ headers } = { headers: {} }] = other.server.log
    expect(headers).toMatchObject({})
    expect(Object.keys(headers)).not.toContain('authorization')
    expect(Object.keys(headers)).not.toContain('dpop')
  })

  test('headers of the caller stay, in each form', async () => {
    const { auth, url, apiLog } = await setUp()
    const api = createAuthFetch(auth, { origins: [url] })
    const own: HeadersInit[] = [{ 'X-Own': 'a' }, [['x-own', 'a']], new Headers({ 'x-own': 'a' })]
    for (const headers of own) await api(`${url}/api/x`, { headers })
    expect(apiLog().map(({ headers }) => headers['x-own'])).toEqual(['a', 'a', 'a'])
  })
})
