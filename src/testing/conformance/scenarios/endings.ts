import { DisposedError, SessionExpiredError, SignedOutError } from '../../../core/errors.ts'
import { closeGate } from '../closed-gate.ts'
import { grantOf } from '../harness.ts'
import { createMemoryStore } from '../memory-store.ts'
import type { Suite } from '../suite.ts'
import { begun, nextEvent, outcomes, sooner, times, untilHeld } from '../waits.ts'

const expiry = ({ scenario, expect }: Suite) => {
  scenario('invalid_grant rejects all waiting and later requests', async (setUp) => {
    const { server, connect, signedIn, emitted } = await setUp()
    const storage = createMemoryStore()
    const auth = await signedIn({ storage })
    expect(storage.read()).toMatchObject({ version: 1, subject: 'ada' })
    const client = connect(auth)
    server.expireAccessTokens()
    server.killRefreshTokens()
    const heldRefresh = server.holdNext()
    const allHeld = untilHeld(auth, 50)
    const calls = times(50, () => client.get('/api/x'))
    await sooner([heldRefresh.arrived, allHeld], calls)

    heldRefresh.answer()

    for (const error of await outcomes(calls)) {
      expect(error).toBeInstanceOf(SessionExpiredError)
      expect(error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    }

    expect(emitted('expired')).toMatchObject([{ reason: 'invalid_grant' }])
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
    expect(storage.read()).toBeUndefined()
    expect(server.tokenRequests).toBe(1)

    const before = server.log.length
    for (const error of await outcomes([client.get('/api/x'), client.post('/api/x', { a: 1 })])) {
      expect(error).toBeInstanceOf(SessionExpiredError)
    }
    expect(server.log).toHaveLength(before)
    expect(emitted('expired')).toHaveLength(1)
  })

  scenario('requests succeed again after a sign-in that follows an expired session', async (setUp) => {
    const { server, connect, signedIn } = await setUp()
    const auth = await signedIn()
    const client = connect(auth)
    server.expireAccessTokens()
    server.killRefreshTokens()
    await outcomes([client.get('/api/x')])

    await auth.signIn({ username: 'ada' })
    expect(await client.get('/api/x')).toMatchObject({
      status: 200,
      json: { subject: 'ada', generation: 1 },
    })
  })

  scenario(
    'a lost refresh answer ends the session if the server has no grace period, and the history records both',
    async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const auth = await signedIn()
      const client = connect(auth)
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
    },
  )

  scenario("ambiguousRefresh 'expire' never reuses a refresh token whose answer was lost", async (setUp) => {
    const { server, connect, signedIn, tokenLog, emitted } = await setUp()
    const auth = await signedIn({ ambiguousRefresh: 'expire' })
    const client = connect(auth)
    server.expireAccessTokens()
    server.dropAnswerNext(1)

    for (const error of await outcomes(times(5, () => client.get('/api/x')))) {
      expect(error).toBeInstanceOf(SessionExpiredError)
      expect(error).toMatchObject({ reason: 'ambiguous' })
    }
    expect(emitted('expired')).toMatchObject([{ reason: 'ambiguous' }])

    for (const error of await outcomes([client.get('/api/x'), auth.refresh()])) {
      expect(error).toBeInstanceOf(SessionExpiredError)
    }
    expect(tokenLog()).toHaveLength(1)
    expect(server.reuseDetections).toBe(0)

    await auth.signIn({ username: 'ada' })
    expect(await client.get('/api/x')).toMatchObject({ status: 200 })
    expect(tokenLog().map(grantOf)).toEqual(['refresh_token', 'password'])
  })
}

const holdAfterExpiry = ({ scenario, expect }: Suite) => {
  scenario("whenExpired 'hold' holds requests until their user signs in again", async (setUp) => {
    const { server, connect, signedIn, emitted, sinceLastToken } = await setUp()
    const auth = await signedIn({ whenExpired: 'hold' })
    const client = connect(auth)
    server.expireAccessTokens()
    server.killRefreshTokens()
    let ended = 0
    const counted = async <T>(call: Promise<T>) => {
      try {
        return await call
      } finally {
        ended++
      }
    }
    const expired = nextEvent(auth, 'expired')
    const before = times(5, () => begun(counted(client.get('/api/before'))))
    await expired
    const held = nextEvent(auth, 'requestHeld')
    const after = times(5, () => begun(counted(client.get('/api/after'))))
    await held
    expect([auth.state, ended]).toEqual(['expired', 0])

    await auth.signIn({ username: 'ada' })
    const answers = await Promise.all([...before, ...after])

    expect(answers.map(({ json }) => (json as { subject: string }).subject)).toEqual(Array(10).fill('ada'))
    expect(sinceLastToken()).toHaveLength(10)
    expect(emitted('requestRejected')).toEqual([])
  })

  scenario("whenExpired 'hold' never sends a held request of one user as another user", async (setUp) => {
    const { server, connect, signedIn, sinceLastToken } = await setUp()
    const auth = await signedIn({ whenExpired: 'hold' })
    const client = connect(auth)
    server.expireAccessTokens()
    server.killRefreshTokens()
    const expired = nextEvent(auth, 'expired')
    const before = times(5, () => client.get('/api/ada'))
    await expired
    const held = nextEvent(auth, 'requestHeld')
    const after = times(5, () => client.get('/api/ada'))
    await held

    const ended = outcomes([...before, ...after])
    await auth.signIn({ username: 'bob' })

    for (const error of await ended) {
      expect(error).toBeInstanceOf(SignedOutError)
      expect(error).toMatchObject({ reason: 'user_changed' })
    }
    expect(await client.get('/api/bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
    expect(sinceLastToken().map(({ path }) => path)).toEqual(['/api/bob'])
  })
}

const disposal = ({ scenario, expect }: Suite) => {
  scenario('dispose rejects waiting and later requests', async (setUp) => {
    const harness = await setUp()
    const { auth, client, first } = await closeGate(harness)
    const held = nextEvent(auth, 'requestHeld')
    const waiting = times(5, () => client.get('/api/x'))
    await held

    auth.dispose()

    for (const error of await outcomes([
      first,
      ...waiting,
      client.get('/api/x'),
      client.post('/api/x', 'y'),
    ])) {
      expect(error).toBeInstanceOf(DisposedError)
    }
    expect(harness.server.log.map(({ path, status }) => [path, status])).toEqual([['/api/first', 401]])
  })
}

export const endings = (suite: Suite) =>
  suite.theme('the end of a session', () => {
    expiry(suite)
    holdAfterExpiry(suite)
    disposal(suite)
  })
