import type { TokenServerRequest } from '../../../src/testing/token-server/requests.ts'
import { same } from '../check.ts'
import { allAnswer, begun, outcomes, type Scenario } from '../scenario.ts'

const theme = 'the origins that receive the token'

const authorized = (log: readonly TokenServerRequest[]) =>
  log.filter(({ authorization }) => authorization !== undefined).map(({ path }) => path)

export const origins: readonly Scenario[] = [
  {
    theme,
    title: 'a request to another origin is sent without a token, and its 401 causes no refresh',
    needs: ['attaches'],
    async run({ open, openForeign }) {
      const { server, client } = await open()
      const foreign = await openForeign()
      // A client may also refuse the request.
      await outcomes([
        begun(client.request(`${foreign.origin}/public`)),
        begun(client.request(`${foreign.origin}/api/x`, { method: 'POST', body: { n: 1 } })),
      ])
      same('requests with a token at the other origin', authorized(foreign.server.log), [])
      same('refreshes', server.tokenRequests, 0)
    },
  },
  {
    theme,
    title: 'a redirect to another origin does not send the token there',
    needs: ['attaches'],
    async run({ open, openForeign }) {
      const { client } = await open()
      const foreign = await openForeign()
      const to = encodeURIComponent(`${foreign.origin}/public`)
      // A client does not have to follow redirects.
      await outcomes([begun(client.request(`/api/redirect?to=${to}`))])
      same('requests with a token at the other origin', authorized(foreign.server.log), [])
    },
  },
  {
    theme,
    title: 'an Authorization header of the caller is not replaced, and its 401 is returned to the caller',
    needs: ['attaches'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      const authorization = `Basic ${btoa('me:mine')}`
      const calls = [begun(client.request('/api/x', { headers: { authorization } }))]
      await outcomes(calls)
      same(
        'the header as sent',
        apiLog().map((entry) => entry.authorization?.split(' ')[0]),
        ['Basic'],
      )
      await allAnswer(401, calls)
      same('refreshes', server.tokenRequests, 0)
    },
  },
]
