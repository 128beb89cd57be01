import type { Suite } from '../suite.ts'
import { sooner, times, untilHeld } from '../waits.ts'

export const burst = ({ theme, scenario, expect }: Suite) =>
  theme('a burst of requests with an expired token', () => {
    scenario(
      'a hundred parallel 401s cause one refresh, and each request is replayed once and succeeds',
      async (setUp) => {
        const { server, connect, signedIn, apiLog, emitted } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)
        server.expireAccessTokens()
        const heldRefresh = server.holdNext()
        const allHeld = untilHeld(auth, 100)

        const calls = times(100, (index) => client.get(`/api/item/${index}`))
        await sooner([heldRefresh.arrived, allHeld], calls)
        heldRefresh.answer()
        const answers = await Promise.all(calls)

        expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200))
        expect(answers.map(({ json }) => (json as { path: string }).path)).toEqual(
          Array.from({ length: 100 }, (_, index) => `/api/item/${index}`),
        )
        expect([server.refreshes, server.tokenRequests]).toEqual([1, 1])
        const sendings = new Map<string, number>()
        for (const { path } of apiLog()) sendings.set(path, (sendings.get(path) ?? 0) + 1)
        expect([...sendings.values()]).toEqual(Array(100).fill(2))
        expect(emitted('requestReplayed').reduce((sum, { count }) => sum + count, 0)).toBe(100)
      },
    )

    scenario('requests started during a refresh are held and sent with the new token', async (setUp) => {
      const { server, connect, signedIn, apiLog, emitted, sinceLastToken } = await setUp()
      const auth = await signedIn()
      const client = connect(auth)
      server.expireAccessTokens()
      const heldRefresh = server.holdNext()
      const first = client.get('/api/first')
      await sooner([heldRefresh.arrived], [first])
      const allHeld = untilHeld(auth, 21)

      const held = times(20, (index) => client.get(`/api/held/${index}`))
      await sooner([allHeld], [first, ...held])
      heldRefresh.answer()
      const answers = await Promise.all([first, ...held])

      expect(answers.map(({ status }) => status)).toEqual(Array(21).fill(200))
      expect(server.tokenRequests).toBe(1)
      expect(sinceLastToken().map(({ generation }) => generation)).toEqual(Array(21).fill(2))
      expect(apiLog().filter(({ path }) => path.startsWith('/api/held/'))).toHaveLength(20)
      expect(server.expiredTokenUses).toBe(1)
      expect(emitted('requestReplayed').reduce((sum, { count }) => sum + count, 0)).toBe(1)
    })

    scenario('a 401 that arrives after the refresh is replayed without another refresh', async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const client = connect(await signedIn())
      const late = server.holdApiNext()
      const slow = client.get('/api/slow')
      await late.arrived
      server.expireAccessTokens()

      expect(await client.get('/api/quick')).toMatchObject({ status: 200, json: { generation: 2 } })
      expect(apiLog()[0]).toMatchObject({ path: '/api/slow', generation: 1, status: 0 })

      late.answer({ check: 'release' })
      expect(await slow).toMatchObject({ status: 200, json: { generation: 2 } })
      expect(server.tokenRequests).toBe(1)
      expect(apiLog().filter(({ path }) => path === '/api/slow')).toMatchObject([
        { generation: 1, status: 401 },
        { generation: 2, status: 200 },
      ])
    })

    scenario(
      'a POST that was rejected with a 401 is replayed with the same bytes and takes effect once',
      async (setUp) => {
        const { server, connect, signedIn, apiLog } = await setUp()
        const client = connect(await signedIn())
        server.expireAccessTokens()

        const answers = await Promise.all(times(10, (index) => client.post(`/api/order/${index}`, { index })))

        expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
        const executed = apiLog().filter(({ status }) => status === 200)
        expect(executed.map(({ method, bodyText }) => `${method} ${bodyText}`).sort()).toEqual(
          Array.from({ length: 10 }, (_, index) => `POST {"index":${index}}`),
        )
        expect(apiLog()).toHaveLength(20)
        expect(server.refreshes).toBe(1)
      },
    )

    scenario(
      'three expired tokens in a row cause three refreshes, and no refresh token is used twice',
      async (setUp) => {
        const { server, connect, signedIn, tokenLog } = await setUp()
        const auth = await signedIn()
        const client = connect(auth)

        for (const round of [1, 2, 3]) {
          server.expireAccessTokens()
          const answers = await Promise.all(times(10, () => client.get('/api/x')))
          expect(answers.map(({ json }) => (json as { generation: number }).generation)).toEqual(
            Array(10).fill(round + 1),
          )
          expect(server.refreshes).toBe(round)
        }

        expect(new Set(tokenLog().map(({ bodyText }) => bodyText)).size).toBe(3)
        expect([server.tokenRequests, server.reuseDetections]).toEqual([3, 0])
        expect(auth.state).toBe('authenticated')
      },
    )
  })
