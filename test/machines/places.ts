import { chartWorld, FACTS, failure, type World, type WorldOptions } from './chart-world.ts'

type Way = (more?: WorldOptions) => Promise<World>

const RESTORES = { restores: true }

function world(base: WorldOptions, more: WorldOptions = {}): World {
  const policy = { ...base.policy, ...more.policy }
  return chartWorld({ ...base, ...more, policy, yes: [...(base.yes ?? []), ...(more.yes ?? [])] })
}

const signedIn: Way = async (more) => world({ initial: FACTS, yes: ['tokenStillWorks'] }, more)

const refreshing =
  (gate: 'open' | 'closed'): Way =>
  async (more) => {
    const made = await signedIn(more)
    made.actor.send(
      gate === 'open' ? { type: 'session.refresh' } : { type: 'request.unauthorized', generation: 1 },
    )
    return made
  }

const afterFailure =
  (gate: 'open' | 'closed', error: object, policy: object = {}): Way =>
  async (more) => {
    const made = await refreshing(gate)({ ...more, policy: { ...policy, ...more?.policy } })
    await made.fail('exchangeTokens', error)
    return made
  }

/** How to come to each place of the chart from a fresh start. */
export const WAYS: Record<string, Way> = {
  'restoring.reading': async (more) => world({ policy: RESTORES }, more),
  'restoring.signingInSilently': async (more) => {
    const made = world({ policy: { ...RESTORES, silentSignIn: true } }, more)
    await made.give('readSession', undefined)
    return made
  },
  'restoring.backingOff': async (more) => {
    const made = world({ policy: { ...RESTORES, silentSignIn: true } }, more)
    await made.give('readSession', undefined)
    await made.fail('exchangeTokens', failure())
    return made
  },
  anonymous: async (more) => world({}, more),
  authenticating: async (more) => {
    const made = world({}, more)
    made.actor.send({ type: 'session.signIn' })
    return made
  },
  'authenticated.renewable': signedIn,
  'authenticated.terminal': async (more) =>
    world({ initial: { ...FACTS, renewable: false }, yes: ['tokenStillWorks'] }, more),
  'refreshing.requesting.open': refreshing('open'),
  'refreshing.requesting.closed': refreshing('closed'),
  'refreshing.backingOff.open': afterFailure('open', failure()),
  'refreshing.backingOff.closed': afterFailure('closed', failure()),
  'refreshing.uncertain.open': afterFailure('open', failure({ uncertain: true })),
  'refreshing.uncertain.closed': afterFailure('closed', failure({ uncertain: true })),
  'refreshing.offline.open': afterFailure('open', failure({ reason: 'offline' })),
  'refreshing.offline.closed': afterFailure('closed', failure({ reason: 'offline' })),
  'refreshing.suspended.open': afterFailure('open', failure(), { attempts: 1 }),
  'refreshing.suspended.closed': afterFailure('closed', failure(), { attempts: 1 }),
  expired: async (more) => {
    const made = await WAYS['authenticated.terminal']!(more)
    made.actor.send({ type: 'request.unauthorized', generation: 1 })
    return made
  },
  signingOut: async (more) => {
    const made = await signedIn(more)
    made.actor.send({ type: 'session.signOut' })
    return made
  },
  loggedOut: async (more) => {
    const made = await signedIn(more)
    made.actor.send({ type: 'session.signOut' })
    await made.give('revokeTokens')
    return made
  },
}

export async function reach(place: string, more?: WorldOptions): Promise<World> {
  const way = WAYS[place]
  if (!way) throw new Error(`There is no way to ${place}`)
  const made = await way(more)
  if (made.place !== place) throw new Error(`The way to ${place} led to ${made.place}`)
  return made
}
