import { HoldTimeoutError, QueueFullError } from '../../../core/errors.ts'
import { closeGate } from '../closed-gate.ts'
import type { Kit } from '../kit.ts'
import { outcomes, times } from '../waits.ts'

export const holdLimits = ({ theme, scenario, expect, isTimeout }: Kit) =>
  theme('nobody waits without an end', () => {
    scenario(
      'a request that waits longer than timeouts.hold is rejected, and was never sent',
      async (setUp) => {
        const { bench, client, first } = await closeGate(setUp, { timeouts: { hold: 100 } })

        const [held, refused] = await outcomes([client.get('/api/a'), first])

        expect(held).toBeInstanceOf(HoldTimeoutError)
        expect(refused).toBeInstanceOf(HoldTimeoutError)
        expect(bench.server.log.map(({ path, status }) => [path, status])).toEqual([['/api/first', 401]])
      },
    )

    scenario('one request more than queueLimit is rejected, and the others go', async (setUp) => {
      // One place is taken by the request whose 401 closed the gate.
      const { bench, client, first, open } = await closeGate(setUp, { queueLimit: 4 })

      const calls = times(4, (index) => client.get(`/api/item/${index}`))
      const [error] = await outcomes(calls.slice(3))
      open()

      expect(error).toBeInstanceOf(QueueFullError)
      expect((await Promise.all(calls.slice(0, 3))).map(({ status }) => status)).toEqual([200, 200, 200])
      expect((await first).status).toBe(200)
      expect(bench.apiLog().filter(({ path }) => path === '/api/item/3')).toEqual([])
    })

    if (!isTimeout) return

    scenario(
      "the wait for a token counts against the client's own timeout, and nothing is sent",
      async (setUp) => {
        const { bench, client, first, open, refreshAborted } = await closeGate(setUp)

        // The refresh never comes: what ends the call is its own timeout.
        const [error] = await outcomes([client.get('/api/a', { timeout: 50 })])

        expect(isTimeout(error) ? 'timed out' : error).toBe('timed out')
        expect([bench.server.tokenRequests, refreshAborted()]).toEqual([0, false])
        open()
        expect((await first).status).toBe(200)
        expect(bench.apiLog().filter(({ path }) => path === '/api/a')).toEqual([])
      },
    )

    scenario("the client's own timeout ends a request in flight, and costs no renewal", async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const client = connect(await signedIn())

      const [error] = await outcomes([client.get('/api/slow?ms=60000', { timeout: 50 })])

      expect(isTimeout(error) ? 'timed out' : error).toBe('timed out')
      expect(server.tokenRequests).toBe(0)
      expect(apiLog().filter(({ status }) => status !== 0)).toEqual([])
    })
  })
