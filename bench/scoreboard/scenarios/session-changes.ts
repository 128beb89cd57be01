import { same } from '../check.ts'
import { allAnswer, begun, outcomes, pause, type Scenario, sooner, times } from '../scenario.ts'
import type { Stage } from '../world.ts'

const theme = 'session changes during a refresh'

/** Starts a refresh whose tokens are issued, but do not arrive until `answer()`. */
const beginRefresh = async ({ server, client }: Stage) => {
  const answer = server.holdNext()
  const calls = client.refresh
    ? [begun(client.refresh() as Promise<never>)]
    : times(5, () => client.request('/api/of-ada'))
  await sooner(answer.arrived, calls)
  await pause()
  return { answer, calls }
}

/** The user that the API sees in one more request. */
const userOf = async ({ client }: Stage): Promise<string> => {
  const [outcome] = await Promise.allSettled([client.request('/api/probe')])
  if (outcome.status === 'rejected') return 'none'
  const { subject } = Object(outcome.value.json) as { subject?: string }
  return subject ?? 'none'
}

/** Starts a refresh of Ada's token, signs in as `user` while it is running, and lets the refresh end. */
const signInDuringRefresh = async (stage: Stage, user: string) => {
  const { answer, calls } = await beginRefresh(stage)
  const signIn = begun(Promise.resolve(stage.client.signIn(user)))
  await sooner(signIn, [pause(500)])
  answer.answer()
  await Promise.allSettled([signIn])
  await outcomes(calls)
  await pause()
  return calls
}

export const sessionChanges: readonly Scenario[] = [
  {
    theme,
    title: 'a sign-out wins over a pending refresh, whose late tokens are discarded',
    covers: ['a sign-out wins over a pending refresh, whose late tokens are discarded and revoked'],
    needs: ['stores', 'signs out'],
    uses: ['signOut'],
    async run({ open }) {
      const stage = await open({ expired: true })
      const { answer, calls } = await beginRefresh(stage)
      await sooner(Promise.resolve(stage.client.signOut?.()), [pause(500)])
      answer.answer()
      await outcomes(calls)
      await pause()
      await outcomes(times(1, () => stage.client.request('/api/probe')))
      const sent = stage.apiLog('/api/probe').filter(({ authorization }) => authorization !== undefined)
      same('later requests with a token', sent.length, 0)
    },
  },
  {
    theme,
    title: 'the sign-in of another user wins over a pending refresh',
    covers: ['a refresh that ends during the sign-in of another user does not undo the sign-in'],
    needs: ['stores', 'signs in'],
    async run({ open }) {
      const stage = await open({ expired: true })
      await signInDuringRefresh(stage, 'bob')
      same('the user of the next request', await userOf(stage), 'bob')
    },
  },
  {
    theme,
    title: 'no request that waited for a refresh is sent as another user who signs in meanwhile',
    covers: [
      'the sign-in of another user wins over a pending refresh, and no old request is sent as the new user',
    ],
    needs: ['stores', 'signs in', 'attaches'],
    async run({ open }) {
      const stage = await open({ expired: true })
      await signInDuringRefresh(stage, 'bob')
      const asBob = stage
        .apiLog('/api/of-ada')
        .filter(({ status, authorization }) => status === 200 && /at-2-/.test(authorization ?? ''))
      same('requests of Ada sent as Bob', asBob.length, 0)
    },
  },
  {
    theme,
    title: 'a 401 of the old user that arrives after another sign-in is not replayed as the new user',
    needs: ['stores', 'signs in', 'recovers'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      const late = server.holdApiNext()
      const slow = times(1, () => client.request('/api/slow'))
      await sooner(late.arrived, slow)
      server.expireAccessTokens()
      await client.signIn('bob')
      late.answer({ check: 'release' })
      await outcomes(slow)
      same('sendings of the request of Ada', apiLog('/api/slow').length, 1)
    },
  },
  {
    theme,
    title: 'a 401 that arrives after a sign-out is returned to the caller',
    needs: ['stores', 'signs out', 'recovers'],
    uses: ['signOut'],
    async run({ open }) {
      const { server, client, apiLog } = await open()
      const late = server.holdApiNext()
      const slow = times(1, () => client.request('/api/slow'))
      await sooner(late.arrived, slow)
      await client.signOut?.()
      server.expireAccessTokens()
      const before = server.tokenRequests
      late.answer({ check: 'release' })
      await allAnswer(401, slow)
      same('sendings and refreshes', [apiLog().length, server.tokenRequests - before], [1, 0])
    },
  },
  {
    theme,
    title: 'requests succeed if the same user signs in again during a refresh',
    covers: ['held requests are sent with the new token if the same user signs in again during a refresh'],
    needs: ['stores', 'signs in'],
    async run({ open }) {
      const stage = await open({ expired: true })
      const calls = await signInDuringRefresh(stage, 'ada')
      if (!stage.client.refresh) await allAnswer(200, calls)
      same('the user of the next request', await userOf(stage), 'ada')
    },
  },
]
