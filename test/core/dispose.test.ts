import { describe, expect, it } from 'vitest'
import { DisposedError } from '../../src/core/errors.ts'
import type { SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { settled } from '../../src/testing/virtual-clock.ts'
import {
  createHarness,
  fakeCoordinator,
  type Harness,
  type HarnessOptions,
  hang,
  LIFETIME,
  refused,
  tokens,
  watch,
} from './auth-setup.ts'

/** A store that counts its listeners, and never answers the given operation. */
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
  const otherTabs = fakeCoordinator()
  otherTabs.exclusive = hang
  return otherTabs.coordinator
}

/** How to reach each state of the chart, with the promises that wait there. */
type Way = [options: HarnessOptions, go: (made: Harness) => Promise<Promise<unknown>[]>]
const PLACES: Record<string, Way> = {
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
  'authenticated.refreshable': [{}, async () => []],
  'authenticated.lastToken': [
    {},
    async ({ auth, clock, refresh }) => {
      auth.refresh().catch(() => {})
      await clock.advance(0)
      refresh.call().reject(refused())
      await clock.advance(0)
      return []
    },
  ],
  'refreshing.attempt.requesting': [
    {},
    async ({ auth, clock }) => {
      const refreshed = auth.refresh()
      await clock.advance(0)
      return [refreshed]
    },
  ],
  'refreshing.gate.closed': [
    { initialTokens: tokens(1, { expires_in: 0 }) },
    async ({ auth }) => [
      auth.getAccessToken(),
      auth.getAccessToken({ signal: new AbortController().signal }),
    ],
  ],
  'refreshing.attempt.backingOff': [
    {},
    async ({ auth, clock, refresh }) => {
      const refreshed = auth.refresh()
      await clock.advance(0)
      refresh.call().reject(new Error('no'))
      await clock.advance(0)
      return [refreshed]
    },
  ],
  'refreshing.attempt.ambiguous': [
    { storage: watchedStorage('read').storage },
    async ({ auth, clock, refresh }) => {
      const refreshed = auth.refresh()
      await clock.advance(2_000)
      refresh.call().reject(new TypeError('fetch failed'))
      await clock.advance(0)
      return [refreshed]
    },
  ],
  'refreshing.attempt.offline': [
    {},
    async ({ auth, clock, outside, refresh }) => {
      outside.online = false
      const refreshed = auth.refresh()
      await clock.advance(0)
      refresh.call().reject(new TypeError('fetch failed'))
      await clock.advance(0)
      return [refreshed]
    },
  ],
  'refreshing.attempt.coolingDown': [
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
    'in %s rejects waiting calls at once, and leaves no timer and no listener',
    async (place, [options, go]) => {
      const made = createHarness(options)
      const { auth, clock, outside, at } = made
      const waiting = (await go(made)).map(watch)
      await settled()
      expect(at(place), `is in ${JSON.stringify(auth.actor.getSnapshot().value)}`).toBe(true)
      auth.dispose()
      await settled()
      for (const waiter of waiting) expect(waiter.error).toBeInstanceOf(DisposedError)
      // The answer to a silent sign-in sets the cookie, so it is awaited all the same, in bounded time.
      expect(clock.pending).toBe(place === 'restoring.signingInSilently' ? 1 : 0)
      expect(outside.listening).toBe(0)
      await clock.advance(LIFETIME * 2)
      expect(clock.pending).toBe(0)
    },
  )

  it.each(['read', 'write', 'clear'] as const)(
    'leaves no timer behind while the store hangs in %s',
    async (hangs) => {
      const watched = watchedStorage(hangs)
      const { auth, clock } = createHarness({ storage: watched.storage })
      void auth.signOut()
      await settled()
      auth.dispose()
      await settled()
      expect(clock.pending).toBe(0)
      expect(watched.listening).toBe(0)
    },
  )

  it('leaves no timer behind while the lock is not granted', async () => {
    const { auth, clock } = createHarness({ coordinator: lockThatNeverComes() })
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    expect(clock.pending).toBeGreaterThan(0)
    auth.dispose()
    await settled()
    expect(clock.pending).toBe(0)
    expect(refreshed.error).toBeInstanceOf(DisposedError)
  })

  it('stops listening to the store and to other tabs', () => {
    const watched = watchedStorage()
    const otherTabs = fakeCoordinator()
    const { auth } = createHarness({ storage: watched.storage, coordinator: otherTabs.coordinator })
    expect([watched.listening, otherTabs.listening]).toEqual([1, 1])
    auth.dispose()
    expect([watched.listening, otherTabs.listening]).toEqual([0, 0])
  })

  it('reports an error of an unsubscribe function, and goes on', () => {
    const { auth, reported, outside, actorIsStopped } = withStops()
    auth.dispose()
    expect(reported).toEqual([new Error('cannot stop')])
    expect(outside.listening).toBe(0)
    expect(actorIsStopped()).toBe(true)
  })

  it('aborts the signal of a refresh function whose answer no store can keep', async () => {
    const signals: { aborted: boolean; reason: unknown }[] = []
    const { auth, clock, refresh } = createHarness()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    signals.push(refresh.call().argument.signal)
    auth.dispose()
    expect(signals[0]).toMatchObject({ aborted: true, reason: expect.any(DisposedError) })
  })

  it('removes its listener from the abort signal of a caller', async () => {
    const controller = new AbortController()
    let listening = 0
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: () => void listening++,
      removeEventListener: () => void listening--,
    }
    const { auth } = createHarness({ initialTokens: tokens(1, { expires_in: 0 }) })
    const waiting = watch(auth.getAccessToken({ signal }))
    expect(listening).toBe(1)
    auth.dispose()
    await settled()
    expect(waiting.error).toBeInstanceOf(DisposedError)
    expect(listening).toBe(0)
    expect(controller.signal.aborted).toBe(false)
  })

  it('does nothing the second time, and is what `using` calls', () => {
    const { auth } = createHarness()
    auth.dispose()
    auth.dispose()
    // Not every engine has the symbol.
    expect(auth[Symbol.dispose ?? Symbol.for('Symbol.dispose')]).toBe(auth.dispose)
    expect(auth.actor.getSnapshot().status).toBe('stopped')
  })

  it('stops all events', async () => {
    const { auth, events, clock } = createHarness()
    auth.dispose()
    const before = events.length
    await clock.advance(LIFETIME)
    expect(events).toHaveLength(before)
  })

  it('leaves no timer behind if a listener calls it in a step that begins a session with limits', async () => {
    const { auth, clock } = createHarness({ signedOut: true, limits: { idle: LIFETIME, absolute: LIFETIME } })
    auth.on('signedIn', () => auth.dispose())
    await auth.setTokens(tokens(1))
    await settled()
    expect(clock.pending).toBe(0)
  })

  it('may be called in a listener', async () => {
    const { auth, clock, refresh, reported } = createHarness()
    auth.on('refreshed', () => auth.dispose())
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).not.toBe('pending')
    expect(reported).toEqual([])
    await expect(auth.getAccessToken()).rejects.toBeInstanceOf(DisposedError)
  })
})

describe('dispose() within the step in which a listener has signed out', () => {
  it.each<[string, (auth: Harness['auth']) => void]>([
    ['the same listener', (auth) => auth.on('refreshed', () => [auth.signOut(), auth.dispose()])],
    [
      'another listener',
      (auth) =>
        auth.on('refreshed', () => {
          auth.on('transition', () => auth.dispose())
          void auth.signOut()
        }),
    ],
  ])('ends the session in the store and in other tabs if %s calls it', async (_, listen) => {
    const storage = memoryStorage()
    const { coordinator, announced } = fakeCoordinator()
    const { auth, clock, refresh } = createHarness({ storage, coordinator })
    listen(auth)
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session).toBeUndefined()
    expect(await storage.read()).toBeUndefined()
    expect(announced.at(-1)).toMatchObject({ type: 'ended', reason: 'signed_out' })
  })

  it('leaves the store as it is if no user was signed in', async () => {
    const storage = memoryStorage()
    const { auth, clock } = createHarness({ storage, signedOut: true })
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    createHarness({ storage })
    void auth.signOut()
    auth.dispose()
    await clock.advance(0)
    expect(await storage.read()).toBeDefined()
  })
})

describe('after dispose()', () => {
  it.each<[string, (made: Harness) => Promise<unknown>]>([
    ['ready()', ({ auth }) => auth.ready()],
    ['signIn()', ({ auth }) => auth.signIn('ada')],
    ['setTokens()', ({ auth }) => auth.setTokens(tokens(2))],
    ['refresh()', ({ auth }) => auth.refresh()],
    ['getAccessToken()', ({ auth }) => auth.getAccessToken()],
    ['getAccessToken({ minValidity })', ({ auth }) => auth.getAccessToken({ minValidity: LIFETIME })],
  ])('%s rejects with a DisposedError', async (_, call) => {
    const made = createHarness()
    made.auth.dispose()
    await expect(call(made)).rejects.toBeInstanceOf(DisposedError)
  })

  it.each<[string, (made: Harness) => Promise<unknown>]>([
    ['ready()', ({ auth }) => auth.ready()],
    ['signIn()', ({ auth }) => auth.signIn('ada')],
    ['refresh()', ({ auth }) => auth.refresh()],
    ['getAccessToken({ minValidity })', ({ auth }) => auth.getAccessToken({ minValidity: LIFETIME })],
  ])('%s settles if it was called just before', async (_, call) => {
    const made = createHarness()
    await made.clock.advance(LIFETIME * 0.6)
    const called = watch(call(made))
    made.auth.dispose()
    await settled()
    expect(called.state).not.toBe('pending')
    expect(made.clock.pending).toBe(0)
  })

  it('refresh() rejects, however far it had come', async () => {
    for (let jobs = 0; jobs < 8; jobs++) {
      const { auth, clock } = createHarness()
      const refreshed = watch(auth.refresh())
      for (let job = 0; job < jobs; job++) await Promise.resolve()
      auth.dispose()
      await settled()
      expect(refreshed.error, `after ${jobs} jobs`).toBeInstanceOf(DisposedError)
      expect(clock.pending, `after ${jobs} jobs`).toBe(0)
    }
  })

  it('no function of the user is called', async () => {
    const { auth, signIn, refresh } = createHarness()
    auth.signIn('ada').catch(() => {})
    auth.dispose()
    const other = createHarness()
    other.auth.refresh().catch(() => {})
    other.auth.dispose()
    await settled()
    expect([...signIn.calls, ...refresh.calls, ...other.refresh.calls]).toEqual([])
  })

  it('signOut() resolves, whether it was called before or after', async () => {
    const { auth, clock } = createHarness({ revoke: hang })
    const before = watch(auth.signOut())
    auth.dispose()
    await clock.advance(0)
    expect(before.state).toBe('fulfilled')
    expect(await auth.signOut()).toBeUndefined()
  })

  it('on() returns a function that does no harm', () => {
    const { auth } = createHarness()
    auth.dispose()
    expect(() => auth.on('expired', () => {})()).not.toThrow()
  })
})

function withStops() {
  const otherTabs = fakeCoordinator()
  const { coordinator } = otherTabs
  const made = createHarness({
    coordinator: {
      ...coordinator,
      subscribe: () => () => {
        throw new Error('cannot stop')
      },
    },
  })
  return { ...made, actorIsStopped: () => made.auth.actor.getSnapshot().status === 'stopped' }
}
