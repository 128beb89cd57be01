import { describe, expect, it } from 'vitest'
import { DisposedError } from '../../src/core/errors.ts'
import type { SessionStorage } from '../../src/core/ports.ts'
import { settled } from '../../src/testing/virtual-clock.ts'
import {
  fakeCoordinator,
  LIFETIME,
  type Rig,
  type RigOptions,
  refused,
  rig,
  tokens,
  watch,
} from './auth-setup.ts'

const hang = () => new Promise<never>(() => {})

/** A store that counts who listens to it, and answers nothing where it is told to. */
function watchedStorage(hangs?: 'read' | 'write' | 'clear') {
  let listening = 0
  const storage: SessionStorage = {
    read: () => (hangs === 'read' ? hang() : undefined),
    write: () => (hangs === 'write' ? hang() : undefined),
    clear: () => (hangs === 'clear' ? hang() : undefined),
    subscribe() {
      listening++
      return () => void listening--
    },
  }
  return {
    storage,
    get listening() {
      return listening
    },
  }
}

const lockThatNeverComes = () => {
  const siblings = fakeCoordinator()
  siblings.exclusive = hang
  return siblings.coordinator
}

/** Ways into each place of the chart, with promises that wait there. */
const PLACES: Record<string, [options: RigOptions, go: (made: Rig) => Promise<Promise<unknown>[]>]> = {
  restoring: [
    { signedOut: true, storage: watchedStorage('read').storage },
    async ({ auth }) => [auth.ready(), auth.getAccessToken(), auth.refresh()],
  ],
  'restoring.signingInSilently': [
    { signedOut: true, silentSignIn: true },
    async ({ auth }) => [auth.ready(), auth.getAccessToken()],
  ],
  'restoring.backingOff': [
    { signedOut: true, silentSignIn: true },
    async ({ auth, clock, refresh }) => {
      await clock.advance(0)
      refresh.call().reject(new Error('no'))
      await clock.advance(0)
      return [auth.ready()]
    },
  ],
  anonymous: [{ signedOut: true }, async () => []],
  authenticating: [
    { signedOut: true },
    async ({ auth, clock }) => {
      const session = auth.signIn('ada')
      await clock.advance(0)
      return [session, auth.getAccessToken(), auth.refresh()]
    },
  ],
  'authenticated.renewable': [{}, async () => []],
  'authenticated.terminal': [
    {},
    async ({ auth, clock, refresh }) => {
      auth.refresh().catch(() => {})
      await clock.advance(0)
      refresh.call().reject(refused())
      await clock.advance(0)
      return []
    },
  ],
  'refreshing.exchange.requesting': [
    {},
    async ({ auth, clock }) => {
      const renewed = auth.refresh()
      await clock.advance(0)
      return [renewed]
    },
  ],
  'refreshing.gate.closed': [
    { initialTokens: tokens(1, { expires_in: 0 }) },
    async ({ auth }) => [
      auth.getAccessToken(),
      auth.getAccessToken({ signal: new AbortController().signal }),
    ],
  ],
  'refreshing.exchange.backingOff': [
    {},
    async ({ auth, clock, refresh }) => {
      const renewed = auth.refresh()
      await clock.advance(0)
      refresh.call().reject(new Error('no'))
      await clock.advance(0)
      return [renewed]
    },
  ],
  'refreshing.exchange.uncertain': [
    { storage: watchedStorage('read').storage },
    async ({ auth, clock, refresh }) => {
      const renewed = auth.refresh()
      await clock.advance(2_000)
      refresh.call().reject(new TypeError('fetch failed'))
      await clock.advance(0)
      return [renewed]
    },
  ],
  'refreshing.exchange.offline': [
    {},
    async ({ auth, clock, outside }) => {
      outside.online = false
      const renewed = auth.refresh()
      await clock.advance(0)
      return [renewed]
    },
  ],
  'refreshing.exchange.suspended': [
    { retry: { attempts: 1 } },
    async ({ auth, clock, refresh }) => {
      auth.refresh().catch(() => {})
      await clock.advance(0)
      refresh.call().reject(new Error('no'))
      await clock.advance(0)
      return []
    },
  ],
  expired: [
    { limits: { absolute: 1_000 } },
    async ({ clock }) => {
      await clock.advance(1_000)
      return []
    },
  ],
  signingOut: [
    { revoke: hang },
    async ({ auth }) => {
      void auth.signOut()
      return []
    },
  ],
  loggedOut: [
    {},
    async ({ auth }) => {
      await auth.signOut()
      return []
    },
  ],
}

describe('dispose()', () => {
  it.each(Object.entries(PLACES))(
    'in %s rejects who waits at once, and leaves no timer and no listener',
    async (place, [options, go]) => {
      const made = rig(options)
      const { auth, clock, outside, at } = made
      const waiting = (await go(made)).map(watch)
      await settled()
      expect(at(place), `is in ${JSON.stringify(auth.actor.getSnapshot().value)}`).toBe(true)
      auth.dispose()
      await settled()
      for (const waiter of waiting) expect(waiter.error).toBeInstanceOf(DisposedError)
      expect(clock.pending).toBe(0)
      expect(outside.listening).toBe(0)
      await clock.advance(LIFETIME * 2)
      expect(clock.pending).toBe(0)
    },
  )

  it.each(['read', 'write', 'clear'] as const)(
    'leaves no timer behind while the store hangs in %s',
    async (hangs) => {
      const watched = watchedStorage(hangs)
      const { auth, clock } = rig({ storage: watched.storage })
      void auth.signOut()
      await settled()
      auth.dispose()
      await settled()
      expect(clock.pending).toBe(0)
      expect(watched.listening).toBe(0)
    },
  )

  it('leaves no timer behind while the lock does not come', async () => {
    const { auth, clock } = rig({ coordinator: lockThatNeverComes() })
    const renewed = watch(auth.refresh())
    await clock.advance(0)
    expect(clock.pending).toBeGreaterThan(0)
    auth.dispose()
    await settled()
    expect(clock.pending).toBe(0)
    expect(renewed.error).toBeInstanceOf(DisposedError)
  })

  it('stops listening to the store and to siblings', () => {
    const watched = watchedStorage()
    const siblings = fakeCoordinator()
    const { auth } = rig({ storage: watched.storage, coordinator: siblings.coordinator })
    expect([watched.listening, siblings.listening]).toEqual([1, 1])
    auth.dispose()
    expect([watched.listening, siblings.listening]).toEqual([0, 0])
  })

  it('reports what goes wrong when it stops listening, and goes on', () => {
    const { auth, reported, outside, actorIsStopped } = withStops()
    auth.dispose()
    expect(reported).toEqual([new Error('cannot stop')])
    expect(outside.listening).toBe(0)
    expect(actorIsStopped()).toBe(true)
  })

  it('aborts the functions it called', async () => {
    const signals: { aborted: boolean; reason: unknown }[] = []
    const { auth, clock, refresh } = rig()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    signals.push(refresh.call().argument.signal)
    auth.dispose()
    expect(signals[0]).toMatchObject({ aborted: true, reason: expect.any(DisposedError) })
  })

  it('takes no abort listener of a caller along', async () => {
    const controller = new AbortController()
    let listening = 0
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: () => void listening++,
      removeEventListener: () => void listening--,
    }
    const { auth } = rig({ initialTokens: tokens(1, { expires_in: 0 }) })
    const waiting = watch(auth.getAccessToken({ signal }))
    expect(listening).toBe(1)
    auth.dispose()
    await settled()
    expect(waiting.error).toBeInstanceOf(DisposedError)
    expect(listening).toBe(0)
    expect(controller.signal.aborted).toBe(false)
  })

  it('twice does nothing more, and is what `using` calls', () => {
    const { auth } = rig()
    auth.dispose()
    auth.dispose()
    expect(auth[Symbol.dispose]).toBe(auth.dispose)
    expect(auth.actor.getSnapshot().status).toBe('stopped')
  })

  it('tells listeners nothing any more', async () => {
    const { auth, events, clock } = rig()
    auth.dispose()
    const before = events.length
    await clock.advance(LIFETIME)
    expect(events).toHaveLength(before)
  })

  it('from a listener takes effect without harm', async () => {
    const { auth, clock, refresh, reported } = rig()
    auth.on('refreshed', () => auth.dispose())
    const renewed = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(renewed.state).not.toBe('pending')
    expect(reported).toEqual([])
    await expect(auth.getAccessToken()).rejects.toBeInstanceOf(DisposedError)
  })
})

describe('after dispose()', () => {
  it.each<[string, (made: Rig) => Promise<unknown>]>([
    ['ready()', ({ auth }) => auth.ready()],
    ['signIn()', ({ auth }) => auth.signIn('ada')],
    ['setTokens()', ({ auth }) => auth.setTokens(tokens(2))],
    ['refresh()', ({ auth }) => auth.refresh()],
    ['getAccessToken()', ({ auth }) => auth.getAccessToken()],
    ['getAccessToken({ minValidity })', ({ auth }) => auth.getAccessToken({ minValidity: LIFETIME })],
  ])('%s rejects', async (_, call) => {
    const made = rig()
    made.auth.dispose()
    await expect(call(made)).rejects.toBeInstanceOf(DisposedError)
  })

  it.each<[string, (made: Rig) => Promise<unknown>]>([
    ['ready()', ({ auth }) => auth.ready()],
    ['signIn()', ({ auth }) => auth.signIn('ada')],
    ['refresh()', ({ auth }) => auth.refresh()],
    ['getAccessToken({ minValidity })', ({ auth }) => auth.getAccessToken({ minValidity: LIFETIME })],
  ])('%s that was called just before it settles', async (_, call) => {
    const made = rig()
    await made.clock.advance(LIFETIME * 0.6)
    const called = watch(call(made))
    made.auth.dispose()
    await settled()
    expect(called.state).not.toBe('pending')
    expect(made.clock.pending).toBe(0)
  })

  it('refresh() settles, wherever on its way it was', async () => {
    for (let jobs = 0; jobs < 8; jobs++) {
      const { auth, clock } = rig()
      const renewed = watch(auth.refresh())
      for (let job = 0; job < jobs; job++) await Promise.resolve()
      auth.dispose()
      await settled()
      expect(renewed.error, `after ${jobs} jobs`).toBeInstanceOf(DisposedError)
      expect(clock.pending, `after ${jobs} jobs`).toBe(0)
    }
  })

  it('no function of the user is called any more', async () => {
    const { auth, signIn, refresh } = rig()
    auth.signIn('ada').catch(() => {})
    auth.dispose()
    const other = rig()
    other.auth.refresh().catch(() => {})
    other.auth.dispose()
    await settled()
    expect([...signIn.calls, ...refresh.calls, ...other.refresh.calls]).toEqual([])
  })

  it('signOut() resolves, before it and after it', async () => {
    const { auth, clock } = rig({ revoke: hang })
    const before = watch(auth.signOut())
    auth.dispose()
    await clock.advance(0)
    expect(before.state).toBe('fulfilled')
    expect(await auth.signOut()).toBeUndefined()
  })

  it('on() hands back a way to stop that does no harm', () => {
    const { auth } = rig()
    auth.dispose()
    expect(() => auth.on('expired', () => {})()).not.toThrow()
  })
})

function withStops() {
  const siblings = fakeCoordinator()
  const { coordinator } = siblings
  const made = rig({
    coordinator: {
      ...coordinator,
      subscribe: () => () => {
        throw new Error('cannot stop')
      },
    },
  })
  return { ...made, actorIsStopped: () => made.auth.actor.getSnapshot().status === 'stopped' }
}
