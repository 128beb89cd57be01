import { describe, expect, it } from 'vitest'
import { authMachine } from '../../machines/index.ts'
import { statesOf, transitionName, transitionsOf } from '../../src/testing/model/chart-parts.ts'
import { reach, SETUPS } from './chart-setups.ts'
import {
  BACKOFF,
  chartWorld,
  EXPIRED,
  FACTS,
  failure,
  LIFETIME,
  NEWER,
  START,
  type World,
  type WorldOptions,
} from './chart-world.ts'
import { ROWS } from './transition-table.ts'

const walked = new Set<string>()
/** Notes the transitions that the chart took, and ends the world. */
const finish = ({ taken, actor }: World) => {
  for (const transition of taken) walked.add(transitionName(transition))
  actor.stop()
}

/** Starts a sign-in in that state, and lets it fail. */
async function failedSignIn(from: string, options: WorldOptions = {}): Promise<World> {
  const world = await reach(from, options)
  world.actor.send({ type: 'session.signIn' })
  expect(world.state).toBe('authenticating')
  await world.reject('authenticate', {})
  return world
}

describe('the chart', () => {
  it.each(ROWS)('goes from $from to $to on $when', async ({ from, cause, to, ...row }) => {
    const world = await reach(from, row)
    world.emitted.length = 0
    world.calls.length = 0
    world.clock.jump((row.later ?? 0) - (row.setBack ?? 0))
    await cause(world)
    expect(world.state).toBe(to)
    expect(world.emitted.map(({ type }) => type)).toEqual(row.emits ?? [])
    expect(world.calls).toEqual(row.calls ?? [])
    finish(world)
  })

  it.each([
    ['authenticated.refreshable', 'authenticated.refreshable'],
    ['authenticated.lastToken', 'authenticated.lastToken'],
    ['refreshing.requesting.open', 'authenticated.refreshable'],
    ['refreshing.coolingDown.open', 'authenticated.refreshable'],
    ['expired', 'expired'],
    ['loggedOut', 'loggedOut'],
    ['anonymous', 'anonymous'],
    ['restoring.reading', 'restoring.reading'],
    ['restoring.backingOff', 'restoring.reading'],
    ['signingOut', 'loggedOut'],
  ])('after a failed sign-in in %s goes to %s', async (from, to) => {
    const world = await failedSignIn(from)
    expect(world.state).toBe(to)
    finish(world)
  })

  it('refreshes after a failed sign-in during which the token expired', async () => {
    const world = await reach('authenticated.refreshable')
    world.actor.send({ type: 'session.signIn' })
    world.clock.jump(LIFETIME)
    await world.reject('authenticate', {})
    expect(world.state).toBe('refreshing.requesting.closed')
    finish(world)
  })

  it('lets a sign-in go on if the session before it reaches a limit', async () => {
    const world = await reach('authenticated.refreshable')
    world.actor.send({ type: 'session.signIn' })
    world.actor.send({ type: 'session.limitReached', reason: 'idle' })
    expect(world.state).toBe('authenticating')
    expect(world.emitted).toEqual([])
    await world.resolve('authenticate', { ...NEWER, epoch: 2 })
    expect(world.state).toBe('authenticated.refreshable')
    finish(world)
  })

  it.each([
    ['that work', FACTS, 'authenticated.refreshable'],
    ['that cannot be refreshed', { ...FACTS, refreshable: false }, 'authenticated.lastToken'],
    ['that have expired', EXPIRED, 'refreshing.requesting.closed'],
  ])('with initial tokens %s, starts in their state: %#', (_, initial, state) => {
    const world = chartWorld({ initial })
    expect(world.state).toBe(state)
    expect(world.emitted).toEqual([])
    finish(world)
  })

  it.each([
    [{ restores: true, silentSignIn: false }, 'restoring.reading'],
    [{ restores: false, silentSignIn: true }, 'restoring.reading'],
    [{ restores: false, silentSignIn: false }, 'anonymous'],
  ])('without tokens and with the policy %j, starts in %s', (policy, state) => {
    const world = chartWorld({ policy })
    expect(world.state).toBe(state)
    finish(world)
  })

  it('reads the store once more after a failed sign-in that interrupted restoring', async () => {
    const world = await failedSignIn('restoring.reading')
    await world.resolve('restore', FACTS)
    expect(world.state).toBe('authenticated.refreshable')
    finish(world)
  })

  it('has no transition that the tests above do not take', () => {
    const all = transitionsOf(authMachine.root).map(transitionName)
    expect(new Set(all).size, 'two transitions with the same name').toBe(all.length)
    expect(
      all.filter((name) => !walked.has(name)),
      'transitions that no test takes',
    ).toEqual([])
  })
})

describe('the set-ups of these tests', () => {
  it('reach every state of the chart', () => {
    const leaves = statesOf(authMachine.root).filter(({ type }) => type === 'atomic')
    for (const { path } of leaves) {
      const [state, region, name] = path
      const found = Object.keys(SETUPS).some((setUp) => {
        const [first, second, third] = setUp.split('.')
        if (first !== state) return false
        if (state !== 'refreshing') return second === region
        return (region === 'attempt' ? second : third) === name
      })
      expect(found, path.join('.')).toBe(true)
    }
  })
})

const FATES = ['pass', 'hold', 'anonymous', 'refuse']

describe('the tags of the chart', () => {
  it('are never repeated on a descendant', () => {
    for (const node of statesOf(authMachine.root)) {
      const inherited = new Set<string>()
      for (let parent = node.parent; parent; parent = parent.parent)
        for (const tag of parent.tags) inherited.add(tag)
      expect(
        node.tags.filter((tag) => inherited.has(tag)),
        node.path.join('.'),
      ).toEqual([])
    }
  })

  it.each(Object.keys(SETUPS))('give a request exactly one fate in %s', async (state) => {
    const world = await reach(state)
    const { tags } = world.actor.getSnapshot()
    expect([...tags].filter((tag) => FATES.includes(tag))).toHaveLength(1)
    world.actor.stop()
  })

  it.each(Object.keys(SETUPS))('say either busy or settled in %s, and never both', async (state) => {
    const world = await reach(state)
    const snapshot = world.actor.getSnapshot()
    expect(snapshot.hasTag('busy')).not.toBe(snapshot.hasTag('settled'))
    world.actor.stop()
  })

  it('hold requests if no token works, and let them pass if one does', async () => {
    for (const state of Object.keys(SETUPS).filter((name) => name.startsWith('refreshing'))) {
      const world = await reach(state)
      expect(world.actor.getSnapshot().hasTag(state.endsWith('open') ? 'pass' : 'hold'), state).toBe(true)
      world.actor.stop()
    }
  })
})

describe('the context of the chart', () => {
  it('counts refresh attempts, and resets the count with new tokens', async () => {
    const world = await reach('refreshing.backingOff.closed')
    expect(world.context).toMatchObject({ attempt: 1, failure: { reason: 'network' } })
    await world.clock.advance(BACKOFF)
    await world.reject('refresh', failure({ ambiguous: true, notBefore: 5, retryAt: 9 }))
    expect(world.context).toMatchObject({ attempt: 2, ambiguous: true, notBefore: 5, retryAt: 9 })
    await world.resolve('restore', NEWER)
    expect(world.context).toMatchObject({
      ...NEWER,
      attempt: 0,
      ambiguous: false,
      notBefore: 0,
      retryAt: 0,
      failure: undefined,
      status: 'active',
    })
    expect(world.attempts).toEqual([0, 1])
    world.actor.stop()
  })

  it('resets the count of refresh attempts each time it leaves coolingDown', async () => {
    const world = await reach('refreshing.coolingDown.closed')
    world.actor.send({ type: 'session.refresh' })
    expect(world.context.attempt).toBe(0)
    expect(world.attempts).toEqual([0, 0])
    world.actor.stop()
  })

  it('keeps the time that the server asked for if another event than a call of the app skips the backoff', async () => {
    const world = await reach('refreshing.coolingDown.closed', {
      failure: { retryAt: START + 90_000, notBefore: START + 60_000 },
    })
    world.actor.send({ type: 'environment.online' })
    expect(world.state).toBe('refreshing.backingOff.closed')
    expect(world.context).toMatchObject({ retryAt: 0, notBefore: START + 60_000 })
    await world.clock.advance(60_000 - 1)
    expect(world.state).toBe('refreshing.backingOff.closed')
    await world.clock.advance(1)
    expect(world.state).toBe('refreshing.requesting.closed')
    world.actor.stop()
  })

  it('makes the chart enter ambiguous once per token, and back off the second time', async () => {
    const world = await reach('refreshing.ambiguous.closed')
    await world.resolve('restore', undefined)
    await world.reject('refresh', failure({ ambiguous: true }))
    expect(world.state).toBe('refreshing.backingOff.closed')
    world.actor.stop()
  })

  it('makes the chart cool down after two timeouts in a row, because requests have waited long enough', async () => {
    const world = await reach('refreshing.requesting.closed')
    await world.reject('refresh', failure({ ambiguous: true, reason: 'timeout' }))
    await world.resolve('restore', undefined)
    await world.reject('refresh', failure({ ambiguous: true, reason: 'timeout' }))
    expect(world.state).toBe('refreshing.coolingDown.closed')
    world.actor.stop()
  })

  it.each([
    ['authenticated.refreshable', 1],
    ['expired', 1],
    ['anonymous', 0],
  ])('counts a new epoch at a sign-out from %s, unless that is anonymous', async (from, before) => {
    const world = await reach(from)
    expect(world.context.epoch).toBe(before)
    world.actor.send({ type: 'session.signOut' })
    const hadSession = from !== 'anonymous'
    expect(world.context.epoch).toBe(before + (hadSession ? 1 : 0))
    expect(world.context.reason).toBe(hadSession ? 'signed_out' : undefined)
    world.actor.stop()
  })

  it.each(['idle', 'lifetime'] as const)('names the limit that ended the session: %s', async (reason) => {
    const world = await reach('authenticated.refreshable')
    world.actor.send({ type: 'session.limitReached', reason })
    expect(world.context).toMatchObject({ status: 'expired', reason })
    expect(world.emitted.at(-1)).toEqual({ type: 'expired', at: START, epoch: 1, generation: 1, reason })
    world.actor.stop()
  })
})

describe('a snapshot of the chart', () => {
  it.each(Object.keys(SETUPS))('survives JSON and structuredClone in %s', async (state) => {
    const world = await reach(state)
    const persisted = world.actor.getPersistedSnapshot()
    expect(JSON.parse(JSON.stringify(persisted))).toEqual(persisted)
    expect(structuredClone(persisted)).toEqual(persisted)
    const { context, value } = world.actor.getSnapshot()
    expect(structuredClone({ context, value })).toEqual({ context, value })
    expect(JSON.parse(JSON.stringify(world.actor.getSnapshot()))).toMatchObject({
      value,
      context: JSON.parse(JSON.stringify(context)),
    })
    world.actor.stop()
  })

  it('leads to nothing: its session key is an empty object', async () => {
    const { context } = await reach('authenticated.refreshable')
    expect(Reflect.ownKeys(context.session)).toEqual([])
    expect(Object.getPrototypeOf(context.session)).toBe(Object.prototype)
  })
})
