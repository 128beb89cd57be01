import { closeGate } from '../closed-gate.ts'
import type { Kit } from '../kit.ts'
import { deferred, nextEvent, outcomes, sooner, untilHeld } from '../waits.ts'

const reason = () => new DOMException('The user has left the page', 'AbortError')

export const aborts = ({ theme, scenario, expect, isAbort }: Kit) =>
  theme('the caller leaves', () => {
    /** What is no abort shows itself in the failure. */
    const verdict = (error: unknown, why: unknown) => (isAbort(error, why) ? 'aborted' : error)

    scenario('a signal aborted before the call rejects it and sends nothing', async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const client = connect(await signedIn())
      const why = reason()

      const [error] = await outcomes([client.get('/api/a', { signal: AbortSignal.abort(why) })])

      expect(verdict(error, why)).toBe('aborted')
      expect(server.log).toEqual([])
    })

    scenario('a signal aborted in flight rejects the call as the bare client does', async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const client = connect(await signedIn())
      const controller = new AbortController()
      const why = reason()
      const arrived = server.whenRequest(({ path }) => path === '/api/slow')

      const call = outcomes([client.get('/api/slow?ms=60000', { signal: controller.signal })])
      await arrived
      controller.abort(why)

      const [error] = await call
      expect(verdict(error, why)).toBe('aborted')
      expect(server.tokenRequests).toBe(0)
    })

    scenario(
      'a signal aborted while the request is held rejects it at once; nothing else notices',
      async (setUp) => {
        const { bench, auth, client, first, open, refreshAborted } = await closeGate(setUp)
        const { server, apiLog, emitted } = bench
        const controller = new AbortController()
        const why = reason()
        const held = untilHeld(auth, 4)
        const others = [client.get('/api/b'), client.post('/api/c', { n: 1 })]

        const call = outcomes([client.get('/api/a', { signal: controller.signal })])
        await sooner([held], [first, call, ...others])
        controller.abort(why)

        // The token endpoint has not been asked yet: the wait ended without it.
        const [error] = await call
        expect(verdict(error, why)).toBe('aborted')
        expect(server.tokenRequests).toBe(0)
        expect(refreshAborted()).toBe(false)
        open()
        expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200])
        expect((await first).status).toBe(200)
        expect(apiLog().filter(({ path }) => path === '/api/a')).toEqual([])
        expect([server.refreshes, refreshAborted()]).toEqual([1, false])
        expect(emitted('requestRejected').map(({ count, reason: told }) => [count, told])).toEqual([
          [1, 'aborted'],
        ])
      },
    )

    scenario(
      'a signal aborted between a 401 and the replay rejects the call; it is not sent again',
      async (setUp) => {
        const { server, connect, signedIn, refresh, apiLog } = await setUp()
        const door = deferred()
        const auth = await signedIn({ refresh: (request) => door.promise.then(() => refresh(request)) })
        const client = connect(auth)
        const controller = new AbortController()
        const why = reason()
        server.expireAccessTokens()
        const held = nextEvent(auth, 'requestHeld')

        const call = outcomes([client.post('/api/a', 'text', { signal: controller.signal })])
        await sooner([held], [call])
        controller.abort(why)

        const [error] = await call
        expect(verdict(error, why)).toBe('aborted')
        const refreshed = nextEvent(auth, 'refreshed')
        door.resolve()
        await refreshed
        expect((await client.get('/api/next')).status).toBe(200)
        expect(
          apiLog()
            .filter(({ path }) => path === '/api/a')
            .map(({ status }) => status),
        ).toEqual([401])
      },
    )
  })
