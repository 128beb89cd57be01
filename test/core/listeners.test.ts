import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LIFETIME, refused, rig, SECRET, tokens, watch } from './auth-setup.ts'

const boom = new Error('a listener fails')
const throwing = () => {
  throw boom
}

describe('on()', () => {
  it('hands out what is listened for, and everything for "*"', async () => {
    const { auth, refresh, clock } = rig()
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

  it('stops by what it returns, and only for that listener', async () => {
    const { auth } = rig()
    const heard: string[] = []
    const listener = ({ type }: { type: string }) => void heard.push(type)
    const stop = auth.on('signedOut', listener)
    auth.on('signedOut', listener)
    stop()
    stop()
    await auth.signOut()
    expect(heard).toEqual(['signedOut'])
  })

  it('gives instants, epoch, generation and reason, frozen and the same to everyone', async () => {
    const { auth, clock, refresh } = rig({ initialTokens: tokens(1, { expires_in: 0 }) })
    const heard: object[] = []
    auth.on('expired', (event) => void heard.push(event))
    auth.on('*', (event) => void (event.type === 'expired' && heard.push(event)))
    auth.actor.on('expired', (event) => void heard.push(event))
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(heard[0]).toEqual({
      type: 'expired',
      at: clock.now(),
      epoch: 1,
      generation: 1,
      reason: 'invalid_grant',
    })
    expect(Object.isFrozen(heard[0])).toBe(true)
    expect(new Set(heard).size).toBe(1)
  })

  it('says of each transition where it came from and went to, region by region', async () => {
    const { auth, refresh, clock, events } = rig()
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
      ['refreshing', 'refreshing.exchange.requesting'],
      ['refreshing', 'refreshing.gate.open'],
      'refreshFailed',
      ['refreshing.exchange.requesting', 'refreshing.exchange.backingOff'],
      ['refreshing.exchange.backingOff', 'refreshing.exchange.requesting'],
      'refreshed',
      ['refreshing', 'authenticated'],
      ['authenticated', 'authenticated.renewable'],
    ])
  })
})

describe('history', () => {
  it('keeps the last events, oldest first, and no more than historyLimit', async () => {
    const { auth, events } = rig({ historyLimit: 3 })
    await auth.signOut()
    await auth.setTokens(tokens(2))
    expect(auth.history).toEqual(events.slice(-3))
    expect(auth.history).toHaveLength(3)
  })

  it('is a copy: nobody changes it for the next one', () => {
    const { auth } = rig()
    const before = auth.history.length
    ;(auth.history as unknown[]).push('forged')
    expect(auth.history).toHaveLength(before)
  })

  it('keeps nothing where historyLimit is 0', async () => {
    const { auth } = rig({ historyLimit: 0 })
    await auth.signOut()
    expect(auth.history).toEqual([])
  })

  it('takes bursts of requests that follow each other for one', async () => {
    const { auth, clock } = rig({
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

  it('answers why the user was signed out', async () => {
    const { auth, clock, refresh } = rig()
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
    ['auth.on', 'refreshed', (made: ReturnType<typeof rig>) => made.auth.on('refreshed', throwing)],
    ['auth.on("*")', '*', (made: ReturnType<typeof rig>) => made.auth.on('*', throwing)],
    ['actor.on', 'refreshed', (made: ReturnType<typeof rig>) => made.auth.actor.on('refreshed', throwing)],
    ['actor.subscribe', 'state', (made: ReturnType<typeof rig>) => made.auth.actor.subscribe(throwing)],
    [
      'actor.subscribe({ next })',
      'state',
      (made: ReturnType<typeof rig>) => made.auth.actor.subscribe({ next: throwing }),
    ],
    [
      'actor.select',
      'state',
      (made: ReturnType<typeof rig>) => made.auth.actor.select((state) => state.value).subscribe(throwing),
    ],
    ['system.inspect', 'frame', (made: ReturnType<typeof rig>) => made.auth.actor.system.inspect(throwing)],
    [
      'system.inspect({ next })',
      'frame',
      (made: ReturnType<typeof rig>) => made.auth.actor.system.inspect({ next: throwing }),
    ],
  ])('in %s harms nobody and is reported', async (_, __, listen) => {
    const made = rig()
    const { auth, refresh, clock, reported } = made
    listen(made)
    const heard: string[] = []
    auth.on('refreshed', ({ type }) => void heard.push(type))
    const held = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.state).toBe('fulfilled')
    expect(heard).toEqual(['refreshed'])
    expect(auth.state).toBe('authenticated')
    expect(reported.length).toBeGreaterThan(0)
    expect(new Set(reported)).toEqual(new Set([boom]))
    await new Promise((resolve) => setImmediate(resolve))
    expect(uncaught).toEqual([])
  })

  it('in the end of a subscription harms nobody and is reported', () => {
    const { auth, reported } = rig()
    const complete = vi.fn(throwing)
    auth.actor.subscribe({ complete })
    auth.actor.subscribe({ error: throwing, complete })
    auth.dispose()
    expect(reported.every((error) => error === boom)).toBe(true)
    expect(reported).toHaveLength(complete.mock.calls.length)
  })

  it('in an environment that cannot be listened to is reported, and the session goes on', async () => {
    const { auth, reported } = rig({ environment: { online: () => true, subscribe: throwing } })
    expect(reported).toEqual([boom, boom, boom, boom])
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('in a store that cannot be listened to is told as storageFailed, to who listens from the start', async () => {
    const storage = { read: () => {}, write: () => {}, clear: () => {}, subscribe: throwing }
    const { clock, last } = rig({ storage })
    await clock.advance(0)
    expect(last('storageFailed')).toMatchObject({ reason: 'Error' })
  })
})

describe('actor', () => {
  it('gives its subscribers each snapshot, until they leave', async () => {
    const { auth } = rig()
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

  it('tags its states for who only wants to know whether to wait', async () => {
    const { auth, clock, signIn } = rig({ signedOut: true })
    expect([...auth.actor.getSnapshot().tags]).toEqual(['settled'])
    auth.signIn('ada').catch(() => {})
    expect([...auth.actor.getSnapshot().tags]).toEqual(['busy'])
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect([...auth.actor.getSnapshot().tags].sort()).toEqual(['session', 'settled'])
  })
})
