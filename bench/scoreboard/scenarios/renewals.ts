import { same } from '../check.ts'
import { allAnswer, generations, pause, type Scenario, sooner, times } from '../scenario.ts'

export const renewals: readonly Scenario[] = [
  {
    theme: 'scheduled refreshes',
    title: 'a token that has expired by its lifetime is refreshed once, before any request is sent',
    covers: [
      'expired initial tokens are refreshed before any request is sent',
      'an expired token from the store is refreshed before any request is sent',
    ],
    needs: ['renews'],
    async run({ open }) {
      const { server, client, apiLog } = await open({ expired: true })
      await allAnswer(
        200,
        times(10, () => client.request('/api/x')),
      )
      same('requests as sent', generations(apiLog()), 'token 2 × 10')
      same('refreshes', server.tokenRequests, 1)
    },
  },
  {
    theme: 'a server that revokes the old access token at a refresh',
    title: 'requests in flight when the new token arrives are replayed and succeed',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open({ server: { previousAccessTokenDies: true } })
      const inFlight = Array.from({ length: 10 }, () =>
        server.holdApiNext(({ path }) => path === '/api/slow'),
      )
      const calls = times(10, () => client.request('/api/slow'))
      await sooner(Promise.all(inFlight.map(({ arrived }) => arrived)), calls)
      server.expireAccessTokens()
      await allAnswer(
        200,
        times(1, () => client.request('/api/quick')),
      )
      for (const { answer } of inFlight) answer({ check: 'release' })

      await allAnswer(200, calls)
      same('refreshes', server.tokenRequests, 1)
    },
  },
  {
    theme: 'a server that revokes the old access token at a refresh',
    title: 'requests that get a 401 before the new token arrives wait for it',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client } = await open({ server: { previousAccessTokenDies: true } })
      server.expireAccessTokens()
      server.delayAnswerNext(1_500)
      const first = times(1, () => client.request('/api/first'))
      await sooner(
        server.whenRequest(({ path }) => path === '/token'),
        first,
      )
      await pause()
      const calls = times(10, () => client.request('/api/x'))

      await allAnswer(200, [...first, ...calls])
      same('refreshes', server.tokenRequests, 1)
    },
  },
]
