import type { Suite } from '../suite.ts'
import { times } from '../waits.ts'

export const refusals = ({ theme, scenario, expect, refused }: Suite) =>
  theme('refusals that a refresh cannot fix', () => {
    scenario(
      'a 401 for a fresh token is returned to the caller, and the endpoint causes no more refreshes',
      async (setUp) => {
        const { server, connect, signedIn, apiLog } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)
        const refusal = { ...refused(401), json: { error: 'invalid_token' } }

        expect(await client.get('/api/always-401')).toMatchObject(refusal)
        expect(apiLog().map(({ generation }) => generation)).toEqual([1, 2])
        expect(server.tokenRequests).toBe(1)

        for (const answer of await Promise.all(times(5, () => client.get('/api/always-401')))) {
          expect(answer).toMatchObject(refusal)
        }
        for (let page = 1; page <= 5; page++) {
          expect(await client.get(`/api/always-401?page=${page}`)).toMatchObject(refusal)
        }
        expect(apiLog()).toHaveLength(12)
        expect(server.tokenRequests).toBe(1)

        expect(await client.get('/api/other')).toMatchObject({ status: 200, json: { generation: 2 } })
        expect(auth.state).toBe('authenticated')
      },
    )

    scenario(
      'an endpoint that always answers 401 does not prevent refreshes for other endpoints',
      async (setUp) => {
        const { server, connect, signedIn } = await setUp()
        const client = connect(await signedIn())
        await client.get('/api/always-401')

        server.expireAccessTokens()
        expect(await client.get('/api/other')).toMatchObject({ status: 200, json: { generation: 3 } })
        expect(server.refreshes).toBe(2)
      },
    )

    scenario(
      'an endpoint that always answers 401 causes no other refresh after the token was replaced',
      async (setUp) => {
        const { server, connect, signedIn, apiLog } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)
        await client.get('/api/always-401')
        await auth.refresh()
        expect(server.refreshes).toBe(2)

        expect(await client.get('/api/always-401')).toMatchObject(refused(401))
        expect(await client.get('/api/always-401')).toMatchObject(refused(401))

        expect(server.refreshes).toBe(2)
        expect(apiLog().map(({ generation }) => generation)).toEqual([1, 2, 3, 3])
      },
    )

    scenario('a burst of requests that always get a 401 causes one refresh', async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const client = connect(await signedIn())

      const answers = await Promise.all(times(20, () => client.get('/api/always-401')))

      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(401))
      expect(server.tokenRequests).toBe(1)
    })

    scenario('insufficient_scope emits stepUpRequired and causes no refresh', async (setUp) => {
      const { server, connect, signedIn, apiLog, emitted } = await setUp()
      const auth = await signedIn()
      const client = connect(auth)

      const answer = await client.get('/api/forbidden')

      expect(answer).toMatchObject(refused(403))
      expect(emitted('stepUpRequired')).toMatchObject([{ scope: 'admin' }])
      expect([server.tokenRequests, apiLog().length]).toEqual([0, 1])
      expect(auth.state).toBe('authenticated')
    })

    scenario(
      'insufficient_user_authentication emits stepUpRequired with the parameters of RFC 9470',
      async (setUp) => {
        const { server, connect, signedIn, apiLog, emitted } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)

        const answer = await client.get('/api/step-up')

        expect(answer).toMatchObject(refused(401))
        expect(emitted('stepUpRequired')).toMatchObject([{ acrValues: 'phr', maxAge: 60 }])
        expect([server.tokenRequests, apiLog().length]).toEqual([0, 1])
        expect(auth.state).toBe('authenticated')
      },
    )

    scenario(
      'a step-up challenge after a refresh is emitted and returned to the caller as well',
      async (setUp) => {
        const { server, connect, signedIn, emitted } = await setUp()
        const client = connect(await signedIn())
        server.expireAccessTokens()

        expect(await client.get('/api/step-up')).toMatchObject(refused(401))
        expect(emitted('stepUpRequired')).toMatchObject([{ acrValues: 'phr', maxAge: 60 }])
        expect(server.tokenRequests).toBe(1)
      },
    )

    scenario('a 401 without a session is returned to the caller', async (setUp) => {
      const { server, connect, createAuth, apiLog } = await setUp()
      const auth = createAuth()
      await auth.ready()
      const client = connect(auth)

      expect(await client.get('/api/x')).toMatchObject(refused(401))
      expect(apiLog().map(({ authorization }) => authorization)).toEqual([undefined])
      expect(server.tokenRequests).toBe(0)
    })
  })
