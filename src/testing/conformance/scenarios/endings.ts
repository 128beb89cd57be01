import { DisposedError, SessionExpiredError, SignedOutError } from '../../../core/errors.ts'
import { closeGate } from '../closed-gate.ts'
import type { Kit } from '../kit.ts'
import { createMemoryStore } from '../memory-store.ts'
import { begun, nextEvent, outcomes, sooner, times, untilHeld } from '../waits.ts'

const grantOf = (bodyText: string) => new URLSearchParams(bodyText).get('grant_type')

export const endings = ({ theme, scenario, expect }: Kit) =>
  theme('the session ends', () => {
    scenario('invalid_grant turns away everyone, once and for all', async (setUp) => {
      const { server, connect, signedIn, emitted } = await setUp()
      const storage = createMemoryStore()
      const auth = await signedIn({ storage })
      expect(storage.read()).toMatchObject({ version: 1, subject: 'ada' })
      const client = connect(auth)
      server.expireAccessTokens()
      server.killRefreshTokens()
      const renewal = server.holdNext()
      const allHeld = untilHeld(auth, 50)
      const calls = times(50, () => client.get('/api/x'))
      await sooner([renewal.arrived, allHeld], calls)

      renewal.answer()

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

    scenario('a session that expired comes back with a sign-in', async (setUp) => {
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
      'an answer that was lost without a grace ends the session, and the history tells both',
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

    scenario(
      "ambiguousRefresh 'expire' never presents a refresh token again whose answer was lost",
      async (setUp) => {
        const { server, connect, signedIn, tokenLog, emitted } = await setUp()
        const auth = await signedIn({ ambiguousRefresh: 'expire' })
        const client = connect(auth)
        server.expireAccessTokens()
        server.dropAnswerNext(1)

        for (const error of await outcomes(times(5, () => client.get('/api/x')))) {
          expect(error).toBeInstanceOf(SessionExpiredError)
          expect(error).toMatchObject({ reason: 'uncertain' })
        }
        expect(emitted('expired')).toMatchObject([{ reason: 'uncertain' }])

        for (const error of await outcomes([client.get('/api/x'), auth.refresh()])) {
          expect(error).toBeInstanceOf(SessionExpiredError)
        }
        expect(tokenLog()).toHaveLength(1)
        expect(server.reuseDetections).toBe(0)

        await auth.signIn({ username: 'ada' })
        expect(await client.get('/api/x')).toMatchObject({ status: 200 })
        expect(tokenLog().map(({ bodyText }) => grantOf(bodyText))).toEqual(['refresh_token', 'password'])
      },
    )

    scenario("whenExpired 'hold' lets requests wait for the return of their user", async (setUp) => {
      const { server, connect, signedIn, emitted, sinceLastToken } = await setUp()
      const auth = await signedIn({ whenExpired: 'hold' })
      const client = connect(auth)
      server.expireAccessTokens()
      server.killRefreshTokens()
      let settled = 0
      const counted = async <T>(call: Promise<T>) => {
        try {
          return await call
        } finally {
          settled++
        }
      }
      const expired = nextEvent(auth, 'expired')
      const before = times(5, () => begun(counted(client.get('/api/before'))))
      await expired
      const held = nextEvent(auth, 'requestHeld')
      const after = times(5, () => begun(counted(client.get('/api/after'))))
      await held
      expect([auth.state, settled]).toEqual(['expired', 0])

      await auth.signIn({ username: 'ada' })
      const answers = await Promise.all([...before, ...after])

      expect(answers.map(({ json }) => (json as { subject: string }).subject)).toEqual(Array(10).fill('ada'))
      expect(sinceLastToken()).toHaveLength(10)
      expect(emitted('requestRejected')).toEqual([])
    })

    scenario("whenExpired 'hold' never sends what waited for one user as another", async (setUp) => {
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

      const settled = outcomes([...before, ...after])
      await auth.signIn({ username: 'bob' })

      for (const error of await settled) {
        expect(error).toBeInstanceOf(SignedOutError)
        expect(error).toMatchObject({ reason: 'user_changed' })
      }
      expect(await client.get('/api/bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
      expect(sinceLastToken().map(({ path }) => path)).toEqual(['/api/bob'])
    })

    scenario('dispose turns away who waits, and whoever comes after', async (setUp) => {
      const { bench, auth, client, first } = await closeGate(setUp)
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
      expect(bench.server.log.map(({ path, status }) => [path, status])).toEqual([['/api/first', 401]])
    })
  })
