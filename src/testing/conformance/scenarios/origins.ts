import type { TokenServerRequest } from '../../token-server/token-server.ts'
import type { Suite } from '../suite.ts'
import { outcomes } from '../waits.ts'

const authorized = (log: readonly TokenServerRequest[]) =>
  log.filter(({ authorization }) => authorization !== undefined).map(({ path }) => path)

export const origins = ({ theme, scenario, expect, refused }: Suite) =>
  theme('the origins that receive the token', () => {
    scenario(
      'a request to another origin is sent without a token, and its 401 causes no refresh',
      async (setUp) => {
        const { server, connect, signedIn } = await setUp()
        const foreign = await setUp()
        const auth = await signedIn()
        const client = connect(auth)

        // A client may also refuse the request.
        await outcomes([client.get(`${foreign.url}/public`), client.post(`${foreign.url}/api/x`, { n: 1 })])

        expect(authorized(foreign.server.log)).toEqual([])
        expect([server.tokenRequests, auth.state]).toEqual([0, 'authenticated'])
        expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 1 } })
      },
    )

    scenario('a redirect to another origin does not send the token there', async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const foreign = await setUp()
      const client = connect(await signedIn())

      // A client does not have to follow redirects.
      await outcomes([client.get(`/api/redirect?to=${encodeURIComponent(`${foreign.url}/public`)}`)])

      expect(authorized(server.log)).toEqual(['/api/redirect'])
      expect(authorized(foreign.server.log)).toEqual([])
    })

    scenario(
      'an Authorization header of the caller is not replaced, and its 401 is returned to the caller',
      async (setUp) => {
        const { server, connect, signedIn, apiLog } = await setUp()
        const client = connect(await signedIn())
        const authorization = `Basic ${btoa('me:mine')}`

        expect(await client.get('/api/x', { headers: { authorization } })).toMatchObject(refused(401))

        expect(apiLog()).toMatchObject([{ authorization, status: 401 }])
        expect(server.tokenRequests).toBe(0)
      },
    )
  })
