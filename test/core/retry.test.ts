import { afterEach, describe, expect, it, vi } from 'vitest'
import fc from '../support/property.ts'
import { LIFETIME, refused, rig, SECRET, tokens, watch } from './auth-setup.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** A failure that may pass. */
const unavailable = (headers: Record<string, string> = {}) => new Response(null, { status: 503, headers })

/** A session whose token is dead, so that its requests wait. */
const dead = { initialTokens: tokens(1, { expires_in: 0 }) }

describe('trying again', () => {
  it('doubles the wait up to maxDelay, and ends after the given number of tries', async () => {
    const { refresh, clock, at } = rig({
      ...dead,
      retry: { attempts: 6, minDelay: 100, maxDelay: 1_000, jitter: false },
    })
    await clock.advance(0)
    for (const [tried, wait] of [100, 200, 400, 800, 1_000].entries()) {
      refresh.call().reject(unavailable())
      await clock.advance(wait - 1)
      expect(refresh.calls).toHaveLength(tried + 1)
      expect(at('refreshing.exchange.backingOff')).toBe(true)
      await clock.advance(1)
      expect(refresh.calls).toHaveLength(tried + 2)
    }
    refresh.call().reject(unavailable())
    await clock.advance(0)
    expect(at('refreshing.exchange.suspended')).toBe(true)
  })

  it('numbers its tries in refreshFailed, and says when the next is due', async () => {
    const { refresh, clock, events } = rig({ ...dead, retry: { attempts: 2, jitter: false } })
    await clock.advance(0)
    const start = clock.now()
    refresh.call().reject(unavailable())
    await clock.advance(250)
    refresh.call().reject(unavailable())
    await clock.advance(0)
    expect(events.filter(({ type }) => type === 'refreshFailed')).toEqual([
      expect.objectContaining({
        attempt: 1,
        reason: 'server_error',
        status: 503,
        fatal: false,
        retryAt: start + 250,
      }),
      expect.objectContaining({ attempt: 2, reason: 'server_error', status: 503, fatal: false }),
    ])
  })

  it('waits anything between nothing and the whole backoff where jitter is full', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.nat(3), async (thousandths, tries) => {
        const random = thousandths / 1_000
        vi.spyOn(Math, 'random').mockReturnValue(random)
        const { auth, refresh, clock, last } = rig({ ...dead, retry: { minDelay: 1_000, maxDelay: 64_000 } })
        let due = clock.now()
        let wait = 0
        for (let tried = 0; tried <= tries; tried++) {
          await clock.advance(due - clock.now())
          refresh.call().reject(unavailable())
          await clock.advance(0)
          due = last('refreshFailed')?.retryAt ?? Number.NaN
          wait = due - clock.now()
        }
        auth.dispose()
        expect(wait).toBeCloseTo(1_000 * 2 ** tries * (1 - random), 3)
        expect(wait).toBeGreaterThan(0)
        expect(wait).toBeLessThanOrEqual(1_000 * 2 ** tries)
      }),
      { numRuns: 60 },
    )
  })

  it('leaves the given part of the wait to chance where jitter is a number', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999_999)
    const { refresh, clock } = rig({ ...dead, retry: { minDelay: 1_000, jitter: 0.25 } })
    await clock.advance(0)
    refresh.call().reject(unavailable())
    await clock.advance(749)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(2)
    expect(refresh.calls).toHaveLength(2)
  })

  it('does so at once when the network comes back, or the machine wakes', async () => {
    for (const signal of ['online', 'visible', 'wake'] as const) {
      const { refresh, clock, outside } = rig({ ...dead, retry: { minDelay: 20_000, jitter: false } })
      await clock.advance(0)
      refresh.call().reject(unavailable())
      await clock.advance(0)
      outside.signal(signal)
      await clock.advance(0)
      expect(refresh.calls, signal).toHaveLength(2)
    }
  })

  it('ends with the session that came back: who waited is sent, in order', async () => {
    const { auth, refresh, clock } = rig(dead)
    const order: number[] = []
    const waiting = [0, 1, 2].map((n) => auth.getAccessToken().finally(() => order.push(n)))
    await clock.advance(0)
    refresh.call().reject(unavailable())
    await clock.advance(250)
    refresh.call().resolve(tokens(2))
    expect(await Promise.all(waiting)).toEqual(Array(3).fill(`${SECRET}-at-2`))
    expect(order).toEqual([0, 1, 2])
  })

  it('never hurts a token that still works', async () => {
    const { auth, refresh, clock, at } = rig()
    await clock.advance(LIFETIME - 60_000)
    expect(at('refreshing.gate.open')).toBe(true)
    for (let tried = 0; tried < 5; tried++) {
      refresh.call().reject(unavailable())
      expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
      await clock.advance(tried === 4 ? 0 : 4_000)
    }
    expect(at('refreshing.exchange.suspended')).toBe(true)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })
})

describe('Retry-After', () => {
  it('holds the next try back, longer than the backoff would', async () => {
    const { refresh, clock } = rig(dead)
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '20' }))
    await clock.advance(19_999)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(2)
  })

  it('is kept when the network comes back meanwhile', async () => {
    for (const signal of ['online', 'visible', 'wake'] as const) {
      const { refresh, clock, outside } = rig(dead)
      await clock.advance(0)
      refresh.call().reject(unavailable({ 'retry-after': '20' }))
      await clock.advance(0)
      outside.signal(signal)
      await clock.advance(19_999)
      expect(refresh.calls, signal).toHaveLength(1)
      await clock.advance(1)
      expect(refresh.calls, signal).toHaveLength(2)
    }
  })

  it('is kept through an outage of the network', async () => {
    const { refresh, clock, outside, at } = rig(dead)
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '20' }))
    await clock.advance(0)
    outside.signal('offline')
    await clock.advance(5_000)
    expect(at('refreshing.exchange.offline')).toBe(true)
    outside.signal('online')
    await clock.advance(14_999)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(2)
  })

  it('is kept after the tries are spent: neither the cool-down nor a request comes before it', async () => {
    const { auth, refresh, clock, at } = rig({
      ...dead,
      retry: { attempts: 1, maxDelay: 1_000 },
      timeouts: { hold: 600_000 },
    })
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '60' }))
    await clock.advance(0)
    expect(at('refreshing.exchange.suspended')).toBe(true)
    await clock.advance(30_000)
    expect(refresh.calls).toHaveLength(1)
    const held = watch(auth.getAccessToken())
    await clock.advance(29_999)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.state).toBe('fulfilled')
  })
})

describe('when the tries are spent', () => {
  const suspended = async (more = {}) => {
    const made = rig({ ...dead, retry: { attempts: 1, maxDelay: 5_000 }, ...more })
    const held = watch(made.auth.getAccessToken())
    const renewed = watch(made.auth.refresh())
    await made.clock.advance(0)
    made.refresh.call().reject(Object.assign(new Error(`no ${SECRET}-rt-1`), { name: 'TimeoutError' }))
    await made.clock.advance(0)
    made.refresh.call().reject(unavailable())
    await made.clock.advance(0)
    expect(made.at('refreshing.exchange.suspended')).toBe(true)
    return { ...made, held, renewed }
  }

  it('turns everyone away who waits, says why, and keeps the session', async () => {
    const { auth, held, renewed } = await suspended()
    for (const { error } of [held, renewed]) {
      expect(error).toMatchObject({
        code: 'refresh_unavailable',
        reason: 'server_error',
        cause: { message: 'The token endpoint answered 503', status: 503 },
      })
    }
    expect(auth.session).toBeDefined()
    expect(auth.state).toBe('refreshing')
  })

  it('tries again after the cool-down of maxDelay', async () => {
    const { refresh, clock } = await suspended()
    await clock.advance(4_999)
    expect(refresh.calls).toHaveLength(2)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(3)
  })

  it.each<[string, (made: Awaited<ReturnType<typeof suspended>>) => unknown]>([
    ['a request', ({ auth }) => auth.getAccessToken().catch(() => {})],
    ['refresh()', ({ auth }) => auth.refresh().catch(() => {})],
    ['the network', ({ outside }) => outside.signal('online')],
    ['the page', ({ outside }) => outside.signal('visible')],
    ['the machine', ({ outside }) => outside.signal('wake')],
  ])('tries again at once for %s that comes', async (_, come) => {
    const made = await suspended()
    come(made)
    await made.clock.advance(0)
    expect(made.refresh.calls).toHaveLength(3)
  })

  it('says that it was a timeout where it was one', async () => {
    const { auth, clock } = rig({ ...dead, retry: { attempts: 1 }, timeouts: { refresh: 1_000 } })
    const held = watch(auth.getAccessToken())
    await clock.advance(2_000)
    expect(held.error).toMatchObject({ code: 'refresh_timeout', reason: 'timeout' })
  })
})

describe('without a network', () => {
  it('asks nobody, waits, and goes on when the network is back', async () => {
    const { auth, refresh, clock, outside, at, events } = rig(dead)
    outside.online = false
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(at('refreshing.exchange.offline')).toBe(true)
    expect(refresh.calls).toHaveLength(0)
    expect(events).toContainEqual(expect.objectContaining({ type: 'refreshFailed', reason: 'offline' }))
    await clock.advance(10_000)
    expect(refresh.calls).toHaveLength(0)
    outside.signal('online')
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held).toMatchObject({ state: 'fulfilled', value: `${SECRET}-at-2` })
  })

  it('takes a try that failed while it was gone for no try', async () => {
    const { refresh, clock, outside, at } = rig({ ...dead, retry: { attempts: 1 } })
    await clock.advance(0)
    outside.online = false
    refresh.call().reject(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }))
    await clock.advance(0)
    expect(at('refreshing.exchange.offline')).toBe(true)
  })

  it('stops backing off when it goes', async () => {
    const { refresh, clock, outside, at } = rig(dead)
    await clock.advance(0)
    refresh.call().reject(unavailable())
    await clock.advance(0)
    outside.signal('offline')
    await clock.advance(60_000)
    expect(at('refreshing.exchange.offline')).toBe(true)
    expect(refresh.calls).toHaveLength(1)
  })

  it.each(['visible', 'wake'] as const)('looks again at "%s"', async (signal) => {
    const { auth, refresh, clock, outside } = rig(dead)
    outside.online = false
    await clock.advance(0)
    outside.online = true
    outside.signal(signal)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(auth.state).toBe('expired')
  })

  it('looks again when refresh() is called', async () => {
    const { auth, refresh, clock, outside } = rig(dead)
    outside.online = false
    await clock.advance(0)
    outside.online = true
    const renewed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    expect(await renewed).toMatchObject({ generation: 2 })
  })
})
