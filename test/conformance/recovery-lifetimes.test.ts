import { describe, expect, test } from 'vitest'
import type { TokenResponse } from '../../src/index.ts'
import { setUp, times } from './harness.ts'
import { transports } from './transports.ts'

const DAY = 86_400_000
const MINUTE = 60_000

/** Token answers as a server sends them that leaves the lifetime out. */
const withoutLifetime = (response: TokenResponse): TokenResponse => {
  const { expires_in: _, ...rest } = response
  return rest
}

const lifetimes = [
  { lifetime: '30 days', ms: 30 * DAY, told: true },
  { lifetime: 'a year', ms: 365 * DAY, told: true },
  { lifetime: 'a hundred years', ms: 36_500 * DAY, told: true },
  { lifetime: 'nobody knows how long', ms: DAY, told: false },
]

const skews = [
  { skew: '10 minutes ahead', ms: 10 * MINUTE, told: true },
  { skew: '10 minutes behind', ms: -10 * MINUTE, told: true },
  { skew: '10 minutes ahead, without expires_in', ms: 10 * MINUTE, told: false },
  { skew: '10 minutes behind, without expires_in', ms: -10 * MINUTE, told: false },
]

describe.each(transports)('$name: lifetimes and clocks', ({ create }) => {
  test.each(lifetimes)('a token that lives $lifetime is not renewed under load', async ({ ms, told }) => {
    const { server, url, createAuth, emitted } = await setUp({ accessTokenLifetime: ms })
    const issued = server.issue()
    const auth = createAuth({ initialTokens: told ? issued : withoutLifetime(issued) })
    const client = create(auth, { origin: url })

    for (let burst = 0; burst < 3; burst++) {
      const answers = await Promise.all(times(5, () => client.get('/api/x')))
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    }

    expect(server.tokenRequests).toBe(0)
    // A timer that overflows fires at once, over and over.
    expect(emitted('transition')).toEqual([])
    expect(auth.state).toBe('authenticated')
  })

  test('a token whose lifetime nobody knows is renewed when it is refused', async () => {
    const { server, url, createAuth, refresh } = await setUp()
    const auth = createAuth({
      initialTokens: withoutLifetime(server.issue()),
      refresh: async (request) => withoutLifetime(await refresh(request)),
    })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()

    const answers = await Promise.all(times(5, () => client.get('/api/x')))

    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect(server.tokenRequests).toBe(1)
    expect(auth.session?.expiresAt).toBeUndefined()
  })

  test.each([0, -60])(
    'a new token that is said to live %i seconds is used until it is refused',
    async (lifetime) => {
      const { server, url, signedIn, refresh } = await setUp()
      const auth = await signedIn({
        refresh: async (request) => ({ ...(await refresh(request)), expires_in: lifetime }),
      })
      const client = create(auth, { origin: url })
      server.expireAccessTokens()

      for (let burst = 0; burst < 3; burst++) {
        const answers = await Promise.all(times(5, () => client.get('/api/x')))
        expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
      }

      expect(server.tokenRequests).toBe(1)
      expect(auth.state).toBe('authenticated')
    },
  )

  test.each(skews)("a server's clock that is $skew makes no new token look old", async ({ ms, told }) => {
    const { server, url, signedIn } = await setUp({
      jwt: true,
      clockSkew: ms,
      accessTokenLifetime: 5 * MINUTE,
    })
    const auth = await signedIn({ signIn: () => (told ? server.issue() : withoutLifetime(server.issue())) })
    const client = create(auth, { origin: url })

    for (let burst = 0; burst < 3; burst++) {
      const answers = await Promise.all(times(5, () => client.get('/api/x')))
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    }

    expect([server.tokenRequests, server.expiredTokenUses]).toEqual([0, 0])
  })

  test.each(skews)("a server's clock that is $skew costs a found token one renewal at most", async (skew) => {
    const { server, url, createAuth, refresh } = await setUp({
      jwt: true,
      clockSkew: skew.ms,
      accessTokenLifetime: 5 * MINUTE,
    })
    const tell = (response: TokenResponse) => (skew.told ? response : withoutLifetime(response))
    const auth = createAuth({
      initialTokens: tell(server.issue()),
      refresh: async (request) => tell(await refresh(request)),
    })
    const client = create(auth, { origin: url })

    for (let burst = 0; burst < 3; burst++) {
      const answers = await Promise.all(times(5, () => client.get('/api/x')))
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    }

    expect(server.tokenRequests).toBeLessThanOrEqual(skew.ms < 0 && !skew.told ? 1 : 0)
    expect(server.expiredTokenUses).toBe(0)
    expect(auth.state).toBe('authenticated')
  })

  test.each(skews)("a renewal works with a server's clock that is $skew", async ({ ms, told }) => {
    const { server, url, signedIn, refresh } = await setUp({
      jwt: true,
      clockSkew: ms,
      accessTokenLifetime: 5 * MINUTE,
    })
    const auth = await signedIn({
      refresh: async (request) => {
        const response = await refresh(request)
        return told ? response : withoutLifetime(response)
      },
    })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()

    for (let burst = 0; burst < 3; burst++) {
      const answers = await Promise.all(times(5, () => client.get('/api/x')))
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    }
    expect(server.tokenRequests).toBe(1)
    const left = auth.session!.expiresAt! - Date.now()
    expect(left).toBeGreaterThan(4 * MINUTE)
    expect(left).toBeLessThanOrEqual(5 * MINUTE)
  })
})
