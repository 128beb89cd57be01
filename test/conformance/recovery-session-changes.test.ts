import { describe, expect, test } from 'vitest'
import { SignedOutError } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'
import { isTokenRequest, nextEvent, outcomes, setUp, times } from './harness.ts'
import { transports } from './transports.ts'

const tokenOf = (bodyText: string) => new URLSearchParams(bodyText).get('token') ?? ''

describe.each(transports)('$name: the session changes meanwhile', ({ create, givesRefusalsAs }) => {
  test('a sign-out wins over the renewal, whose late tokens are thrown away and revoked', async () => {
    const { server, url, signedIn, apiLog, emitted } = await setUp()
    const storage = memoryStorage()
    const auth = await signedIn({ storage })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.delayAnswerNext(150)
    const asked = server.whenRequest(isTokenRequest)
    const held = outcomes(times(10, () => client.get('/api/x')))
    await asked
    const discarded = nextEvent(auth, 'discarded')
    const revoked = server.whenRequest(
      ({ path, bodyText }) => path === '/revoke' && /=rt-1-2-/.test(bodyText),
    )

    await auth.signOut()

    expect([auth.state, server.refreshes]).toEqual(['loggedOut', 1])
    for (const error of await held) expect(error).toBeInstanceOf(SignedOutError)
    expect(await discarded).toMatchObject({ reason: 'session_over' })
    expect(server.isRevoked(tokenOf((await revoked).bodyText))).toBe(true)
    expect(server.revocations).toBe(1)
    expect([auth.state, auth.session, await storage.read()]).toEqual(['loggedOut', undefined, undefined])
    expect(emitted('refreshed')).toEqual([])
    expect(emitted('signedOut')).toHaveLength(1)

    expect(await client.get('/api/x')).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    expect(apiLog().map(({ generation }) => generation)).toEqual([...Array(10).fill(1), undefined])
  })

  test('late tokens of a renewal are revoked even where the sign-out could revoke nothing', async () => {
    const { server, url, signedIn } = await setUp()
    const storage = memoryStorage()
    const revocations: (string | undefined)[] = []
    const stored: unknown[] = []
    const auth = await signedIn({
      storage,
      async revoke({ refreshToken }) {
        stored.push(await storage.read())
        revocations.push(refreshToken)
        if (revocations.length === 1) throw new Error('The revocation endpoint is down')
        await fetch(`${url}/revoke`, {
          method: 'POST',
          body: new URLSearchParams({ token: refreshToken ?? '' }),
        })
        done()
      },
    })
    let done = () => {}
    const revokedLate = new Promise<void>((resolve) => {
      done = resolve
    })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.delayAnswerNext(150)
    const asked = server.whenRequest(isTokenRequest)
    const held = outcomes([client.get('/api/x')])
    await asked

    await auth.signOut()
    await revokedLate

    expect(await held).toEqual([expect.any(SignedOutError)])
    expect(stored).toEqual([undefined, undefined])
    expect(revocations).toEqual([expect.stringMatching(/^rt-1-1-/), expect.stringMatching(/^rt-1-2-/)])
    expect(server.revocations).toBe(1)
    expect(server.isRevoked(revocations[1]!)).toBe(true)
  })

  test('another sign-in wins over the renewal, and nothing of the old user goes as the new one', async () => {
    const { server, url, signedIn, apiLog } = await setUp()
    const storage = memoryStorage()
    const auth = await signedIn({ storage })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.delayAnswerNext(150)
    const asked = server.whenRequest(isTokenRequest)
    const refused = times(5, () => client.get('/api/of-ada'))
    await asked
    const begunWhileRenewing = times(5, () => client.post('/api/of-ada', 'x'))
    const discarded = nextEvent(auth, 'discarded')
    const old = outcomes([...refused, ...begunWhileRenewing])

    const session = await auth.signIn({ username: 'bob' })

    expect(session.subject).toBe('bob')
    expect(await client.get('/api/of-bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
    for (const error of await old) {
      expect(error).toBeInstanceOf(SignedOutError)
      expect(error).toMatchObject({ reason: 'user_changed' })
    }

    await discarded
    expect(auth.session).toBe(session)
    expect(await storage.read()).toMatchObject({ subject: 'bob' })
    expect(await client.get('/api/of-bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
    const owners = apiLog().map(({ path, authorization }) => `${path} ${authorization?.slice(0, 12)}`)
    expect(owners).toEqual([
      ...Array(5).fill('/api/of-ada Bearer at-1-'),
      ...Array(2).fill('/api/of-bob Bearer at-2-'),
    ])
  })

  test('a 401 of the old user that comes after another sign-in is not replayed as the new one', async () => {
    const { server, url, signedIn, apiLog, tokenLog } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const arrived = server.whenRequest(({ path }) => path === '/api/slow')
    const slow = client.get('/api/slow?ms=200&check=late')
    await arrived
    server.expireAccessTokens()

    await auth.signIn({ username: 'bob' })
    expect(apiLog()).toMatchObject([{ path: '/api/slow', status: 0 }])

    expect(await slow).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    expect(apiLog()).toHaveLength(1)
    expect(tokenLog().map(({ bodyText }) => new URLSearchParams(bodyText).get('grant_type'))).toEqual([
      'password',
    ])
    expect(auth.session).toMatchObject({ subject: 'bob' })
  })

  test('a 401 that comes after a sign-out is its own', async () => {
    const { server, url, signedIn, apiLog } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const arrived = server.whenRequest(({ path }) => path === '/api/slow')
    const slow = client.get('/api/slow?ms=200&check=late')
    await arrived

    await auth.signOut()

    expect(await slow).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    expect([apiLog().length, server.tokenRequests]).toEqual([1, 0])
  })

  test('the same user signing in again while the token is renewed takes the held requests along', async () => {
    const { server, url, signedIn, apiLog } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.delayAnswerNext(150)
    const asked = server.whenRequest(isTokenRequest)
    const held = times(5, () => client.get('/api/x'))
    await asked
    const discarded = nextEvent(auth, 'discarded')

    await auth.signIn({ username: 'ada' })

    for (const answer of await Promise.all(held)) {
      expect(answer).toMatchObject({ status: 200, json: { subject: 'ada' } })
    }
    await discarded
    expect(
      apiLog()
        .slice(5)
        .map(({ authorization }) => authorization?.slice(7, 12)),
    ).toEqual(Array(5).fill('at-2-'))
  })
})
