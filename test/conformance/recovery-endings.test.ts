import { describe, expect, test } from 'vitest'
import { SessionExpiredError, type SessionStorage, SignedOutError } from '../../src/index.ts'
import { memoryStorage, webStorage } from '../../src/storage/index.ts'
import { mapStorage, nextEvent, outcomes, setUp, times } from './harness.ts'
import { transports } from './transports.ts'

const stores: readonly { store: string; make: () => SessionStorage }[] = [
  { store: 'memoryStorage', make: memoryStorage },
  { store: 'webStorage', make: () => webStorage(mapStorage()) },
]

describe.each(transports)('$name: the session ends', ({ create }) => {
  test.each(stores)('invalid_grant turns away everyone, once and for all ($store)', async ({ make }) => {
    const { server, url, signedIn, emitted } = await setUp()
    const storage = make()
    const auth = await signedIn({ storage })
    expect(await storage.read()).toMatchObject({ version: 1, subject: 'ada' })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.killRefreshTokens()
    server.tokenDelay = 20

    for (const error of await outcomes(times(50, () => client.get('/api/x')))) {
      expect(error).toBeInstanceOf(SessionExpiredError)
      expect(error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    }

    expect(emitted('expired')).toMatchObject([{ reason: 'invalid_grant' }])
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
    expect(await storage.read()).toBeUndefined()
    expect(server.tokenRequests).toBe(1)

    const before = server.log.length
    for (const error of await outcomes([client.get('/api/x'), client.post('/api/x', { a: 1 })])) {
      expect(error).toBeInstanceOf(SessionExpiredError)
    }
    expect(server.log).toHaveLength(before)
    expect(emitted('expired')).toHaveLength(1)
  })

  test('a session that expired comes back with a sign-in', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.killRefreshTokens()
    await outcomes([client.get('/api/x')])

    await auth.signIn({ username: 'ada' })
    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { subject: 'ada', generation: 1 } })
  })

  test('an answer that was lost without a grace ends the session, and the history tells both', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.dropAnswerNext(1)

    for (const error of await outcomes(times(5, () => client.get('/api/x')))) {
      expect(error).toBeInstanceOf(SessionExpiredError)
      expect(error).toMatchObject({ reason: 'invalid_grant' })
    }

    expect([server.tokenRequests, server.reuseDetections]).toEqual([2, 1])
    expect(auth.state).toBe('expired')
    expect(auth.history.filter(({ type }) => /refreshFailed|expired/.test(type))).toMatchObject([
      { type: 'refreshFailed', reason: 'network', fatal: false },
      { type: 'refreshFailed', reason: 'invalid_grant', fatal: true },
      { type: 'expired', reason: 'invalid_grant' },
    ])
  })

  test("ambiguousRefresh 'expire' never presents a refresh token again whose answer was lost", async () => {
    const { server, url, signedIn, tokenLog, emitted } = await setUp()
    const auth = await signedIn({ ambiguousRefresh: 'expire' })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.dropAnswerNext(1)

    for (const error of await outcomes(times(5, () => client.get('/api/x')))) {
      expect(error).toBeInstanceOf(SessionExpiredError)
      expect(error).toMatchObject({ reason: 'uncertain' })
    }
    expect(emitted('expired')).toMatchObject([{ reason: 'uncertain' }])

    expect(await outcomes([client.get('/api/x'), auth.refresh()])).toEqual([
      expect.any(SessionExpiredError),
      expect.any(SessionExpiredError),
    ])
    expect(tokenLog()).toHaveLength(1)
    expect(server.reuseDetections).toBe(0)

    await auth.signIn({ username: 'ada' })
    expect(await client.get('/api/x')).toMatchObject({ status: 200 })
    expect(tokenLog().map(({ bodyText }) => new URLSearchParams(bodyText).get('grant_type'))).toEqual([
      'refresh_token',
      'password',
    ])
  })

  test("whenExpired 'hold' lets requests wait for the return of their user", async () => {
    const { server, url, signedIn, emitted, sinceLastToken } = await setUp()
    const auth = await signedIn({ whenExpired: 'hold' })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.killRefreshTokens()
    let settled = 0
    const count = () => {
      settled++
    }
    const expired = nextEvent(auth, 'expired')
    const before = times(5, () => client.get('/api/before').finally(count))
    await expired
    const held = nextEvent(auth, 'requestHeld')
    const after = times(5, () => client.get('/api/after').finally(count))
    await held
    expect([auth.state, settled]).toEqual(['expired', 0])

    await auth.signIn({ username: 'ada' })
    const answers = await Promise.all([...before, ...after])

    expect(answers.map(({ json }) => (json as { subject: string }).subject)).toEqual(Array(10).fill('ada'))
    expect(sinceLastToken()).toHaveLength(10)
    expect(emitted('requestRejected')).toEqual([])
  })

  test("whenExpired 'hold' never sends what waited for one user as another", async () => {
    const { server, url, signedIn, sinceLastToken } = await setUp()
    const auth = await signedIn({ whenExpired: 'hold' })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.killRefreshTokens()
    const expired = nextEvent(auth, 'expired')
    const before = times(5, () => client.get('/api/ada'))
    await expired
    const held = nextEvent(auth, 'requestHeld')
    const after = times(5, () => client.get('/api/ada'))
    await held

    const settled = outcomes([...before, ...after])
    await auth.signIn({ username: 'bob' })

    for (const error of await settled) {
      expect(error).toBeInstanceOf(SignedOutError)
      expect(error).toMatchObject({ reason: 'user_changed' })
    }
    expect(await client.get('/api/bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
    expect(sinceLastToken().map(({ path }) => path)).toEqual(['/api/bob'])
  })
})
