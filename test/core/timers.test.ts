import { describe, expect, it } from 'vitest'
import type { TokenResponse } from '../../src/core/ports.ts'
import { emptyEnvironment } from '../../src/environment/browser.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { LIFETIME, rig, SECRET, tokens, watch } from './auth-setup.ts'

const DAY = 86_400_000
/** Renewal comes a minute before the end of a life of ten. */
const DUE = LIFETIME - 60_000

describe('renewal by the clock', () => {
  it('comes early, without a request, while the old token goes on working', async () => {
    const { auth, refresh, clock, at } = rig()
    await clock.advance(DUE - 1)
    expect(refresh.calls).toHaveLength(0)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(1)
    expect(at('refreshing.gate.open')).toBe(true)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session).toMatchObject({ generation: 2, expiresAt: clock.now() + LIFETIME })
  })

  it.each([
    ['a fifth of a short life', 60, undefined, 48_000],
    ['a minute of a long one', 3_600, undefined, 3_540_000],
    ['refreshAhead', 3_600, 600_000, 3_000_000],
    ['half the life where refreshAhead is longer than it', 60, 600_000, 30_000],
    ['nothing where refreshAhead is 0', 60, 0, 60_000],
  ])('comes ahead of the end by %s', async (_, expires_in, refreshAhead, due) => {
    const { refresh, clock } = rig({
      initialTokens: tokens(1, { expires_in }),
      ...(refreshAhead !== undefined && { refreshAhead }),
    })
    await clock.advance(due - 1)
    expect(refresh.calls).toHaveLength(0)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(1)
  })

  it('does not loop where refreshAhead is longer than the life of every token', async () => {
    let calls = 0
    const { clock } = rig({
      initialTokens: tokens(1, { expires_in: 10 }),
      refreshAhead: 3_600_000,
      refresh: () => tokens(++calls + 1, { expires_in: 10 }),
    })
    await clock.advance(60_000)
    expect(calls).toBe(12)
  })

  it('does not loop where fresh tokens look dead on arrival', async () => {
    let calls = 0
    const { auth, clock } = rig({
      initialTokens: tokens(1, { expires_in: 0 }),
      refresh: () => tokens(++calls + 1, { expires_in: -5 }),
    })
    await clock.advance(DAY)
    expect(calls).toBe(1)
    expect(auth.state).toBe('authenticated')
    expect(auth.session).toHaveProperty('expiresAt', undefined)
  })

  it.each([30, 365])('waits %i days for a token that lives that long', async (days) => {
    const { refresh, clock } = rig({ initialTokens: tokens(1, { expires_in: days * 86_400 }) })
    await clock.advance(days * DAY - 60_001)
    expect(refresh.calls).toHaveLength(0)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(1)
  })

  it.each([
    ['no expiry', { expires_in: undefined }],
    ['an expiry that is no number', { expires_in: Number.NaN }],
    ['an expiry without end', { expires_in: Number.POSITIVE_INFINITY }],
  ])('never comes for a token with %s, and a 401 is all that tells', async (_, more) => {
    const { auth, refresh, clock } = rig({ initialTokens: tokens(1, more) as TokenResponse })
    await clock.advance(365 * DAY)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('closes the gate at the end of the old token', async () => {
    const { auth, refresh, clock, at } = rig({ timeouts: { refresh: 10 * LIFETIME } })
    await clock.advance(LIFETIME - 1)
    expect(at('refreshing.gate.open')).toBe(true)
    await clock.advance(1)
    expect(at('refreshing.gate.closed')).toBe(true)
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(held.state).toBe('pending')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.value).toBe(`${SECRET}-at-2`)
  })
})

describe('renew', () => {
  it("'activity' renews by the clock where a request was sent since the last renewal", async () => {
    const { auth, refresh, clock } = rig({ renew: 'activity' })
    await auth.getAccessToken()
    await clock.advance(DUE)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(2 * LIFETIME)
    expect(refresh.calls).toHaveLength(1)
  })

  it("'activity' leaves the next renewal to the request that finds the token due", async () => {
    const { auth, refresh, clock } = rig({ renew: 'activity' })
    await clock.advance(DUE + 1)
    expect(refresh.calls).toHaveLength(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
  })

  it("'activity' does not renew for a page that only wakes", async () => {
    const { refresh, clock, outside } = rig({ renew: 'activity' })
    clock.jump(DUE)
    outside.signal('visible')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
  })

  it("'demand' renews for a request alone", async () => {
    const { auth, refresh, clock, outside } = rig({ renew: 'demand' })
    await auth.getAccessToken()
    await clock.advance(2 * LIFETIME)
    outside.signal('visible')
    outside.signal('online')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.value).toBe(`${SECRET}-at-2`)
  })

  it("'demand' does not try again by itself once the tries are spent", async () => {
    const { auth, refresh, clock, at } = rig({ renew: 'demand', retry: { attempts: 1 } })
    await clock.advance(LIFETIME)
    auth.getAccessToken().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new Response(null, { status: 503 }))
    await clock.advance(DAY)
    expect(at('refreshing.exchange.suspended')).toBe(true)
    expect(refresh.calls).toHaveLength(1)
  })

  it("'demand' passes the request that finds the token due, and renews beside it", async () => {
    const { auth, refresh, clock, at } = rig({ renew: 'demand' })
    await clock.advance(DUE)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    await clock.advance(0)
    expect(at('refreshing.gate.open')).toBe(true)
    expect(refresh.calls).toHaveLength(1)
  })
})

describe('a machine that slept', () => {
  it.each(['visible', 'wake', 'online'] as const)('renews at once at "%s"', async (signal) => {
    const { refresh, clock, outside, at } = rig()
    clock.jump(LIFETIME)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    outside.signal(signal)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    expect(at('refreshing.gate.closed')).toBe(true)
  })

  it('renews early where the token is due and not dead', async () => {
    const { refresh, clock, outside, at } = rig()
    clock.jump(DUE)
    outside.signal('visible')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    expect(at('refreshing.gate.open')).toBe(true)
  })

  it('renews nothing where nothing is due', async () => {
    const { auth, refresh, clock, outside } = rig()
    clock.jump(DUE - 1)
    for (const signal of ['visible', 'wake', 'online'] as const) outside.signal(signal)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.state).toBe('authenticated')
  })

  it('sends no request with a token that died meanwhile, whatever its timers say', async () => {
    const { auth, refresh, clock } = rig()
    clock.jump(LIFETIME)
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(held.state).toBe('pending')
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.value).toBe(`${SECRET}-at-2`)
  })

  it('closes the gate for the request that finds the old token dead during a renewal', async () => {
    const { auth, clock, at } = rig()
    await clock.advance(DUE)
    clock.jump(LIFETIME)
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(at('refreshing.gate.closed')).toBe(true)
    expect(held.state).toBe('pending')
  })

  it('does not mistake its timer for the time: a clock set back keeps the token', async () => {
    const { auth, refresh, clock } = rig()
    clock.jump(-LIFETIME)
    await clock.advance(DUE)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.state).toBe('authenticated')
    await clock.advance(LIFETIME)
    expect(refresh.calls).toHaveLength(1)
  })

  it('ends the last token of a session at the request that finds it dead', async () => {
    const { auth, refresh, clock, at } = rig()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject({ error: 'invalid_grant' })
    await clock.advance(0)
    expect(at('authenticated.terminal')).toBe(true)
    clock.jump(LIFETIME)
    await expect(auth.getAccessToken()).rejects.toMatchObject({
      code: 'session_expired',
      reason: 'invalid_grant',
    })
    expect(auth.state).toBe('expired')
  })

  it('keeps the last token of a session as long as a clock that was set back says', async () => {
    const { auth, refresh, clock, at } = rig()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject({ error: 'invalid_grant' })
    await clock.advance(0)
    clock.jump(-1_000)
    await clock.advance(LIFETIME)
    expect(at('authenticated.terminal')).toBe(true)
    await clock.advance(1_000)
    expect(auth.state).toBe('expired')
  })
})

describe("the chart's own timers", () => {
  it('keep no process alive, while those that somebody waits for do', async () => {
    const clock = createVirtualClock()
    const kept = new Set<unknown>()
    const { setTimeout } = clock
    const watching = {
      ...clock,
      get pending() {
        return clock.pending
      },
      setTimeout(callback: () => void, delay: number) {
        const handle = setTimeout(callback, delay) as object
        kept.add(handle)
        return Object.assign(handle, { unref: () => kept.delete(handle) })
      },
      clearTimeout(handle: unknown) {
        kept.delete(handle)
        clock.clearTimeout(handle)
      },
    }
    const { auth } = rig({ clock: watching, environment: emptyEnvironment })
    expect(clock.pending).toBeGreaterThan(0)
    expect(kept.size).toBe(0)
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(kept.size).toBeGreaterThan(0)
    auth.dispose()
  })
})
