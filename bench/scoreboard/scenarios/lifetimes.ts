import { same } from '../check.ts'
import { allAnswer, begun, outcomes, pause, type Scenario, times } from '../scenario.ts'
import type { PeerClient } from '../types.ts'

const theme = 'token lifetimes and clock skew'
const MINUTE = 60_000
const DAY = 86_400_000

const LIFETIMES = [
  { lifetime: 'for 30 days', ms: 30 * DAY, known: true },
  { lifetime: 'for a year', ms: 365 * DAY, known: true },
  { lifetime: 'for a hundred years', ms: 36_500 * DAY, known: true },
  { lifetime: 'for an unknown time', ms: DAY, known: false },
]

const SKEWS = ['', ', without expires_in'].flatMap((suffix) =>
  [10 * MINUTE, -10 * MINUTE].map((ms) => ({
    skew: `10 minutes ${ms > 0 ? 'ahead' : 'behind'}${suffix}`,
    ms,
    known: suffix === '',
  })),
)

const succeedsInBursts = async (client: PeerClient) => {
  for (let burst = 0; burst < 3; burst++) {
    await allAnswer(
      200,
      times(5, () => client.request('/api/x')),
    )
  }
}

export const lifetimes: readonly Scenario[] = [
  ...LIFETIMES.map(
    ({ lifetime, ms, known }): Scenario => ({
      theme,
      title: `a token that is valid ${lifetime} is not refreshed under load`,
      needs: ['stores'],
      anyServer: !known,
      async run({ open }) {
        const { server, client } = await open({
          expired: true,
          withoutLifetime: !known,
          server: { accessTokenLifetime: ms },
        })
        await (client.refresh?.() ?? outcomes([begun(client.request('/api/first'))]))
        const before = server.tokenRequests
        await succeedsInBursts(client)
        // A timer that overflows fires immediately, again and again.
        await pause(200)
        same('refreshes', server.tokenRequests - before, 0)
      },
    }),
  ),
  {
    theme,
    title: 'a token with an unknown lifetime is refreshed after a 401',
    needs: ['recovers'],
    anyServer: true,
    async run({ open }) {
      const { server, client } = await open({ withoutLifetime: true })
      server.expireAccessTokens()
      await succeedsInBursts(client)
      same('refreshes', server.tokenRequests, 1)
    },
  },
  ...[0, -60].map(
    (lifetime): Scenario => ({
      theme,
      title: `a new token with an expires_in of ${lifetime} is used until the API rejects it`,
      needs: ['renews', 'stores'],
      anyServer: true,
      async run({ open }) {
        const { server, client, alterTokens } = await open({ expired: true })
        alterTokens((answer) => ({ ...answer, expires_in: lifetime }))
        await succeedsInBursts(client)
        same('refreshes for 15 requests', server.tokenRequests, 1)
      },
    }),
  ),
  ...SKEWS.flatMap(({ skew, ms, known }): Scenario[] => {
    const options = {
      withoutLifetime: !known,
      server: { jwt: true, clockSkew: ms, accessTokenLifetime: 5 * MINUTE },
    }
    return [
      {
        theme,
        title: `a token does not look expired if the server's clock is ${skew}`,
        covers: [
          `a new token does not look expired if the server's clock is ${skew}`,
          `an initial token causes at most one refresh if the server's clock is ${skew}`,
        ],
        needs: ['renews', 'stores'],
        anyServer: !known,
        async run({ open }) {
          const { server, client } = await open(options)
          await succeedsInBursts(client)
          same('refreshes for 15 requests', server.tokenRequests, 0)
        },
      },
      {
        theme,
        title: `a refresh succeeds if the server's clock is ${skew}`,
        needs: ['recovers', 'stores'],
        anyServer: !known,
        async run({ open }) {
          const { server, client } = await open(options)
          server.expireAccessTokens()
          await succeedsInBursts(client)
          same('refreshes for 15 requests', server.tokenRequests, 1)
        },
      },
    ]
  }),
]
