import type { TokenResponse } from '../../../core/ports.ts'
import type { Client } from '../client.ts'
import type { Kit } from '../kit.ts'
import { times } from '../waits.ts'

const DAY = 86_400_000
const MINUTE = 60_000

/** Token answers as a server sends them that leaves the lifetime out. */
const withoutLifetime = (response: TokenResponse): TokenResponse => {
  const { expires_in: _, ...rest } = response
  return rest
}

const lifetimeValues = [
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

export const lifetimes = ({ theme, scenario, expect }: Kit) =>
  theme('lifetimes and clocks', () => {
    const succeedsInBursts = async (client: Client) => {
      for (let burst = 0; burst < 3; burst++) {
        const answers = await Promise.all(times(5, () => client.get('/api/x')))
        expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
      }
    }

    for (const { lifetime, ms, told } of lifetimeValues) {
      scenario(`a token that lives ${lifetime} is not renewed under load`, async (setUp) => {
        const { server, connect, createAuth, emitted } = await setUp({ accessTokenLifetime: ms })
        const issued = server.issue()
        const auth = createAuth({ initialTokens: told ? issued : withoutLifetime(issued) })

        await succeedsInBursts(connect(auth))

        expect(server.tokenRequests).toBe(0)
        // A timer that overflows fires at once, over and over.
        expect(emitted('transition')).toEqual([])
        expect(auth.state).toBe('authenticated')
      })
    }

    scenario('a token whose lifetime nobody knows is renewed when it is refused', async (setUp) => {
      const { server, connect, createAuth, refresh } = await setUp()
      const auth = createAuth({
        initialTokens: withoutLifetime(server.issue()),
        refresh: async (request) => withoutLifetime(await refresh(request)),
      })
      const client = connect(auth)
      server.expireAccessTokens()

      const answers = await Promise.all(times(5, () => client.get('/api/x')))

      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
      expect(server.tokenRequests).toBe(1)
      // Without a session there would be no expiry either.
      expect(auth.state).toBe('authenticated')
      expect(auth.session?.expiresAt).toBeUndefined()
    })

    for (const lifetime of [0, -60]) {
      scenario(
        `a new token that is said to live ${lifetime} seconds is used until it is refused`,
        async (setUp) => {
          const { server, connect, signedIn, refresh } = await setUp()
          const auth = await signedIn({
            refresh: async (request) => ({ ...(await refresh(request)), expires_in: lifetime }),
          })
          const client = connect(auth)
          server.expireAccessTokens()

          await succeedsInBursts(client)

          expect(server.tokenRequests).toBe(1)
          expect(auth.state).toBe('authenticated')
        },
      )
    }

    for (const { skew, ms, told } of skews) {
      const tell = (response: TokenResponse) => (told ? response : withoutLifetime(response))
      const settings = { jwt: true, clockSkew: ms, accessTokenLifetime: 5 * MINUTE }

      scenario(`a server's clock that is ${skew} makes no new token look old`, async (setUp) => {
        const { server, connect, signedIn } = await setUp(settings)
        const auth = await signedIn({ signIn: () => tell(server.issue()) })

        await succeedsInBursts(connect(auth))

        expect([server.tokenRequests, server.expiredTokenUses]).toEqual([0, 0])
      })

      scenario(`a server's clock that is ${skew} costs a found token one renewal at most`, async (setUp) => {
        const { server, connect, createAuth, refresh } = await setUp(settings)
        const auth = createAuth({
          initialTokens: tell(server.issue()),
          refresh: async (request) => tell(await refresh(request)),
        })

        await succeedsInBursts(connect(auth))

        expect(server.tokenRequests).toBeLessThanOrEqual(ms < 0 && !told ? 1 : 0)
        expect(server.expiredTokenUses).toBe(0)
        expect(auth.state).toBe('authenticated')
      })

      scenario(`a renewal works with a server's clock that is ${skew}`, async (setUp) => {
        const { server, connect, signedIn, refresh } = await setUp(settings)
        const auth = await signedIn({ refresh: async (request) => tell(await refresh(request)) })
        const client = connect(auth)
        server.expireAccessTokens()

        await succeedsInBursts(client)

        expect(server.tokenRequests).toBe(1)
        const left = (auth.session?.expiresAt ?? 0) - Date.now()
        expect(left).toBeGreaterThan(4 * MINUTE)
        expect(left).toBeLessThanOrEqual(5 * MINUTE)
      })
    }
  })
