import { describe, expect, it, vi } from 'vitest'
import { REQUEST_GATE } from '../../src/core/auth.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createHarness, type HarnessOptions, LIFETIME, refused, tokens, watch } from './auth-setup.ts'

const HOUR = 3_600_000

/** A session that refreshes each time a refresh is due. */
const refreshingSession = (options: HarnessOptions) => {
  let count = 1
  return createHarness({ refresh: () => tokens(++count), ...options })
}

describe('limits.idle', () => {
  it('expires a session that no request has used for that long, and reports the reason', async () => {
    const { auth, clock, last } = refreshingSession({ limits: { idle: HOUR } })
    await clock.advance(HOUR - 1)
    expect(auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
    expect(last('expired')).toMatchObject({ reason: 'idle' })
    await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'session_expired', reason: 'idle' })
  })

  it('does not count a refresh as a use', async () => {
    const { clock, emitted } = refreshingSession({ limits: { idle: HOUR } })
    await clock.advance(HOUR)
    expect(emitted().filter((type) => type === 'refreshed').length).toBeGreaterThan(4)
    expect(emitted().at(-1)).toBe('expired')
  })

  it('counts from the last request', async () => {
    const { auth, clock } = refreshingSession({ limits: { idle: HOUR } })
    for (let used = 0; used < 5; used++) {
      await clock.advance(HOUR - 1)
      await auth.getAccessToken()
    }
    expect(auth.state).toBe('authenticated')
    await clock.advance(HOUR - 1)
    expect(auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(auth.state).toBe('expired')
  })

  it('expires a session during a refresh, too, and rejects waiting calls', async () => {
    const { auth, clock, refresh } = createHarness({
      limits: { idle: LIFETIME + 5_000 },
      timeouts: { refresh: HOUR, hold: HOUR },
    })
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('refreshing')
    const refreshed = watch(auth.refresh())
    await clock.advance(5_000)
    expect(auth.state).toBe('expired')
    expect(refreshed.error).toMatchObject({ code: 'session_expired', reason: 'idle' })
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
  })

  it('counts a held request as a use', async () => {
    const { auth, clock } = createHarness({
      limits: { idle: LIFETIME + 5_000 },
      timeouts: { refresh: HOUR, hold: HOUR },
    })
    await clock.advance(LIFETIME)
    const held = watch(auth.getAccessToken())
    await clock.advance(LIFETIME + 4_999)
    expect(held.state).toBe('pending')
    await clock.advance(1)
    expect(held.error).toMatchObject({ code: 'session_expired', reason: 'idle' })
  })

  it('rejects the first request after the limit, on a machine that slept', async () => {
    const { auth, clock } = createHarness({ limits: { idle: 60_000 } })
    clock.jump(60_000)
    await expect(auth.getAccessToken()).rejects.toMatchObject({ reason: 'idle' })
  })

  it('rejects the first request after the limit, on a machine that slept during a refresh', async () => {
    const { auth, clock } = createHarness({
      initialTokens: tokens(1, { expires_in: 0 }),
      limits: { idle: 60_000 },
    })
    await clock.advance(0)
    clock.jump(60_000)
    await expect(auth.getAccessToken()).rejects.toMatchObject({ reason: 'idle' })
  })

  it('expires the session once a machine that slept wakes up', async () => {
    const { auth, clock, outside } = createHarness({ limits: { idle: 60_000 } })
    clock.jump(60_000)
    outside.signal('visible')
    expect(auth.state).toBe('expired')
  })

  it('starts to count again with each sign-in', async () => {
    const { auth, clock, signIn } = refreshingSession({ limits: { idle: HOUR } })
    await clock.advance(HOUR)
    const session = auth.signIn('ada')
    await clock.advance(0)
    signIn.call().resolve(tokens(9))
    await session
    await clock.advance(HOUR - 1)
    expect(auth.state).toBe('authenticated')
  })

  it('expires a session that cannot refresh any more, too', async () => {
    const { auth, clock, refresh, at } = createHarness({ limits: { idle: 60_000 } })
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    await clock.advance(59_999)
    expect(at('authenticated.lastToken')).toBe(true)
    await clock.advance(1)
    expect(auth.actor.getSnapshot().context.reason).toBe('idle')
  })
})

describe('limits.absolute', () => {
  it('expires a session after that time, however often it is used, and reports the reason', async () => {
    const { auth, clock, last } = refreshingSession({ limits: { absolute: HOUR } })
    for (let minute = 0; minute < 60; minute++) {
      await auth.getAccessToken()
      await clock.advance(60_000)
    }
    expect(auth.state).toBe('expired')
    expect(last('expired')).toMatchObject({ reason: 'lifetime', at: clock.now() })
  })

  it('expires a session during a refresh, too', async () => {
    const { auth, clock } = createHarness({
      limits: { absolute: LIFETIME + 5_000 },
      timeouts: { refresh: HOUR },
    })
    await clock.advance(LIFETIME + 4_999)
    expect(auth.state).toBe('refreshing')
    await clock.advance(1)
    expect(auth.state).toBe('expired')
    expect(auth.actor.getSnapshot().context.reason).toBe('lifetime')
  })

  it('continues to count after the session was restored', async () => {
    const storage = memoryStorage()
    const first = refreshingSession({ storage })
    await first.clock.advance(HOUR / 2)
    const second = refreshingSession({
      storage,
      signedOut: true,
      clock: first.clock,
      limits: { absolute: HOUR },
    })
    await first.clock.advance(0)
    expect(second.auth.state).toBe('authenticated')
    await first.clock.advance(HOUR / 2)
    expect(second.auth.state).toBe('expired')
  })

  it.each([60_000, 100 * HOUR])(
    'counts on if the clock is set back by %s ms, even if it is used',
    async (by) => {
      const { auth, clock } = refreshingSession({ limits: { absolute: HOUR } })
      await clock.advance(HOUR / 2)
      clock.jump(-by)
      for (let minute = 0; minute < 29; minute++) {
        await clock.advance(60_000)
        await auth.getAccessToken()
      }
      expect(auth.state).toBe('authenticated')
      await clock.advance(60_000)
      expect(auth.state).toBe('expired')
      expect(auth.actor.getSnapshot().context.reason).toBe('lifetime')
    },
  )

  it.each([0, HOUR / 2])(
    'counts from a sign-in that replaces a session of %s ms, after the clock was set back',
    async (age) => {
      const { auth, clock, signIn } = refreshingSession({ limits: { absolute: HOUR } })
      await clock.advance(age)
      clock.jump(-100 * HOUR)
      const session = auth.signIn('ada')
      await clock.advance(0)
      signIn.call().resolve(tokens(9))
      await session
      // Its start is later than that of the session before, which is in the future.
      expect(auth.endsAt).toBe(clock.now() + HOUR)
      await clock.advance(HOUR - 1)
      expect(auth.state).toBe('authenticated')
      await clock.advance(1)
      expect(auth.state).toBe('expired')
    },
  )

  it('removes the record of the expired session from the store', async () => {
    const storage = memoryStorage()
    const { clock } = refreshingSession({ storage, limits: { absolute: HOUR } })
    await clock.advance(HOUR)
    expect(storage.read()).toBeUndefined()
  })

  it('does not interrupt a sign-in in flight', async () => {
    const { auth, clock, signIn } = refreshingSession({ limits: { absolute: HOUR } })
    await clock.advance(HOUR - 1)
    const session = watch(auth.signIn('ada'))
    await clock.advance(10)
    signIn.call().resolve(tokens(9))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
  })

  it('does not interrupt a sign-in that a listener starts in the step that notices the limit', async () => {
    const { auth, clock, signIn } = refreshingSession({ limits: { absolute: HOUR } })
    const signIns: ReturnType<typeof watch>[] = []
    auth.on('stepUpRequired', () => void signIns.push(watch(auth.signIn('ada'))))
    clock.jump(HOUR)
    auth[REQUEST_GATE].reportStepUp({ scope: 'more' })
    await clock.advance(0)
    signIn.call().resolve(tokens(9))
    await clock.advance(0)
    expect(signIns).toMatchObject([{ state: 'fulfilled' }])
    expect(auth.state).toBe('authenticated')
  })

  it('sets no timers to look at the limit while a sign-in is in flight', async () => {
    const { auth, clock, signIn } = createHarness({
      limits: { absolute: LIFETIME },
      timeouts: { signIn: HOUR },
    })
    await clock.advance(LIFETIME - 1)
    watch(auth.signIn('ada'))
    const timers = vi.spyOn(clock, 'setTimeout')
    await clock.advance(10_000)
    expect(timers.mock.calls.length).toBeLessThan(5)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(auth.state).toBe('expired')
  })

  it('rejects a refresh that is answered after the limit, because the session has expired', async () => {
    const { auth, clock, refresh } = createHarness({ limits: { absolute: HOUR } })
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    clock.jump(HOUR)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('expired')
    expect(refreshed.error).toMatchObject({ code: 'session_expired', reason: 'lifetime' })
  })
})

describe('a session without limits', () => {
  it('never expires, however long it is unused', async () => {
    const { auth, clock } = refreshingSession({})
    await clock.advance(24 * HOUR)
    expect(auth.state).toBe('authenticated')
  })
})
