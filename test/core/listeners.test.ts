import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHarness, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

const boom = new Error('a listener fails')
const throwing = () => {
  throw boom
}

describe('on()', () => {
  it('passes the events of a type to their listeners, and all events to a listener for "*"', async () => {
    const { auth, refresh, clock } = createHarness()
    const one: string[] = []
    const all: string[] = []
    auth.on('refreshed', ({ type }) => void one.push(type))
    auth.on('*', ({ type }) => void all.push(type))
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(one).toEqual(['refreshed'])
    expect(all.filter((type) => type !== 'transition')).toEqual(['refreshed'])
  })

  it('returns a function that removes only that listener', async () => {
    const { auth } = createHarness()
    const received: string[] = []
    const listener = ({ type }: { type: string }) => void received.push(type)
    const stop = auth.on('signedOut', listener)
    auth.on('signedOut', listener)
    stop()
    stop()
    await auth.signOut()
    expect(received).toEqual(['signedOut'])
  })

  it('passes the same frozen event with time, epoch, generation and reason to every listener', async () => {
    const { auth, clock, refresh } = createHarness({ initialTokens: tokens(1, { expires_in: 0 }) })
    const received: object[] = []
    auth.on('expired', (event) => void received.push(event))
    auth.on('*', (event) => void (event.type === 'expired' && received.push(event)))
    auth.actor.on('expired', (event) => void received.push(event))
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(received[0]).toEqual({
      type: 'expired',
      at: clock.now(),
      epoch: 1,
      generation: 1,
      reason: 'invalid_grant',
    })
    expect(Object.isFrozen(received[0])).toBe(true)
    expect(new Set(received).size).toBe(1)
  })

  it('reports the source and the target of each transition, region by region', async () => {
    const { auth, refresh, clock, events } = createHarness()
    events.length = 0
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new Response(null, { status: 503 }))
    await clock.advance(250)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    const steps = events.map((event) => (event.type === 'transition' ? [event.from, event.to] : event.type))
    expect(steps).toEqual([
      ['authenticated', 'refreshing'],
      ['refreshing', 'refreshing.attempt.requesting'],
      ['refreshing', 'refreshing.gate.open'],
      'refreshFailed',
      ['refreshing.attempt.requesting', 'refreshing.attempt.backingOff'],
      ['refreshing.attempt.backingOff', 'refreshing.attempt.requesting'],
      'refreshed',
      ['refreshing', 'authenticated'],
      ['authenticated', 'authenticated.refreshable'],
    ])
  })
})

describe('history', () => {
  it('contains the last events, oldest first, and no more than historyLimit', async () => {
    const { auth, events } = createHarness({ historyLimit: 3 })
    await auth.signOut()
    await auth.setTokens(tokens(2))
    expect(auth.history).toEqual(events.slice(-3))
    expect(auth.history).toHaveLength(3)
  })

  it('is a copy, so a change to it does not affect the next one', () => {
    const { auth } = createHarness()
    const before = auth.history.length
    ;(auth.history as unknown[]).push('forged')
    expect(auth.history).toHaveLength(before)
  })

  it('is empty if historyLimit is 0', async () => {
    const { auth } = createHarness({ historyLimit: 0 })
    await auth.signOut()
    expect(auth.history).toEqual([])
  })

  it('merges bursts of requests that follow each other into one event', async () => {
    const { auth, clock } = createHarness({
      initialTokens: tokens(1, { expires_in: 0 }),
      timeouts: { refresh: 60_000 },
    })
    for (let burst = 0; burst < 10; burst++) {
      auth.getAccessToken().catch(() => {})
      auth.getAccessToken().catch(() => {})
      await clock.advance(1)
    }
    expect(auth.history.filter(({ type }) => type === 'requestHeld')).toEqual([
      expect.objectContaining({ count: 20, held: 20 }),
    ])
  })

  it('shows why the user was signed out', async () => {
    const { auth, clock, refresh } = createHarness()
    await clock.advance(LIFETIME - 60_000)
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)
    const why = auth.history.filter(({ type }) => type === 'refreshFailed' || type === 'expired')
    expect(why).toEqual([
      expect.objectContaining({ type: 'refreshFailed', reason: 'invalid_grant', fatal: true, attempt: 1 }),
      expect.objectContaining({ type: 'expired', reason: 'invalid_grant' }),
    ])
  })
})

describe('a listener that throws', () => {
  const uncaught: unknown[] = []
  const note = (error: unknown) => void uncaught.push(error)
  let others: NodeJS.UncaughtExceptionListener[] = []
  beforeEach(() => {
    uncaught.length = 0
    others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', note)
  })
  afterEach(() => {
    process.removeListener('uncaughtException', note)
    for (const other of others) process.on('uncaughtException', other)
  })

  it.each([
    ['auth.on', 'refreshed', (made: ReturnType<typeof createHarness>) => made.auth.on('refreshed', throwing)],
    ['auth.on("*")', '*', (made: ReturnType<typeof createHarness>) => made.auth.on('*', throwing)],
    [
      'actor.on',
      'refreshed',
      (made: ReturnType<typeof createHarness>) => made.auth.actor.on('refreshed', throwing),
    ],
    [
      'actor.subscribe',
      'state',
      (made: ReturnType<typeof createHarness>) => made.auth.actor.subscribe(throwing),
    ],
    [
      'actor.subscribe({ next })',
      'state',
      (made: ReturnType<typeof createHarness>) => made.auth.actor.subscribe({ next: throwing }),
    ],
    [
      'actor.select',
      'state',
      (made: ReturnType<typeof createHarness>) =>
        made.auth.actor.select((state) => state.value).subscribe(throwing),
    ],
    [
      'system.inspect',
      'frame',
      (made: ReturnType<typeof createHarness>) => made.auth.actor.system.inspect(throwing),
    ],
    [
      'system.inspect({ next })',
      'frame',
      (made: ReturnType<typeof createHarness>) => made.auth.actor.system.inspect({ next: throwing }),
    ],
  ])('in %s affects nothing else, and its error is reported', async (_, __, listen) => {
    const made = createHarness()
    const { auth, refresh, clock, reported } = made
    listen(made)
    const received: string[] = []
    auth.on('refreshed', ({ type }) => void received.push(type))
    const held = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.state).toBe('fulfilled')
    expect(received).toEqual(['refreshed'])
    expect(auth.state).toBe('authenticated')
    expect(reported.length).toBeGreaterThan(0)
    expect(new Set(reported)).toEqual(new Set([boom]))
    await new Promise((resolve) => setImmediate(resolve))
    expect(uncaught).toEqual([])
  })

  it('at the end of a subscription affects nothing else, and its error is reported', () => {
    const { auth, reported } = createHarness()
    const complete = vi.fn(throwing)
    auth.actor.subscribe({ complete })
    auth.actor.subscribe({ error: throwing, complete })
    auth.dispose()
    expect(reported.every((error) => error === boom)).toBe(true)
    expect(reported).toHaveLength(complete.mock.calls.length)
  })

  it('does not end the session if subscribe() of the environment throws, and the error is reported', async () => {
    const { auth, reported } = createHarness({ environment: { online: () => true, subscribe: throwing } })
    expect(reported).toEqual([boom, boom, boom, boom])
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('causes storageFailed if subscribe() of the store throws, even for the first listeners', async () => {
    const storage = { read: () => {}, write: () => {}, clear: () => {}, subscribe: throwing }
    const { clock, last } = createHarness({ storage })
    await clock.advance(0)
    expect(last('storageFailed')).toMatchObject({ reason: 'Error' })
  })
})

describe('actor', () => {
  it('passes each snapshot to its subscribers until they unsubscribe', async () => {
    const { auth } = createHarness()
    const seen: unknown[] = []
    const subscription = auth.actor.subscribe((snapshot) => void seen.push(snapshot.value))
    const inspected: string[] = []
    auth.actor.system.inspect({ next: ({ type }) => void inspected.push(type) })
    await auth.signOut()
    expect(seen).toEqual(['signingOut', 'loggedOut'])
    expect(inspected).toContain('@xstate.snapshot')
    subscription.unsubscribe()
    await auth.setTokens(tokens(2))
    expect(seen).toHaveLength(2)
  })

  it('has the tags busy, settled and session in the states they describe', async () => {
    const { auth, clock, signIn } = createHarness({ signedOut: true })
    expect([...auth.actor.getSnapshot().tags]).toEqual(['settled', 'anonymous'])
    auth.signIn('ada').catch(() => {})
    expect([...auth.actor.getSnapshot().tags]).toEqual(['busy', 'hold'])
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect([...auth.actor.getSnapshot().tags].sort()).toEqual(['pass', 'session', 'settled'])
  })
})
