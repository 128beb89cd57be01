import { same } from '../check.ts'
import { allAnswer, begun, outcomes, type Scenario, times } from '../scenario.ts'

const theme = 'refusals that a refresh cannot fix'

export const refusals: readonly Scenario[] = [
  {
    theme,
    title: 'a 401 for a fresh token is returned to the caller, and the endpoint causes no more refreshes',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      await allAnswer(401, [begun(client.request('/api/always-401'))])
      same('sendings of the first request', apiLog().length, 2)
      for (let page = 1; page <= 5; page++) {
        await allAnswer(401, [begun(client.request(`/api/always-401?page=${page}`))])
      }
      same('refreshes for six requests', server.tokenRequests, 1)
      await allAnswer(200, [begun(client.request('/api/other'))])
    },
  },
  {
    theme,
    title: 'an endpoint that always answers 401 does not prevent refreshes for other endpoints',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open()
      await outcomes([begun(client.request('/api/always-401'))])
      server.expireAccessTokens()
      await allAnswer(200, [begun(client.request('/api/other'))])
    },
  },
  {
    theme,
    title: 'an endpoint that always answers 401 causes no other refresh after the token was replaced',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open()
      await outcomes([begun(client.request('/api/always-401'))])
      server.expireAccessTokens()
      await allAnswer(200, [begun(client.request('/api/other'))])
      await outcomes([begun(client.request('/api/always-401'))])
      await outcomes([begun(client.request('/api/always-401'))])
      same('refreshes', server.tokenRequests, 2)
    },
  },
  {
    theme,
    title: 'a burst of requests that always get a 401 causes one refresh',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open()
      await outcomes(times(20, () => client.request('/api/always-401')))
      same('refreshes', server.tokenRequests, 1)
    },
  },
  {
    theme,
    title: 'a 403 is returned to the caller and causes no refresh',
    covers: ['insufficient_scope emits stepUpRequired and causes no refresh'],
    needs: ['recovers'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      await allAnswer(403, [begun(client.request('/api/forbidden'))])
      same('refreshes and sendings', [server.tokenRequests, apiLog().length], [0, 1])
    },
  },
  {
    theme,
    title:
      'a 401 that asks for a stronger sign-in (RFC 9470) is returned to the caller and causes no refresh',
    covers: ['insufficient_user_authentication emits stepUpRequired with the parameters of RFC 9470'],
    needs: ['recovers', 'reads challenges'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      await allAnswer(401, [begun(client.request('/api/step-up'))])
      same('refreshes and sendings', [server.tokenRequests, apiLog().length], [0, 1])
    },
  },
  {
    theme,
    title: 'a 401 without a session is returned to the caller',
    needs: ['recovers', 'signs out'],
    uses: ['signOut'],
    async run({ open }) {
      const { server, client } = await open()
      await client.signOut?.()
      server.reset()
      await allAnswer(401, [begun(client.request('/api/x'))])
      same('refreshes', server.tokenRequests, 0)
    },
  },
]
