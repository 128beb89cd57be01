import type { TokenServerRequest } from '../../token-server/token-server.ts'
import type { Kit } from '../kit.ts'
import { outcomes } from '../waits.ts'

const authorized = (log: readonly TokenServerRequest[]) =>
  log.filter(({ authorization }) => authorization !== undefined).map(({ path }) => path)

export const origins = ({ theme, scenario, expect, refused }: Kit) =>
  theme('where the token goes', () => {
    scenario(
      'a request to another origin takes no token there, and its 401 costs no renewal',
      async (setUp) => {
        const { server, connect, signedIn } = await setUp()
        const foreign = await setUp()
        const auth = await signedIn()
        const client = connect(auth)

        // A client may refuse to go there at all.
        await outcomes([client.get(`${foreign.url}/public`), client.post(`${foreign.url}/api/x`, { n: 1 })])

        expect(authorized(foreign.server.log)).toEqual([])
        expect([server.tokenRequests, auth.state]).toEqual([0, 'authenticated'])
        expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 1 } })
      },
    )

    scenario('a redirect to another origin does not take the token along', async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const foreign = await setUp()
      const client = connect(await signedIn())

      // A client need not follow redirects.
      await outcomes([client.get(`/api/redirect?to=${encodeURIComponent(`${foreign.url}/public`)}`)])

      expect(authorized(server.log)).toEqual(['/api/redirect'])
      expect(authorized(foreign.server.log)).toEqual([])
    })

    scenario(
      "an Authorization header of the caller's own is left alone, and its 401 is its own",
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
