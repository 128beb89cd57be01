import { HoldTimeoutError, QueueFullError } from '../../../core/errors.ts'
import { closeGate } from '../closed-gate.ts'
import type { Suite } from '../suite.ts'
import { outcomes, times } from '../waits.ts'

export const holdLimits = ({ theme, scenario, expect, isTimeout }: Suite) =>
  theme('limits of waiting', () => {
    scenario(
      'a request that waits longer than timeouts.hold is rejected without being sent',
      async (setUp) => {
        const harness = await setUp()
        const { client, first } = await closeGate(harness, { timeouts: { hold: 100 } })

        const [held, refused] = await outcomes([client.get('/api/a'), first])

        expect(held).toBeInstanceOf(HoldTimeoutError)
        expect(refused).toBeInstanceOf(HoldTimeoutError)
        expect(harness.server.log.map(({ path, status }) => [path, status])).toEqual([['/api/first', 401]])
      },
    )

    scenario('a request beyond queueLimit is rejected, and the others are sent', async (setUp) => {
      const harness = await setUp()
      // The request whose 401 closed the gate takes one of the four places.
      const { client, first, open } = await closeGate(harness, { queueLimit: 4 })

      const calls = times(4, (index) => client.get(`/api/item/${index}`))
      const [error] = await outcomes(calls.slice(3))
      open()

      expect(error).toBeInstanceOf(QueueFullError)
      expect((await Promise.all(calls.slice(0, 3))).map(({ status }) => status)).toEqual([200, 200, 200])
      expect((await first).status).toBe(200)
      expect(harness.apiLog().filter(({ path }) => path === '/api/item/3')).toEqual([])
    })

    if (!isTimeout) return

    scenario(
      "the client's own timeout includes the wait for a token, and a timed-out request is not sent",
      async (setUp) => {
        const harness = await setUp()
        const { client, first, open, refreshAborted } = await closeGate(harness)

        // The refresh does not continue: only the client's own timeout can end the call.
        const [error] = await outcomes([client.get('/api/a', { timeout: 50 })])

        expect(isTimeout(error) ? 'timed out' : error).toBe('timed out')
        expect([harness.server.tokenRequests, refreshAborted()]).toEqual([0, false])
        open()
        expect((await first).status).toBe(200)
        expect(harness.apiLog().filter(({ path }) => path === '/api/a')).toEqual([])
      },
    )

    scenario("the client's own timeout ends a request in flight and causes no refresh", async (setUp) => {
      const { server, connect, signedIn, apiLog } = await setUp()
      const client = connect(await signedIn())

      const [error] = await outcomes([client.get('/api/slow?ms=60000', { timeout: 50 })])

      expect(isTimeout(error) ? 'timed out' : error).toBe('timed out')
      expect(server.tokenRequests).toBe(0)
      expect(apiLog().filter(({ status }) => status !== 0)).toEqual([])
    })
  })
