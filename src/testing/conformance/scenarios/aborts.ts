import { closeGate } from '../closed-gate.ts'
import type { Suite } from '../suite.ts'
import { deferred, nextEvent, outcomes, sooner, untilHeld } from '../waits.ts'

const reason = () => new DOMException('The user closed the page', 'AbortError')

export const aborts = ({ theme, scenario, expect, isAbort }: Suite) =>
  theme('aborted calls', () => {
    /** Returns the error itself if it is not an abort, so that the failure shows it. */
    const outcomeOf = (error: unknown, cause: unknown) => (isAbort(error, cause) ? 'aborted' : error)

    scenario('a signal that is already aborted rejects the call, and nothing is sent', async (setUp) => {
      const { server, connect, signedIn } = await setUp()
      const client = connect(await signedIn())
      const cause = reason()

      const [error] = await outcomes([client.get('/api/a', { signal: AbortSignal.abort(cause) })])

      expect(outcomeOf(error, cause)).toBe('aborted')
      expect(server.log).toEqual([])
    })

    scenario(
      'a signal that aborts in flight rejects the call, as it does without authchart',
      async (setUp) => {
        const { server, connect, signedIn } = await setUp()
        const client = connect(await signedIn())
        const controller = new AbortController()
        const cause = reason()
        const arrived = server.whenRequest(({ path }) => path === '/api/slow')

        const call = outcomes([client.get('/api/slow?ms=60000', { signal: controller.signal })])
        await arrived
        controller.abort(cause)

        const [error] = await call
        expect(outcomeOf(error, cause)).toBe('aborted')
        expect(server.tokenRequests).toBe(0)
      },
    )

    scenario(
      'a signal that aborts a held request rejects it immediately and affects no other request',
      async (setUp) => {
        const harness = await setUp()
        const { auth, client, first, open, refreshAborted } = await closeGate(harness)
        const { server, apiLog, emitted } = harness
        const controller = new AbortController()
        const cause = reason()
        const held = untilHeld(auth, 4)
        const others = [client.get('/api/b'), client.post('/api/c', { n: 1 })]

        const call = outcomes([client.get('/api/a', { signal: controller.signal })])
        await sooner([held], [first, call, ...others])
        controller.abort(cause)

        // The wait ended before the token endpoint received a request.
        const [error] = await call
        expect(outcomeOf(error, cause)).toBe('aborted')
        expect(server.tokenRequests).toBe(0)
        expect(refreshAborted()).toBe(false)
        open()
        expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200])
        expect((await first).status).toBe(200)
        expect(apiLog().filter(({ path }) => path === '/api/a')).toEqual([])
        expect([server.refreshes, refreshAborted()]).toEqual([1, false])
        expect(emitted('requestRejected').map(({ count, reason: rejection }) => [count, rejection])).toEqual([
          [1, 'aborted'],
        ])
      },
    )

    scenario(
      'a signal that aborts between a 401 and the replay rejects the call, and it is not replayed',
      async (setUp) => {
        const { server, connect, signedIn, refresh, apiLog } = await setUp()
        const opened = deferred()
        const auth = await signedIn({ refresh: (request) => opened.promise.then(() => refresh(request)) })
        const client = connect(auth)
        const controller = new AbortController()
        const cause = reason()
        server.expireAccessTokens()
        const held = nextEvent(auth, 'requestHeld')

        const call = outcomes([client.post('/api/a', 'text', { signal: controller.signal })])
        await sooner([held], [call])
        controller.abort(cause)

        const [error] = await call
        expect(outcomeOf(error, cause)).toBe('aborted')
        const refreshed = nextEvent(auth, 'refreshed')
        opened.resolve()
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
