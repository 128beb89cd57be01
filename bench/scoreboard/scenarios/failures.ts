import { same } from '../check.ts'
import { allAnswer, begun, noneSucceeds, outcomes, type Scenario, times, worksAgain } from '../scenario.ts'

const theme = 'failures of the token endpoint'

export const failures: readonly Scenario[] = [
  {
    theme,
    title: 'a refresh is retried after two answers of 500, and the waiting requests succeed',
    needs: ['retries'],
    async run({ open }) {
      const { server, client } = await open({ expired: true })
      server.failNext(2)
      await allAnswer(
        200,
        times(10, () => client.request('/api/x')),
      )
      same('requests to the token endpoint', server.tokenRequests, 3)
    },
  },
  {
    theme,
    title: 'a refresh is retried after the connection broke before the server acted',
    needs: ['retries'],
    async run({ open }) {
      const { server, client } = await open({ expired: true })
      server.dropNext(1)
      await allAnswer(200, [begun(client.request('/api/x'))])
      same('refreshes', server.refreshes, 1)
    },
  },
  {
    theme,
    title: 'several broken connections in a row do not end the session',
    needs: [],
    oneOf: ['recovers', 'renews'],
    async run({ open }) {
      const { server, client } = await open({ expired: true })
      server.dropNext(4)
      for (let call = 0; call < 5; call++) await outcomes([begun(client.request('/api/x'))])
      await worksAgain(() => client.request('/api/x'))
    },
  },
  {
    theme,
    title: "a refresh whose answer was lost is retried within the server's grace period",
    needs: ['retries'],
    async run({ open }) {
      const { server, client } = await open({ expired: true, server: { reuseGrace: 60_000 } })
      server.dropAnswerNext(1)
      await allAnswer(
        200,
        times(10, () => client.request('/api/x')),
      )
      same('reused refresh tokens', server.reuseDetections, 0)
    },
  },
  {
    theme,
    title: 'a failed refresh rejects all waiting requests, and the session is kept',
    covers: [
      'requests are rejected after the last attempt, and the session is kept for the next request',
      'each request starts new attempts while the server is down, and succeeds once it is up again',
    ],
    needs: [],
    oneOf: ['recovers', 'renews'],
    async run({ open }) {
      const { server, client } = await open({ expired: true })
      server.failNext(Number.POSITIVE_INFINITY, { status: 503 })
      await noneSucceeds(times(10, () => client.request('/api/x')))
      server.clearScripts()
      await worksAgain(() => client.request('/api/x'))
    },
  },
  {
    theme,
    title: 'the retry waits exactly as long as a Retry-After in seconds says',
    covers: [
      'the retry waits exactly as long as a Retry-After in seconds says',
      'requests that arrive during a Retry-After do not shorten the wait',
    ],
    needs: ['retries', 'reads challenges'],
    async run({ open }) {
      const { server, client, tokenLog } = await open({ expired: true })
      server.retryAfterNext(1)
      const calls = times(1, () => client.request('/api/x'))
      await server.whenRequest(({ path }) => path === '/token')
      calls.push(...times(5, () => client.request('/api/x')))
      await allAnswer(200, calls)
      const [first, second] = tokenLog()
      const waited = (second?.at ?? 0) - (first?.at ?? 0)
      same(`a wait of ${waited} ms is from 1,000 to 2,000 ms`, waited >= 1_000 && waited < 2_000, true)
    },
  },
]
