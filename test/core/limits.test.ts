import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory.ts'
import { LIFETIME, type RigOptions, refused, rig, tokens, watch } from './auth-setup.ts'

const HOUR = 3_600_000

/** A session that is renewed as it falls due. */
const renewing = (options: RigOptions) => {
  let count = 1
  return rig({ refresh: () => tokens(++count), ...options })
}

describe('limits.idle', () => {
  it('ends a session that no request used for so long, and says why', async () => {
    const { auth, clock, last } = renewing({ limits: { idle: HOUR } })
    await clock.advance(HOUR - 1)
    expect(auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
    expect(last('expired')).toMatchObject({ reason: 'idle' })
    await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'session_expired', reason: 'idle' })
  })

  it('takes no renewal for use: it renewed all the while', async () => {
    const { clock, told } = renewing({ limits: { idle: HOUR } })
    await clock.advance(HOUR)
    expect(told().filter((type) => type === 'refreshed').length).toBeGreaterThan(4)
    expect(told().at(-1)).toBe('expired')
  })

  it('counts from the last request', async () => {
    const { auth, clock } = renewing({ limits: { idle: HOUR } })
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

  it('ends it while it is refreshing, too, and turns away who waits', async () => {
    const { auth, clock, refresh } = rig({
      limits: { idle: LIFETIME + 5_000 },
      timeouts: { refresh: HOUR, hold: HOUR },
    })
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('refreshing')
    const renewed = watch(auth.refresh())
    await clock.advance(5_000)
    expect(auth.state).toBe('expired')
    expect(renewed.error).toMatchObject({ code: 'session_expired', reason: 'idle' })
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
  })

  it('counts a request that waits as use', async () => {
    const { auth, clock } = rig({
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

  it('stops the first request after it, in a machine that slept', async () => {
    const { auth, clock } = rig({ limits: { idle: 60_000 } })
    clock.jump(60_000)
    await expect(auth.getAccessToken()).rejects.toMatchObject({ reason: 'idle' })
  })

  it('stops the first request after it, in a machine that slept while it was refreshing', async () => {
    const { auth, clock } = rig({ initialTokens: tokens(1, { expires_in: 0 }), limits: { idle: 60_000 } })
    await clock.advance(0)
    clock.jump(60_000)
    await expect(auth.getAccessToken()).rejects.toMatchObject({ reason: 'idle' })
  })

  it('ends it at the wake of a machine that slept', async () => {
    const { auth, clock, outside } = rig({ limits: { idle: 60_000 } })
    clock.jump(60_000)
    outside.signal('visible')
    expect(auth.state).toBe('expired')
  })

  it('starts anew with each sign-in', async () => {
    const { auth, clock, signIn } = renewing({ limits: { idle: HOUR } })
    await clock.advance(HOUR)
    const session = auth.signIn('ada')
    await clock.advance(0)
    signIn.call().resolve(tokens(9))
    await session
    await clock.advance(HOUR - 1)
    expect(auth.state).toBe('authenticated')
  })

  it('ends the last token of a session, too', async () => {
    const { auth, clock, refresh, at } = rig({ limits: { idle: 60_000 } })
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    await clock.advance(59_999)
    expect(at('authenticated.terminal')).toBe(true)
    await clock.advance(1)
    expect(auth.actor.getSnapshot().context.reason).toBe('idle')
  })
})

describe('limits.absolute', () => {
  it('ends a session that lived for so long, whatever it did, and says why', async () => {
    const { auth, clock, last } = renewing({ limits: { absolute: HOUR } })
    for (let minute = 0; minute < 60; minute++) {
      await auth.getAccessToken()
      await clock.advance(60_000)
    }
    expect(auth.state).toBe('expired')
    expect(last('expired')).toMatchObject({ reason: 'lifetime', at: clock.now() })
  })

  it('ends it while it is refreshing, too', async () => {
    const { auth, clock } = rig({ limits: { absolute: LIFETIME + 5_000 }, timeouts: { refresh: HOUR } })
    await clock.advance(LIFETIME + 4_999)
    expect(auth.state).toBe('refreshing')
    await clock.advance(1)
    expect(auth.state).toBe('expired')
    expect(auth.actor.getSnapshot().context.reason).toBe('lifetime')
  })

  it('goes on counting where the session was restored', async () => {
    const storage = memoryStorage()
    const first = renewing({ storage })
    await first.clock.advance(HOUR / 2)
    const second = renewing({
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

  it('leaves no record of the session it ended', async () => {
    const storage = memoryStorage()
    const { clock } = renewing({ storage, limits: { absolute: HOUR } })
    await clock.advance(HOUR)
    expect(storage.read()).toBeUndefined()
  })

  it('lets a sign-in go on that was in flight', async () => {
    const { auth, clock, signIn } = renewing({ limits: { absolute: HOUR } })
    await clock.advance(HOUR - 1)
    const session = watch(auth.signIn('ada'))
    await clock.advance(10)
    signIn.call().resolve(tokens(9))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
  })
})

describe('a clock without limits', () => {
  it('is not looked at for them', async () => {
    const { auth, clock } = renewing({})
    await clock.advance(24 * HOUR)
    expect(auth.state).toBe('authenticated')
  })
})
