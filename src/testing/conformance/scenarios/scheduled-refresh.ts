import { createVirtualClock } from '../../virtual-clock.ts'
import { delayAnswer } from '../late-answer.ts'
import { aged, createMemoryStore } from '../memory-store.ts'
import type { SetUp } from '../run-scenario.ts'
import type { Suite } from '../suite.ts'
import { deferred, nextEvent, sooner, times, untilHeld } from '../waits.ts'

const generations = (answers: readonly { json: unknown }[]) =>
  answers.map(({ json }) => (json as { generation: number }).generation)

export const scheduledRefresh = ({ theme, scenario, expect }: Suite) =>
  theme('scheduled refreshes', () => {
    scenario('scheduled refreshes do not affect a stream of requests', async (setUp) => {
      const clock = createVirtualClock()
      const { server, connect, signedIn, apiLog, emitted } = await setUp({
        accessTokenLifetime: 60_000,
        now: () => clock.now(),
      })
      // The server answers in real time, so the virtual clock must not time the refresh out.
      const timeouts = { refresh: Number.POSITIVE_INFINITY }
      const auth = await signedIn({ clock, timeouts, refreshAhead: 15_000 })
      const client = connect(auth)
      server.tokenDelay = 20
      const statuses: number[] = []

      while (emitted('refreshed').length < 3) {
        const refreshed = auth.state === 'refreshing' ? nextEvent(auth, 'refreshed') : undefined
        const [one, two] = await Promise.all([client.get('/api/one'), client.get('/api/slow?ms=5')])
        statuses.push(one.status, two.status)
        // Wait for the answer before the time advances. Otherwise the token would expire.
        await refreshed
        await clock.advance(5000)
      }

      expect(new Set(statuses)).toEqual(new Set([200]))
      expect([server.expiredTokenUses, server.refreshes, server.tokenRequests]).toEqual([0, 3, 3])
      expect(emitted('requestHeld')).toEqual([])
      expect(emitted('requestReplayed')).toEqual([])
      expect(new Set(apiLog().map(({ generation }) => generation))).toEqual(new Set([1, 2, 3]))
    })

    scenario('expired initial tokens are refreshed before any request is sent', async (setUp) => {
      const { server, connect, createAuth, apiLog } = await setUp()
      const auth = createAuth({ initialTokens: { ...server.issue(), expires_in: 0 } })
      const client = connect(auth)

      const answers = await Promise.all(times(10, () => client.get('/api/x')))

      expect(generations(answers)).toEqual(Array(10).fill(2))
      expect(apiLog().map(({ generation }) => generation)).toEqual(Array(10).fill(2))
      expect([server.log[0]?.path, server.tokenRequests]).toEqual(['/token', 1])
    })

    scenario('an expired token from the store is refreshed before any request is sent', async (setUp) => {
      const { server, connect, signedIn, createAuth, apiLog } = await setUp()
      const yesterday = createMemoryStore()
      const earlier = await signedIn({ storage: yesterday })
      earlier.dispose()
      const storage = aged(yesterday, { expiresAt: Date.now() - 1 })
      const client = connect(createAuth({ storage }))

      const answers = await Promise.all(times(10, () => client.get('/api/x')))

      expect(generations(answers)).toEqual(Array(10).fill(2))
      expect(apiLog().map(({ generation }) => generation)).toEqual(Array(10).fill(2))
      expect([server.log[0]?.path, server.tokenRequests]).toEqual(['/token', 1])
      expect(storage.read()).toMatchObject({ rotation: 1, subject: 'ada' })
    })

    scenario(
      'requests started while the store is read wait for its valid token and use it',
      async (setUp) => {
        const { server, connect, signedIn, createAuth, apiLog } = await setUp()
        const storage = createMemoryStore()
        const earlier = await signedIn({ storage })
        earlier.dispose()
        const read = deferred()
        const readLater = () => read.promise.then(() => storage.read())
        const auth = createAuth({ storage: { ...storage, read: readLater } })
        const client = connect(auth)
        const held = nextEvent(auth, 'requestHeld')
        const answers = times(5, () => client.get('/api/x'))
        await held
        expect([auth.state, server.log.length]).toEqual(['restoring', 0])

        read.resolve()

        expect(generations(await Promise.all(answers))).toEqual(Array(5).fill(1))
        expect([server.tokenRequests, apiLog().length]).toEqual([0, 5])
      },
    )
  })

/** A stored session whose scheduled refresh is due immediately, while its token is still valid. */
const setUpDueRefresh = async (setUp: SetUp) => {
  const harness = await setUp({ previousAccessTokenDies: true })
  const storage = createMemoryStore()
  const earlier = await harness.signedIn({ storage })
  earlier.dispose()
  const now = Date.now()
  return { ...harness, storage: aged(storage, { receivedAt: now - 300_000, expiresAt: now + 30_000 }) }
}

export const overlappingRefresh = ({ theme, scenario, expect }: Suite) =>
  theme('a server that revokes the old access token at a refresh', () => {
    scenario('requests in flight when the new token arrives are replayed and succeed', async (setUp) => {
      const { server, connect, createAuth, storage, apiLog, emitted } = await setUpDueRefresh(setUp)
      const heldRefresh = server.holdNext()
      const auth = createAuth({ storage })
      const client = connect(auth)
      await heldRefresh.arrived
      expect(auth.state).toBe('refreshing')
      const inFlight = Array.from({ length: 10 }, () => server.holdApiNext())
      const calls = times(10, () => client.get('/api/slow'))
      await Promise.all(inFlight.map(({ arrived }) => arrived))

      const refreshed = nextEvent(auth, 'refreshed')
      heldRefresh.answer()
      await refreshed
      for (const { answer } of inFlight) answer({ check: 'release' })
      const answers = await Promise.all(calls)

      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
      expect([server.refreshes, server.tokenRequests]).toEqual([1, 1])
      expect(apiLog().map(({ generation }) => generation)).toEqual([
        ...Array(10).fill(1),
        ...Array(10).fill(2),
      ])
      expect(emitted('requestHeld')).toEqual([])
    })

    scenario('requests that get a 401 before the new token arrives wait for it', async (setUp) => {
      const { server, connect, createAuth, refresh, storage, apiLog, emitted } = await setUpDueRefresh(setUp)
      const answer = delayAnswer(refresh)
      const auth = createAuth({ storage, refresh: answer.refresh })
      const client = connect(auth)
      await answer.sent
      const allHeld = untilHeld(auth, 10)

      const calls = times(10, () => client.get('/api/x'))
      await sooner([allHeld], calls)
      answer.arrive()
      const answers = await Promise.all(calls)

      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
      expect([server.refreshes, server.tokenRequests]).toEqual([1, 1])
      expect(apiLog().filter(({ status }) => status === 401)).toHaveLength(10)
      expect(emitted('requestHeld').reduce((sum, { count }) => sum + count, 0)).toBe(10)
    })
  })
