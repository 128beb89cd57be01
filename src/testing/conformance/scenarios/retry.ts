import { RefreshUnavailableError } from '../../../core/errors.ts'
import { createVirtualClock, type VirtualClock } from '../../virtual-clock.ts'
import { type Harness, isTokenRequest } from '../harness.ts'
import type { Suite } from '../suite.ts'
import { entered, nextEvent, outcomes, times } from '../waits.ts'

const retries = ({ scenario, expect }: Suite) => {
  scenario(
    'a refresh is retried after two answers of 500, and the waiting requests succeed',
    async (setUp) => {
      const { server, connect, signedIn, emitted } = await setUp()
      const auth = await signedIn()
      const client = connect(auth)
      server.expireAccessTokens()
      server.failNext(2)

      const answers = await Promise.all(times(10, () => client.get('/api/x')))

      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
      expect([server.tokenRequests, server.refreshes]).toEqual([3, 1])
      expect(emitted('refreshFailed')).toMatchObject([
        { attempt: 1, status: 500, reason: 'server_error', fatal: false },
        { attempt: 2, status: 500, reason: 'server_error', fatal: false },
      ])
      expect(emitted('refreshed')).toHaveLength(1)
      expect(auth.state).toBe('authenticated')
    },
  )

  scenario('a refresh is retried after the connection broke before the server acted', async (setUp) => {
    const { server, connect, signedIn, emitted } = await setUp()
    const auth = await signedIn()
    const client = connect(auth)
    server.expireAccessTokens()
    server.dropNext(1)

    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
    expect([server.tokenRequests, server.refreshes]).toEqual([2, 1])
    expect(emitted('refreshFailed')).toMatchObject([{ reason: 'network', fatal: false }])
    expect(auth.state).toBe('authenticated')
  })

  scenario('several broken connections in a row do not end the session', async (setUp) => {
    const { server, connect, signedIn } = await setUp()
    const auth = await signedIn()
    const client = connect(auth)
    server.expireAccessTokens()
    server.dropNext(4)

    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
    expect([server.tokenRequests, server.refreshes]).toEqual([5, 1])
    expect(auth.state).toBe('authenticated')
  })

  scenario("a refresh whose answer was lost is retried within the server's grace period", async (setUp) => {
    const { server, connect, signedIn, emitted, tokenLog } = await setUp({ reuseGrace: 60_000 })
    const auth = await signedIn()
    const client = connect(auth)
    server.expireAccessTokens()
    server.dropAnswerNext(1)

    const answers = await Promise.all(times(10, () => client.get('/api/x')))

    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(tokenLog().map(({ bodyText }) => bodyText)).toEqual(Array(2).fill(tokenLog()[0]?.bodyText))
    expect(server.reuseDetections).toBe(0)
    expect(emitted('transition').map(({ to }) => to)).toContain('refreshing.attempt.ambiguous')
    expect(auth.state).toBe('authenticated')
  })

  scenario(
    'requests are rejected after the last attempt, and the session is kept for the next request',
    async (setUp) => {
      const { server, connect, signedIn, apiLog, emitted } = await setUp()
      const auth = await signedIn({ retry: { attempts: 3, minDelay: 1, jitter: 0 } })
      const client = connect(auth)
      server.expireAccessTokens()
      server.failNext(3)
      const coolingDown = entered(auth, 'refreshing.attempt.coolingDown')

      const rejected = await outcomes(times(10, () => client.get('/api/x')))

      await coolingDown
      for (const error of rejected) {
        expect(error).toBeInstanceOf(RefreshUnavailableError)
        expect(error).toMatchObject({ reason: 'server_error', cause: { status: 500 } })
      }
      expect([server.tokenRequests, apiLog().length]).toEqual([3, 10])
      expect(auth.state).toBe('refreshing')
      expect(auth.session).toMatchObject({ subject: 'ada' })
      expect(emitted('expired')).toEqual([])

      expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
      expect([server.tokenRequests, server.refreshes]).toEqual([4, 1])
      expect(emitted('requestHeld').reduce((sum, { count }) => sum + count, 0)).toBe(11)
      expect(auth.state).toBe('authenticated')
    },
  )

  scenario(
    'each request starts new attempts while the server is down, and succeeds once it is up again',
    async (setUp) => {
      const { server, connect, signedIn, emitted } = await setUp()
      const auth = await signedIn({ retry: { attempts: 2, minDelay: 1, jitter: 0 } })
      const client = connect(auth)
      server.expireAccessTokens()
      server.failNext(6, { status: 503 })

      for (let round = 1; round <= 3; round++) {
        const [error] = await outcomes([client.get('/api/x')])
        expect(error).toBeInstanceOf(RefreshUnavailableError)
        expect(server.tokenRequests).toBe(round * 2)
      }

      expect(await client.get('/api/x')).toMatchObject({ status: 200 })
      expect(emitted('expired')).toEqual([])
    },
  )
}

const retryAfter = ({ scenario, expect }: Suite) => {
  /** Advances the time until the next attempt, and checks that it comes exactly then. */
  const waitOut = async (clock: VirtualClock, { server, url, tokenLog }: Harness, ms: number) => {
    const [refused] = tokenLog()
    await clock.advance(ms - 1)
    // An attempt that was sent too early reaches the server before this request is answered.
    await fetch(`${url}/public`)
    expect(tokenLog()).toHaveLength(1)
    const again = server.whenRequest(isTokenRequest)
    await clock.advance(1)
    expect((await again).at - (refused?.at ?? 0)).toBe(ms)
  }

  scenario('the retry waits exactly as long as a Retry-After in seconds says', async (setUp) => {
    const clock = createVirtualClock()
    const harness = await setUp({ now: () => clock.now() })
    const { server, connect, signedIn, emitted } = harness
    const auth = await signedIn({ clock })
    const client = connect(auth)
    server.expireAccessTokens()
    server.retryAfterNext(7)
    const failed = nextEvent(auth, 'refreshFailed')
    const answer = client.get('/api/x')
    await failed

    await waitOut(clock, harness, 7000)

    expect(await answer).toMatchObject({ status: 200 })
    expect(emitted('refreshFailed')).toMatchObject([{ status: 429, reason: 'rate_limited', fatal: false }])
  })

  scenario("the retry waits until the date of a Retry-After, by the server's clock", async (setUp) => {
    const clock = createVirtualClock()
    const harness = await setUp({ now: () => clock.now() })
    const { server, connect, signedIn, refresh } = harness
    let headers = new Headers()
    const auth = await signedIn({
      clock,
      refresh: async (request) => {
        try {
          return await refresh(request)
        } catch (error) {
          headers = (error as Response).headers
          throw error
        }
      },
    })
    const client = connect(auth)
    server.expireAccessTokens()
    server.retryAfterNext(new Date(Date.now() + 20_000).toUTCString(), 503)
    const failed = nextEvent(auth, 'refreshFailed')
    const answer = client.get('/api/x')
    const { at, retryAt = 0 } = await failed

    const wait = Date.parse(headers.get('retry-after') ?? '') - Date.parse(headers.get('date') ?? '')
    expect(wait).toBeGreaterThan(10_000)
    expect(retryAt - at).toBe(wait)
    await waitOut(clock, harness, wait)

    expect(await answer).toMatchObject({ status: 200 })
  })

  scenario('requests that arrive during a Retry-After do not shorten the wait', async (setUp) => {
    const clock = createVirtualClock()
    const harness = await setUp({ now: () => clock.now() })
    const { server, connect, signedIn } = harness
    const auth = await signedIn({ clock, retry: { attempts: 1 } })
    const client = connect(auth)
    server.expireAccessTokens()
    server.retryAfterNext(7)
    expect(await outcomes([client.get('/api/x')])).toMatchObject([{ reason: 'rate_limited' }])

    const held = nextEvent(auth, 'requestHeld')
    const answers = times(5, () => client.get('/api/x'))
    await held
    await waitOut(clock, harness, 7000)

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(5).fill(200))
  })
}

export const retry = (suite: Suite) =>
  suite.theme('failures of the token endpoint', () => {
    retries(suite)
    retryAfter(suite)
  })
