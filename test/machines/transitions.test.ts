import { describe, expect, it } from 'vitest'
import { authMachine } from '../../machines/index.ts'
import { statesOf, transitionName, transitionsOf } from '../../src/testing/model/chart-parts.ts'
import { chartWorld, FACTS, failure, NEWER, type World } from './chart-world.ts'
import { reach, WAYS } from './places.ts'
import { ROWS } from './transition-table.ts'

const walked = new Set<string>()
const note = ({ taken, actor }: World) => {
  for (const transition of taken) walked.add(transitionName(transition))
  actor.stop()
}

/** Comes back from a sign-in that failed, to wherever it began. */
async function failedSignIn(from: string, options = {}): Promise<World> {
  const world = await reach(from, options)
  world.actor.send({ type: 'session.signIn' })
  expect(world.place).toBe('authenticating')
  await world.fail('authenticate', {})
  return world
}

describe('the chart', () => {
  it.each(ROWS)('in $from, by $when, goes to $to', async ({ from, cause, to, ...row }) => {
    const world = await reach(from, {
      ...(row.policy && { policy: row.policy }),
      ...(row.soon && { soon: row.soon }),
    })
    world.emitted.length = 0
    world.done.length = 0
    for (const guard of row.yes ?? []) world.say(guard)
    if (row.no) world.say(row.no, false)
    await cause(world)
    expect(world.place).toBe(to)
    const told = world.emitted.map(({ type }) => type).filter((type) => type !== 'transition')
    expect(told).toEqual(row.tells ?? [])
    expect(world.done).toEqual(row.does ?? [])
    note(world)
  })

  it.each([
    ['authenticated.renewable', 'authenticated.renewable'],
    ['authenticated.terminal', 'authenticated.terminal'],
    ['refreshing.requesting.open', 'authenticated.renewable'],
    ['refreshing.suspended.open', 'authenticated.renewable'],
    ['expired', 'expired'],
    ['loggedOut', 'loggedOut'],
    ['anonymous', 'anonymous'],
    ['restoring.reading', 'restoring.reading'],
    ['restoring.backingOff', 'restoring.reading'],
    ['signingOut', 'loggedOut'],
  ])('goes back, from a sign-in in %s that failed, to %s', async (from, to) => {
    const world = await failedSignIn(from)
    expect(world.place).toBe(to)
    note(world)
  })

  it('goes back to a renewal where the token died during the sign-in that failed', async () => {
    const world = await reach('authenticated.renewable')
    world.actor.send({ type: 'session.signIn' })
    world.say('tokenStillWorks', false)
    await world.fail('authenticate', {})
    expect(world.place).toBe('refreshing.requesting.closed')
    note(world)
  })

  it.each([
    [['tokenStillWorks'] as const, 'authenticated.renewable'],
    [[] as const, 'refreshing.requesting.closed'],
  ])('begins with tokens at hand, where guards say %j, in %s', (yes, place) => {
    const world = chartWorld({ initial: FACTS, yes })
    expect(world.place).toBe(place)
    note(world)
  })

  it('reads the store once more where a restored sign-in failed', async () => {
    const world = await failedSignIn('restoring.reading')
    world.say('foundWorkingToken')
    await world.give('readSession', FACTS)
    expect(world.place).toBe('authenticated.renewable')
    note(world)
  })

  it('has no transition that nothing above walked', () => {
    const all = transitionsOf(authMachine.root).map(transitionName)
    expect(new Set(all).size, 'two transitions of one name').toBe(all.length)
    expect(
      all.filter((name) => !walked.has(name)),
      'transitions that nothing walked',
    ).toEqual([])
  })
})

describe('the walk', () => {
  it('has a way to every state of the chart', () => {
    const leaves = statesOf(authMachine.root).filter(({ type }) => type === 'atomic')
    const reached = new Set(Object.keys(WAYS))
    for (const { path } of leaves) {
      const [state, region, name] = path
      const found = [...reached].some((place) => {
        const [first, second, third] = place.split('.')
        if (first !== state) return false
        if (state !== 'refreshing') return second === region
        return region === 'limits' || (region === 'exchange' ? second === name : third === name)
      })
      expect(found, path.join('.')).toBe(true)
    }
  })
})

describe('what the chart remembers', () => {
  it('counts tries, and forgets them with the tokens that come', async () => {
    const world = await reach('refreshing.backingOff.closed', { soon: 'untilRetry' })
    expect(world.context).toMatchObject({ attempt: 1, failure: { reason: 'network' } })
    await world.clock.advance(1)
    await world.fail('exchangeTokens', failure({ uncertain: true, notBefore: 5, retryAt: 9 }))
    expect(world.context).toMatchObject({ attempt: 2, uncertain: true, notBefore: 5, retryAt: 9 })
    await world.give('readSession', NEWER)
    expect(world.context).toMatchObject({
      ...NEWER,
      attempt: 0,
      uncertain: false,
      notBefore: 0,
      retryAt: 0,
      failure: undefined,
      standing: 'session',
    })
    world.actor.stop()
  })

  it('begins a new row of tries each time it wakes from suspended', async () => {
    const world = await reach('refreshing.suspended.closed', { yes: ['mayRetryNow'] })
    world.actor.send({ type: 'session.refresh' })
    expect(world.context.attempt).toBe(0)
    world.actor.stop()
  })

  it('goes through uncertain once for one token: the second time it backs off', async () => {
    const world = await reach('refreshing.uncertain.closed')
    await world.give('readSession', undefined)
    await world.fail('exchangeTokens', failure({ uncertain: true }))
    expect(world.place).toBe('refreshing.backingOff.closed')
    world.actor.stop()
  })

  it('gives up after two timeouts in a row: who waits has waited long enough', async () => {
    const world = await reach('refreshing.requesting.closed')
    await world.fail('exchangeTokens', failure({ uncertain: true, reason: 'timeout' }))
    await world.give('readSession', undefined)
    await world.fail('exchangeTokens', failure({ uncertain: true, reason: 'timeout' }))
    expect(world.place).toBe('refreshing.suspended.closed')
    world.actor.stop()
  })

  it.each([
    ['authenticated.renewable', 1],
    ['expired', 1],
    ['anonymous', 0],
  ])('counts an epoch at the sign-out from %s', async (from, before) => {
    const world = await reach(from)
    expect(world.context.epoch).toBe(before)
    world.actor.send({ type: 'session.signOut' })
    const left = from !== 'anonymous'
    expect(world.context.epoch).toBe(before + (left ? 1 : 0))
    expect(world.context.reason).toBe(left ? 'signed_out' : undefined)
    world.actor.stop()
  })

  it('holds nothing in its snapshot that JSON would lose', async () => {
    for (const place of Object.keys(WAYS)) {
      const world = await reach(place)
      const persisted = world.actor.getPersistedSnapshot()
      expect(JSON.parse(JSON.stringify(persisted)), place).toEqual(persisted)
      world.actor.stop()
    }
  })
})
