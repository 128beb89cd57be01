import type { RefreshFailure } from '../../machines/index.ts'
import { chartWorld, FACTS, failure, type World, type WorldOptions } from './chart-world.ts'

type SetUp = (more?: WorldOptions) => Promise<World>

const RESTORES = { restores: true }

const world = (base: WorldOptions, more: WorldOptions = {}): World =>
  chartWorld({ ...base, ...more, policy: { ...base.policy, ...more.policy } })

const signedIn: SetUp = async (more) => world({ initial: FACTS }, more)

const refreshing =
  (gate: 'open' | 'closed'): SetUp =>
  async (more) => {
    const made = await signedIn(more)
    made.actor.send(
      gate === 'open' ? { type: 'session.refresh' } : { type: 'request.unauthorized', generation: 1 },
    )
    return made
  }

const afterFailure =
  (gate: 'open' | 'closed', error: Partial<RefreshFailure>, policy: object = {}): SetUp =>
  async (more) => {
    const made = await refreshing(gate)({ ...more, policy: { ...policy, ...more?.policy } })
    await made.reject('refresh', failure({ ...error, ...more?.failure }))
    return made
  }

const signingInSilently: SetUp = async (more) => {
  const made = world({ policy: { ...RESTORES, silentSignIn: true } }, more)
  await made.resolve('restore', undefined)
  return made
}

const signingOut: SetUp = async (more) => {
  const made = await signedIn(more)
  made.actor.send({ type: 'session.signOut' })
  return made
}

const lastToken: SetUp = async (more) => world({ initial: { ...FACTS, refreshable: false } }, more)

/** How to reach each state of the chart from a fresh start. */
export const SETUPS: Readonly<Record<string, SetUp>> = {
  'restoring.reading': async (more) => world({ policy: RESTORES }, more),
  'restoring.signingInSilently': signingInSilently,
  'restoring.backingOff': async (more) => {
    const made = await signingInSilently(more)
    await made.reject('refresh', failure(more?.failure))
    return made
  },
  anonymous: async (more) => world({}, more),
  authenticating: async (more) => {
    const made = world({}, more)
    made.actor.send({ type: 'session.signIn' })
    return made
  },
  'authenticated.refreshable': signedIn,
  'authenticated.lastToken': lastToken,
  'refreshing.requesting.open': refreshing('open'),
  'refreshing.requesting.closed': refreshing('closed'),
  'refreshing.backingOff.open': afterFailure('open', {}),
  'refreshing.backingOff.closed': afterFailure('closed', {}),
  'refreshing.ambiguous.open': afterFailure('open', { ambiguous: true }),
  'refreshing.ambiguous.closed': afterFailure('closed', { ambiguous: true }),
  'refreshing.offline.open': afterFailure('open', { reason: 'offline' }),
  'refreshing.offline.closed': afterFailure('closed', { reason: 'offline' }),
  'refreshing.coolingDown.open': afterFailure('open', {}, { attempts: 1 }),
  'refreshing.coolingDown.closed': afterFailure('closed', {}, { attempts: 1 }),
  expired: async (more) => {
    const made = await lastToken(more)
    made.actor.send({ type: 'request.unauthorized', generation: 1 })
    return made
  },
  signingOut,
  loggedOut: async (more) => {
    const made = await signingOut(more)
    await made.resolve('revoke')
    return made
  },
}

/** A world whose chart is in that state. */
export async function reach(state: string, more?: WorldOptions): Promise<World> {
  const setUp = SETUPS[state]
  if (!setUp) throw new Error(`There is no set-up for ${state}`)
  const made = await setUp(more)
  if (made.state !== state) throw new Error(`The set-up for ${state} led to ${made.state}`)
  return made
}
