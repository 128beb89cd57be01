import type { Harness } from '../harness.ts'
import type { Suite } from '../suite.ts'
import { sooner, times, untilHeld } from '../waits.ts'

/** Records the maximum number of concurrent requests with that token generation at the server. */
const watchConcurrency = ({ server }: Harness, watched: number) => {
  const seen = { most: 0 }
  void server.whenRequest(({ generation }) => {
    const open = server.log.filter((entry) => entry.generation === watched && entry.status === 0).length
    if (generation === watched) seen.most = Math.max(seen.most, open)
    return false
  })
  return seen
}

export const release = ({ theme, scenario, expect }: Suite) =>
  theme('the release of held requests', () => {
    scenario('released requests never exceed release.concurrency in flight', async (setUp) => {
      const harness = await setUp()
      const { server, connect, signedIn, apiLog } = harness
      const auth = await signedIn({ release: { concurrency: 2 } })
      const client = connect(auth)
      const seen = watchConcurrency(harness, 2)
      server.expireAccessTokens()
      const heldRefresh = server.holdNext()
      const allHeld = untilHeld(auth, 20)

      const calls = times(20, () => client.get('/api/slow?ms=20'))
      await sooner([heldRefresh.arrived, allHeld], calls)
      heldRefresh.answer()
      const answers = await Promise.all(calls)

      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
      expect(seen.most).toBe(2)
      expect([server.refreshes, apiLog().length]).toEqual([1, 40])
    })

    scenario('requests that fail or are aborted free their slot for the next request', async (setUp) => {
      const { server, connect, createAuth, apiLog } = await setUp()
      const auth = createAuth({
        initialTokens: { ...server.issue(), expires_in: 0 },
        release: { concurrency: 2 },
      })
      const client = connect(auth)
      const abort = new AbortController()
      void server.whenRequest(({ path }) => {
        if (path === '/api/slow') abort.abort(new Error('The caller aborted'))
        return false
      })

      const aborted = Promise.allSettled(
        times(4, () => client.get('/api/slow?ms=10000', { signal: abort.signal })),
      )
      const refused = times(5, () => client.get('/api/always-401'))
      const answered = times(5, () => client.get('/api/x'))

      expect((await aborted).map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
      expect((await Promise.all(refused)).map(({ status }) => status)).toEqual(Array(5).fill(401))
      expect((await Promise.all(answered)).map(({ status }) => status)).toEqual(Array(5).fill(200))
      expect(apiLog().filter(({ path }) => path === '/api/x')).toHaveLength(5)
      expect(auth.state).toBe('authenticated')
    })

    scenario('all held requests are released at once by default', async (setUp) => {
      const { server, connect, createAuth, apiLog } = await setUp()
      const auth = createAuth({ initialTokens: { ...server.issue(), expires_in: 0 } })
      const client = connect(auth)
      const inFlight = Array.from({ length: 20 }, () => server.holdApiNext())

      const calls = times(20, () => client.get('/api/slow'))
      await Promise.all(inFlight.map(({ arrived }) => arrived))

      expect(apiLog().map(({ generation, status }) => [generation, status])).toEqual(Array(20).fill([2, 0]))
      for (const { answer } of inFlight) answer()
      expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(20).fill(200))
    })
  })
