import { SignedOutError } from '../../../core/errors.ts'
import { grantOf } from '../harness.ts'
import { delayAnswer } from '../late-answer.ts'
import { createMemoryStore } from '../memory-store.ts'
import type { Suite } from '../suite.ts'
import { deferred, nextEvent, outcomes, sooner, times, untilHeld } from '../waits.ts'

const tokenOf = (bodyText: string) => new URLSearchParams(bodyText).get('token') ?? ''

const discardedTokens = ({ scenario, expect, refused }: Suite) => {
  scenario(
    'a sign-out wins over a pending refresh, whose late tokens are discarded and revoked',
    async (setUp) => {
      const { server, connect, signedIn, refresh, apiLog, emitted } = await setUp()
      const storage = createMemoryStore()
      const answer = delayAnswer(refresh)
      const auth = await signedIn({ storage, refresh: answer.refresh })
      const client = connect(auth)
      server.expireAccessTokens()
      const allHeld = untilHeld(auth, 10)
      const calls = times(10, () => client.get('/api/x'))
      await sooner([answer.sent, allHeld], calls)
      const discarded = nextEvent(auth, 'discarded')
      const revoked = server.whenRequest(
        ({ path, bodyText }) => path === '/revoke' && /=rt-1-2-/.test(bodyText),
      )

      await auth.signOut()

      expect([auth.state, server.refreshes]).toEqual(['loggedOut', 1])
      for (const error of await outcomes(calls)) expect(error).toBeInstanceOf(SignedOutError)
      answer.arrive()
      expect(await discarded).toMatchObject({ reason: 'session_over' })
      expect(server.isRevoked(tokenOf((await revoked).bodyText))).toBe(true)
      expect(server.revocations).toBe(1)
      expect([auth.state, auth.session, storage.read()]).toEqual(['loggedOut', undefined, undefined])
      expect(emitted('refreshed')).toEqual([])
      expect(emitted('signedOut')).toHaveLength(1)

      expect(await client.get('/api/x')).toMatchObject(refused(401))
      expect(apiLog().map(({ generation }) => generation)).toEqual([...Array(10).fill(1), undefined])
    },
  )

  scenario(
    'late tokens of a refresh are revoked even if the revocation of the sign-out failed',
    async (setUp) => {
      const { server, url, connect, signedIn, refresh } = await setUp()
      const storage = createMemoryStore()
      const answer = delayAnswer(refresh)
      const revocations: (string | undefined)[] = []
      const stored: unknown[] = []
      const revokedLate = deferred()
      const auth = await signedIn({
        storage,
        refresh: answer.refresh,
        async revoke({ refreshToken }) {
          stored.push(storage.read())
          revocations.push(refreshToken)
          // It is tried twice, so the sign-out has failed for good.
          if (revocations.length <= 2) throw new Error('The revocation endpoint is down')
          await fetch(`${url}/revoke`, {
            method: 'POST',
            body: new URLSearchParams({ token: refreshToken ?? '' }),
          })
          revokedLate.resolve()
        },
      })
      const client = connect(auth)
      server.expireAccessTokens()
      const call = client.get('/api/x')
      await sooner([answer.sent], [call])

      await auth.signOut()
      answer.arrive()
      await revokedLate.promise

      const [error] = await outcomes([call])
      expect(error).toBeInstanceOf(SignedOutError)
      expect(stored).toEqual([undefined, undefined, undefined])
      expect(revocations).toHaveLength(3)
      expect(revocations[0]).toMatch(/^rt-1-1-/)
      expect(revocations[1]).toBe(revocations[0])
      expect(revocations[2]).toMatch(/^rt-1-2-/)
      expect(server.revocations).toBe(1)
      expect(server.isRevoked(revocations[2] ?? '')).toBe(true)
    },
  )

  scenario(
    'the sign-in of another user wins over a pending refresh, and no old request is sent as the new user',
    async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const storage = createMemoryStore()
      const auth = await signedIn({ storage })
      const client = connect(auth)
      server.expireAccessTokens()
      const heldRefresh = server.holdNext()
      const refusedHeld = untilHeld(auth, 5)
      const sent = times(5, () => client.get('/api/of-ada'))
      await sooner([heldRefresh.arrived, refusedHeld], sent)
      const allHeld = untilHeld(auth, 10)
      const startedDuringRefresh = times(5, () => client.post('/api/of-ada', 'x'))
      const old = [...sent, ...startedDuringRefresh]
      await sooner([allHeld], old)
      const discarded = nextEvent(auth, 'discarded')

      const session = await auth.signIn({ username: 'bob' })

      expect(session.subject).toBe('bob')
      expect(await client.get('/api/of-bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
      for (const error of await outcomes(old)) {
        expect(error).toBeInstanceOf(SignedOutError)
        expect(error).toMatchObject({ reason: 'user_changed' })
      }

      heldRefresh.answer()
      await discarded
      expect(auth.session).toBe(session)
      expect(storage.read()).toMatchObject({ subject: 'bob' })
      expect(await client.get('/api/of-bob')).toMatchObject({ status: 200, json: { subject: 'bob' } })
      const owners = apiLog().map(({ path, authorization }) => `${path} ${authorization?.slice(0, 12)}`)
      expect(owners).toEqual([
        ...Array(5).fill('/api/of-ada Bearer at-1-'),
        ...Array(2).fill('/api/of-bob Bearer at-2-'),
      ])
    },
  )
}

const lateAnswers = ({ scenario, expect, refused }: Suite) => {
  scenario(
    'a 401 of the old user that arrives after another sign-in is not replayed as the new user',
    async (setUp) => {
      const { server, connect, signedIn, apiLog, tokenLog } = await setUp()
      const auth = await signedIn()
      const client = connect(auth)
      const late = server.holdApiNext()
      const slow = client.get('/api/slow')
      await late.arrived
      server.expireAccessTokens()

      await auth.signIn({ username: 'bob' })
      expect(apiLog()).toMatchObject([{ path: '/api/slow', status: 0 }])

      late.answer({ check: 'release' })
      expect(await slow).toMatchObject(refused(401))
      expect(apiLog()).toHaveLength(1)
      expect(tokenLog().map(grantOf)).toEqual(['password'])
      expect(auth.session).toMatchObject({ subject: 'bob' })
    },
  )

  scenario('a 401 that arrives after a sign-out is returned to the caller', async (setUp) => {
    const { server, connect, signedIn, apiLog } = await setUp()
    const auth = await signedIn()
    const client = connect(auth)
    const late = server.holdApiNext()
    const slow = client.get('/api/slow')
    await late.arrived

    await auth.signOut()
    late.answer({ check: 'release' })

    expect(await slow).toMatchObject(refused(401))
    expect([apiLog().length, server.tokenRequests]).toEqual([1, 0])
  })

  scenario(
    'held requests are sent with the new token if the same user signs in again during a refresh',
    async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const auth = await signedIn()
      const client = connect(auth)
      server.expireAccessTokens()
      const heldRefresh = server.holdNext()
      const allHeld = untilHeld(auth, 5)
      const held = times(5, () => client.get('/api/x'))
      await sooner([heldRefresh.arrived, allHeld], held)
      const discarded = nextEvent(auth, 'discarded')

      await auth.signIn({ username: 'ada' })

      for (const answer of await Promise.all(held)) {
        expect(answer).toMatchObject({ status: 200, json: { subject: 'ada' } })
      }
      heldRefresh.answer()
      await discarded
      const replayed = apiLog().slice(5)
      expect(replayed.map(({ authorization }) => authorization?.slice(7, 12))).toEqual(Array(5).fill('at-2-'))
    },
  )
}

export const sessionChanges = (suite: Suite) =>
  suite.theme('session changes during a refresh', () => {
    discardedTokens(suite)
    lateAnswers(suite)
  })
