import type { TokenResponse } from '../../../core/ports.ts'
import type { Client } from '../client.ts'
import type { Suite } from '../suite.ts'
import { times } from '../waits.ts'

const DAY = 86_400_000
const MINUTE = 60_000

/** The token response of a server that omits the lifetime. */
const withoutLifetime = (response: TokenResponse): TokenResponse => {
  const { expires_in: _, ...rest } = response
  return rest
}

const lifetimeValues = [
  { lifetime: 'for 30 days', ms: 30 * DAY, known: true },
  { lifetime: 'for a year', ms: 365 * DAY, known: true },
  { lifetime: 'for a hundred years', ms: 36_500 * DAY, known: true },
  { lifetime: 'for an unknown time', ms: DAY, known: false },
]

const skews = [
  { skew: '10 minutes ahead', ms: 10 * MINUTE, known: true },
  { skew: '10 minutes behind', ms: -10 * MINUTE, known: true },
  { skew: '10 minutes ahead, without expires_in', ms: 10 * MINUTE, known: false },
  { skew: '10 minutes behind, without expires_in', ms: -10 * MINUTE, known: false },
]

export const lifetimes = ({ theme, scenario, expect }: Suite) =>
  theme('token lifetimes and clock skew', () => {
    const succeedsInBursts = async (client: Client) => {
      for (let burst = 0; burst < 3; burst++) {
        const answers = await Promise.all(times(5, () => client.get('/api/x')))
        expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
      }
    }

    for (const { lifetime, ms, known } of lifetimeValues) {
      scenario(`a token that is valid ${lifetime} is not refreshed under load`, async (setUp) => {
        const { server, connect, createAuth, emitted } = await setUp({ accessTokenLifetime: ms })
        const issued = server.issue()
        const auth = createAuth({ initialTokens: known ? issued : withoutLifetime(issued) })

        await succeedsInBursts(connect(auth))

        expect(server.tokenRequests).toBe(0)
        // A timer that overflows would fire immediately, again and again.
        expect(emitted('transition')).toEqual([])
        expect(auth.state).toBe('authenticated')
      })
    }

    scenario('a token with an unknown lifetime is refreshed after a 401', async (setUp) => {
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
      // Check the state first: without a session, `expiresAt` would be undefined too.
      expect(auth.state).toBe('authenticated')
      expect(auth.session?.expiresAt).toBeUndefined()
    })

    for (const lifetime of [0, -60]) {
      scenario(
        `a new token with an expires_in of ${lifetime} is used until the API rejects it`,
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

    for (const { skew, ms, known } of skews) {
      const reduce = (response: TokenResponse) => (known ? response : withoutLifetime(response))
      const settings = { jwt: true, clockSkew: ms, accessTokenLifetime: 5 * MINUTE }

      scenario(`a new token does not look expired if the server's clock is ${skew}`, async (setUp) => {
        const { server, connect, signedIn } = await setUp(settings)
        const auth = await signedIn({ signIn: () => reduce(server.issue()) })

        await succeedsInBursts(connect(auth))

        expect([server.tokenRequests, server.expiredTokenUses]).toEqual([0, 0])
      })

      scenario(
        `an initial token causes at most one refresh if the server's clock is ${skew}`,
        async (setUp) => {
          const { server, connect, createAuth, refresh } = await setUp(settings)
          const auth = createAuth({
            initialTokens: reduce(server.issue()),
            refresh: async (request) => reduce(await refresh(request)),
          })

          await succeedsInBursts(connect(auth))

          expect(server.tokenRequests).toBeLessThanOrEqual(ms < 0 && !known ? 1 : 0)
          expect(server.expiredTokenUses).toBe(0)
          expect(auth.state).toBe('authenticated')
        },
      )

      scenario(`a refresh succeeds if the server's clock is ${skew}`, async (setUp) => {
        const { server, connect, signedIn, refresh } = await setUp(settings)
        const auth = await signedIn({ refresh: async (request) => reduce(await refresh(request)) })
        const client = connect(auth)
        server.expireAccessTokens()

        await succeedsInBursts(client)

        expect(server.tokenRequests).toBe(1)
        const remaining = (auth.session?.expiresAt ?? 0) - Date.now()
        expect(remaining).toBeGreaterThan(4 * MINUTE)
        expect(remaining).toBeLessThanOrEqual(5 * MINUTE)
      })
    }
  })
