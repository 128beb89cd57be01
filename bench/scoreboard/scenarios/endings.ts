import type { TokenServer } from '../../../src/testing/token-server/types.ts'
import { same } from '../check.ts'
import { allAnswer, begun, noneSucceeds, outcomes, type Scenario, sooner, times } from '../scenario.ts'
import type { PeerClient } from '../types.ts'

const theme = 'the end of a session'

/** Fifty requests wait for a refresh that the server rejects. */
const rejectAll = async (server: TokenServer, client: PeerClient) => {
  server.killRefreshTokens()
  const refresh = server.holdNext()
  const calls = times(50, () => client.request('/api/x'))
  await sooner(refresh.arrived, calls)
  refresh.answer()
  await noneSucceeds(calls)
}

export const endings: readonly Scenario[] = [
  {
    theme,
    title: 'invalid_grant rejects all waiting and later requests',
    needs: ['stores'],
    oneOf: ['recovers', 'renews'],
    async run({ open }) {
      const { server, client } = await open({ expired: true })
      await rejectAll(server, client)
      await noneSucceeds(times(3, () => client.request('/api/x')))
    },
  },
  {
    theme,
    title: 'a refresh token that the server rejected with invalid_grant is not sent again',
    covers: [],
    needs: ['stores'],
    oneOf: ['recovers', 'renews'],
    async run({ open }) {
      const { server, client } = await open({ expired: true })
      await rejectAll(server, client)
      same('requests to the token endpoint by 50 requests', server.tokenRequests, 1)
      await noneSucceeds(times(3, () => client.request('/api/x')))
      same('requests to the token endpoint after 3 more', server.tokenRequests, 1)
    },
  },
  {
    theme,
    title: 'requests succeed again after a sign-in that follows an expired session',
    needs: ['stores'],
    oneOf: ['recovers', 'renews'],
    async run({ open }) {
      const { server, client } = await open({ expired: true })
      server.killRefreshTokens()
      await outcomes([begun(client.request('/api/x'))])
      await client.signIn('ada')
      await allAnswer(200, [begun(client.request('/api/x'))])
    },
  },
]
