import { describe, expect, it } from 'vitest'
import type { TokenResponse } from '../../src/core/ports.ts'
import { emptyEnvironment } from '../../src/environment/browser.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { createHarness, LIFETIME, SECRET, tokens, watch } from './auth-setup.ts'

const DAY = 86_400_000
/** A refresh is due one minute before the end of a lifetime of ten minutes. */
const DUE = LIFETIME - 60_000

describe('a scheduled refresh', () => {
  it('starts early, without a request, while the old token still works', async () => {
    const { auth, refresh, clock, at } = createHarness()
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
    ['a fifth of a short lifetime', 60, undefined, 48_000],
    ['a minute of a long lifetime', 3_600, undefined, 3_540_000],
    ['refreshAhead', 3_600, 600_000, 3_000_000],
    ['half the lifetime if refreshAhead is longer', 60, 600_000, 30_000],
    ['nothing if refreshAhead is 0', 60, 0, 60_000],
  ])('starts ahead of the expiry by %s', async (_, expires_in, refreshAhead, due) => {
    const { refresh, clock } = createHarness({
      initialTokens: tokens(1, { expires_in }),
      ...(refreshAhead !== undefined && { refreshAhead }),
    })
    await clock.advance(due - 1)
    expect(refresh.calls).toHaveLength(0)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(1)
  })

  it('does not loop if refreshAhead is longer than the lifetime of every token', async () => {
    let calls = 0
    const { clock } = createHarness({
      initialTokens: tokens(1, { expires_in: 10 }),
      refreshAhead: 3_600_000,
      refresh: () => tokens(++calls + 1, { expires_in: 10 }),
    })
    await clock.advance(60_000)
    expect(calls).toBe(12)
  })

  it('does not loop if new tokens have already expired on arrival', async () => {
    let calls = 0
    const { auth, clock } = createHarness({
      initialTokens: tokens(1, { expires_in: 0 }),
      refresh: () => tokens(++calls + 1, { expires_in: -5 }),
    })
    await clock.advance(DAY)
    expect(calls).toBe(1)
    expect(auth.state).toBe('authenticated')
    expect(auth.session).toHaveProperty('expiresAt', undefined)
  })

  it.each([30, 365])('waits for %i days if the token is valid for that long', async (days) => {
    const { refresh, clock } = createHarness({ initialTokens: tokens(1, { expires_in: days * 86_400 }) })
    await clock.advance(days * DAY - 60_001)
    expect(refresh.calls).toHaveLength(0)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(1)
  })

  it.each([
    ['no expiry', { expires_in: undefined }],
    ['an expiry that is not a number', { expires_in: Number.NaN }],
    ['an infinite expiry', { expires_in: Number.POSITIVE_INFINITY }],
  ])('never starts for a token with %s, because only a 401 reveals its end', async (_, more) => {
    const { auth, refresh, clock } = createHarness({ initialTokens: tokens(1, more) as TokenResponse })
    await clock.advance(365 * DAY)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('closes the gate once the old token has expired', async () => {
    const { auth, refresh, clock, at } = createHarness({ timeouts: { refresh: 10 * LIFETIME } })
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

describe('refreshOn', () => {
  it("'activity' refreshes on schedule if a request was sent since the last refresh", async () => {
    const { auth, refresh, clock } = createHarness({ refreshOn: 'activity' })
    await auth.getAccessToken()
    await clock.advance(DUE)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(2 * LIFETIME)
    expect(refresh.calls).toHaveLength(1)
  })

  it("'activity' leaves the next refresh to the request that finds it due", async () => {
    const { auth, refresh, clock } = createHarness({ refreshOn: 'activity' })
    await clock.advance(DUE + 1)
    expect(refresh.calls).toHaveLength(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
  })

  it("'activity' does not refresh if the page only wakes up", async () => {
    const { refresh, clock, outside } = createHarness({ refreshOn: 'activity' })
    clock.jump(DUE)
    outside.signal('visible')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
  })

  it("'demand' refreshes only for a request", async () => {
    const { auth, refresh, clock, outside } = createHarness({ refreshOn: 'demand' })
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

  it("'demand' does not retry by itself after the last attempt", async () => {
    const { auth, refresh, clock, at } = createHarness({ refreshOn: 'demand', retry: { attempts: 1 } })
    await clock.advance(LIFETIME)
    auth.getAccessToken().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new Response(null, { status: 503 }))
    await clock.advance(DAY)
    expect(at('refreshing.attempt.coolingDown')).toBe(true)
    expect(refresh.calls).toHaveLength(1)
  })

  it("'demand' sends the request that finds a refresh due, and refreshes in parallel", async () => {
    const { auth, refresh, clock, at } = createHarness({ refreshOn: 'demand' })
    await clock.advance(DUE)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    await clock.advance(0)
    expect(at('refreshing.gate.open')).toBe(true)
    expect(refresh.calls).toHaveLength(1)
  })
})

describe('a machine that slept', () => {
  it.each(['visible', 'wake', 'online'] as const)('refreshes at once at "%s"', async (signal) => {
    const { refresh, clock, outside, at } = createHarness()
    clock.jump(LIFETIME)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    outside.signal(signal)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    expect(at('refreshing.gate.closed')).toBe(true)
  })

  it('refreshes early if a refresh is due and the token has not expired', async () => {
    const { refresh, clock, outside, at } = createHarness()
    clock.jump(DUE)
    outside.signal('visible')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    expect(at('refreshing.gate.open')).toBe(true)
  })

  it('does not refresh if no refresh is due', async () => {
    const { auth, refresh, clock, outside } = createHarness()
    clock.jump(DUE - 1)
    for (const signal of ['visible', 'wake', 'online'] as const) outside.signal(signal)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.state).toBe('authenticated')
  })

  it('sends no request with a token that expired meanwhile, even if no timer has run', async () => {
    const { auth, refresh, clock } = createHarness()
    clock.jump(LIFETIME)
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(held.state).toBe('pending')
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.value).toBe(`${SECRET}-at-2`)
  })

  it('closes the gate for a request that finds the old token expired during a refresh', async () => {
    const { auth, clock, at } = createHarness()
    await clock.advance(DUE)
    clock.jump(LIFETIME)
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(at('refreshing.gate.closed')).toBe(true)
    expect(held.state).toBe('pending')
  })

  it('keeps the token if the clock was set back, even though its timer runs', async () => {
    const { auth, refresh, clock } = createHarness()
    clock.jump(-LIFETIME)
    await clock.advance(DUE)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.state).toBe('authenticated')
    await clock.advance(LIFETIME)
    expect(refresh.calls).toHaveLength(1)
  })

  it('expires a session that cannot refresh at the request that finds its token expired', async () => {
    const { auth, refresh, clock, at } = createHarness()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject({ error: 'invalid_grant' })
    await clock.advance(0)
    expect(at('authenticated.lastToken')).toBe(true)
    clock.jump(LIFETIME)
    await expect(auth.getAccessToken()).rejects.toMatchObject({
      code: 'session_expired',
      reason: 'invalid_grant',
    })
    expect(auth.state).toBe('expired')
  })

  it('keeps the last token for as long as a clock that was set back allows', async () => {
    const { auth, refresh, clock, at } = createHarness()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject({ error: 'invalid_grant' })
    await clock.advance(0)
    clock.jump(-1_000)
    await clock.advance(LIFETIME)
    expect(at('authenticated.lastToken')).toBe(true)
    await clock.advance(1_000)
    expect(auth.state).toBe('expired')
  })
})

describe("the chart's own timers", () => {
  it('keep no process alive, unlike the timers of waiting calls', async () => {
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
    const { auth } = createHarness({ clock: watching, environment: emptyEnvironment })
    expect(clock.pending).toBeGreaterThan(0)
    expect(kept.size).toBe(0)
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(kept.size).toBeGreaterThan(0)
    auth.dispose()
  })
})
