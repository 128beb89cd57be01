import { same, tally } from '../check.ts'
import { allAnswer, generations, pause, type Scenario, sooner, times } from '../scenario.ts'

const theme = 'a burst of requests with an expired token'

export const burst: readonly Scenario[] = [
  {
    theme,
    title: 'a hundred parallel 401s cause one refresh, and each request is replayed once and succeeds',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      server.expireAccessTokens()
      const refresh = server.holdNext()
      const calls = times(100, (index) => client.request(`/api/item/${index}`))
      await sooner(refresh.arrived, calls)
      await pause()
      refresh.answer()

      await allAnswer(200, calls)
      same('refreshes', server.tokenRequests, 1)
      const sent = new Map<string, number>()
      for (const { path } of apiLog()) sent.set(path, (sent.get(path) ?? 0) + 1)
      same('sendings of each request', tally([...sent.values()]), '2 × 100')
    },
  },
  {
    theme,
    title: 'requests started during a refresh are held and sent with the new token',
    needs: ['recovers', 'waits'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      server.expireAccessTokens()
      const refresh = server.holdNext()
      const first = times(1, () => client.request('/api/first'))
      await sooner(refresh.arrived, first)
      const held = times(20, () => client.request('/api/held'))
      await pause()
      refresh.answer()

      await allAnswer(200, [...first, ...held])
      same('refreshes', server.tokenRequests, 1)
      same('held requests as sent', generations(apiLog('/api/held')), 'token 2 × 20')
    },
  },
  {
    theme,
    title: 'a 401 that arrives after the refresh is replayed without another refresh',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open()
      const late = server.holdApiNext()
      const slow = times(1, () => client.request('/api/slow'))
      await sooner(late.arrived, slow)
      server.expireAccessTokens()
      await allAnswer(
        200,
        times(1, () => client.request('/api/quick')),
      )
      late.answer({ check: 'release' })

      await allAnswer(200, slow)
      same('refreshes', server.tokenRequests, 1)
    },
  },
  {
    theme,
    title: 'a POST that was rejected with a 401 is replayed with the same bytes and takes effect once',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      server.expireAccessTokens()
      const calls = times(10, (index) =>
        client.request(`/api/order/${index}`, { method: 'POST', body: { index } }),
      )

      await allAnswer(200, calls)
      const executed = apiLog().filter(({ status }) => status === 200)
      same(
        'executed',
        executed.map(({ method, bodyText }) => `${method} ${bodyText}`).sort(),
        Array.from({ length: 10 }, (_, index) => `POST {"index":${index}}`),
      )
    },
  },
  {
    theme,
    title: 'three expired tokens in a row cause three refreshes, and no refresh token is used twice',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open()
      for (const round of [1, 2, 3]) {
        server.expireAccessTokens()
        await allAnswer(
          200,
          times(10, () => client.request('/api/x')),
        )
        same(`refreshes after round ${round}`, server.tokenRequests, round)
      }
      same('reused refresh tokens', server.reuseDetections, 0)
    },
  },
]
