import { createVirtualClock } from '../../virtual-clock.ts'
import type { Kit } from '../kit.ts'
import { delayAnswer } from '../late-answer.ts'
import { aged, createMemoryStore } from '../memory-store.ts'
import type { SetUp } from '../run-scenario.ts'
import { deferred, nextEvent, sooner, times, untilHeld } from '../waits.ts'

const generations = (answers: readonly { json: unknown }[]) =>
  answers.map(({ json }) => (json as { generation: number }).generation)

export const renewal = ({ theme, scenario, expect }: Kit) =>
  theme('tokens are renewed by the clock', () => {
    scenario('early renewals go unnoticed by a stream of requests', async (setUp) => {
      const clock = createVirtualClock()
      const { server, connect, signedIn, apiLog, emitted } = await setUp({
        accessTokenLifetime: 60_000,
        now: () => clock.now(),
      })
      // The server's time is real: the virtual clock must not outrun it.
      const timeouts = { refresh: Number.POSITIVE_INFINITY }
      const auth = await signedIn({ clock, timeouts, refreshAhead: 15_000 })
      const client = connect(auth)
      server.tokenDelay = 20
      const statuses: number[] = []

      while (emitted('refreshed').length < 3) {
        const renewed = auth.state === 'refreshing' ? nextEvent(auth, 'refreshed') : undefined
        const [one, two] = await Promise.all([client.get('/api/one'), client.get('/api/slow?ms=5')])
        statuses.push(one.status, two.status)
        // Time stands still until the answer is there, or the token would die meanwhile.
        await renewed
        await clock.advance(5000)
      }

      expect(new Set(statuses)).toEqual(new Set([200]))
      expect([server.expiredTokenUses, server.refreshes, server.tokenRequests]).toEqual([0, 3, 3])
      expect(emitted('requestHeld')).toEqual([])
      expect(emitted('requestReplayed')).toEqual([])
      expect(new Set(apiLog().map(({ generation }) => generation))).toEqual(new Set([1, 2, 3]))
    })

    scenario(
      'initial tokens that are known to be dead are renewed before anything is sent',
      async (setUp) => {
        const { server, connect, createAuth, apiLog } = await setUp()
        const auth = createAuth({ initialTokens: { ...server.issue(), expires_in: 0 } })
        const client = connect(auth)

        const answers = await Promise.all(times(10, () => client.get('/api/x')))

        expect(generations(answers)).toEqual(Array(10).fill(2))
        expect(apiLog().map(({ generation }) => generation)).toEqual(Array(10).fill(2))
        expect([server.log[0]?.path, server.tokenRequests]).toEqual(['/token', 1])
      },
    )

    scenario(
      'a restored token that is known to be dead is renewed before anything is sent',
      async (setUp) => {
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
      },
    )

    scenario(
      'a restored token that works is used, and requests begun while the store is read wait for it',
      async (setUp) => {
        const { server, connect, signedIn, createAuth, apiLog } = await setUp()
        const storage = createMemoryStore()
        const earlier = await signedIn({ storage })
        earlier.dispose()
        const slow = deferred()
        const read = () => slow.promise.then(() => storage.read())
        const auth = createAuth({ storage: { ...storage, read } })
        const client = connect(auth)
        const held = nextEvent(auth, 'requestHeld')
        const answers = times(5, () => client.get('/api/x'))
        await held
        expect([auth.state, server.log.length]).toEqual(['restoring', 0])

        slow.resolve()

        expect(generations(await Promise.all(answers))).toEqual(Array(5).fill(1))
        expect([server.tokenRequests, apiLog().length]).toEqual([0, 5])
      },
    )
  })

/** A session whose early renewal is due at once, while its token still works. */
const due = async (setUp: SetUp) => {
  const bench = await setUp({ previousAccessTokenDies: true })
  const storage = createMemoryStore()
  const earlier = await bench.signedIn({ storage })
  earlier.dispose()
  const now = Date.now()
  return { ...bench, storage: aged(storage, { receivedAt: now - 300_000, expiresAt: now + 30_000 }) }
}

export const deadlyRenewal = ({ theme, scenario, expect }: Kit) =>
  theme('the server kills the old token as it gives the new one', () => {
    scenario('requests in flight when the new token arrives succeed', async (setUp) => {
      const { server, connect, createAuth, storage, apiLog, emitted } = await due(setUp)
      const renewal = server.holdNext()
      const auth = createAuth({ storage })
      const client = connect(auth)
      await renewal.arrived
      expect(auth.state).toBe('refreshing')
      const inFlight = Array.from({ length: 10 }, () => server.holdApiNext())
      const calls = times(10, () => client.get('/api/slow'))
      await Promise.all(inFlight.map(({ arrived }) => arrived))

      const renewed = nextEvent(auth, 'refreshed')
      renewal.answer()
      await renewed
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

    scenario('requests refused before the new token arrives wait for it', async (setUp) => {
      const { server, connect, createAuth, refresh, storage, apiLog, emitted } = await due(setUp)
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
