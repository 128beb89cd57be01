import { same } from '../check.ts'
import { allAnswer, begun, pause, type Scenario, settlesWithin, sooner, times } from '../scenario.ts'

const theme = 'aborted calls'
/** An abort is a local matter. Any client can report it within this time, in milliseconds. */
const SOON = 10_000

const reason = () => new DOMException('The user closed the page', 'AbortError')

const rejectsSoon = async (call: Promise<unknown>) => {
  same(`the call has settled within ${SOON} ms`, await settlesWithin(SOON, call), true)
  const [outcome] = await Promise.allSettled([call])
  same('the call was', outcome?.status, 'rejected')
}

export const aborts: readonly Scenario[] = [
  {
    theme,
    title: 'a signal that is already aborted rejects the call, and nothing is sent',
    needs: ['attaches'],
    async run({ open }) {
      const { server, client } = await open()
      await rejectsSoon(begun(client.request('/api/a', { signal: AbortSignal.abort(reason()) })))
      same('requests', server.log.length, 0)
    },
  },
  {
    theme,
    title: 'a signal that aborts in flight rejects the call',
    covers: ['a signal that aborts in flight rejects the call, as it does without authchart'],
    needs: ['attaches'],
    async run({ open }) {
      const { server, client } = await open()
      const controller = new AbortController()
      const arrived = server.whenRequest(({ path }) => path === '/api/slow')
      const call = begun(client.request('/api/slow?ms=60000', { signal: controller.signal }))
      await arrived
      controller.abort(reason())
      await rejectsSoon(call)
      same('refreshes', server.tokenRequests, 0)
    },
  },
  {
    theme,
    title: 'a signal that aborts a held request rejects it immediately and affects no other request',
    needs: ['recovers', 'waits'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      server.expireAccessTokens()
      const refresh = server.holdNext()
      const others = times(1, () => client.request('/api/first'))
      await sooner(refresh.arrived, others)
      const controller = new AbortController()
      const call = begun(client.request('/api/aborted', { signal: controller.signal }))
      others.push(begun(client.request('/api/b')))
      await pause()
      controller.abort(reason())
      await rejectsSoon(call)
      refresh.answer()

      await allAnswer(200, others)
      await pause()
      same('sendings of the aborted request', apiLog('/api/aborted').length, 0)
      same('refreshes', server.tokenRequests, 1)
    },
  },
  {
    theme,
    title: 'a signal that aborts between a 401 and the replay rejects the call, and it is not replayed',
    needs: ['recovers'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      server.expireAccessTokens()
      const refresh = server.holdNext()
      const controller = new AbortController()
      const init = { method: 'POST', body: { n: 1 }, signal: controller.signal }
      const call = begun(client.request('/api/aborted', init))
      await sooner(refresh.arrived, [call])
      controller.abort(reason())
      await rejectsSoon(call)
      refresh.answer()
      await allAnswer(200, [begun(client.request('/api/next'))])
      await pause()
      same('sendings of the aborted request', apiLog('/api/aborted').length, 1)
    },
  },
  {
    theme,
    title: "the client's own timeout includes the wait for a token, and a timed-out request is not sent",
    needs: ['recovers', 'limits waits'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      server.expireAccessTokens()
      const refresh = server.holdNext()
      const first = times(1, () => client.request('/api/first'))
      await sooner(refresh.arrived, first)
      const call = begun(client.request('/api/limited', { timeout: 50 }))
      await rejectsSoon(call)
      refresh.answer()
      await allAnswer(200, first)
      await pause()
      same('sendings of the request', apiLog('/api/limited').length, 0)
    },
  },
  {
    theme,
    title: "the client's own timeout ends a request in flight and causes no refresh",
    needs: ['attaches', 'limits waits'],
    async run({ open }) {
      const { server, client } = await open()
      await rejectsSoon(begun(client.request('/api/slow?ms=60000', { timeout: 50 })))
      same('refreshes', server.tokenRequests, 0)
    },
  },
]
