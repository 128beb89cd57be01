import type { Auth } from 'authchart'
import { afterEach, describe, expect, it, vi } from 'vitest'
import fc from '../support/property.ts'
import { createHarness, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** A failure that allows a retry. */
const unavailable = (headers: Record<string, string> = {}) => new Response(null, { status: 503, headers })

/** A session whose token has expired, so that its requests wait. */
const expired = { initialTokens: tokens(1, { expires_in: 0 }) }

describe('the wait that a server asks for', () => {
  it.each(['1', '60', '1000000000000', 'Fri, 01 Jan 2100 00:00:00 GMT'])(
    'ends when the app calls refresh(), for Retry-After: %s',
    async (after) => {
      for (const attempts of [1, 3]) {
        const { auth, refresh, clock, outside } = createHarness({ ...expired, retry: { attempts } })
        await clock.advance(0)
        refresh.call().reject(unavailable({ 'retry-after': after }))
        await clock.advance(0)
        outside.signal('online')
        await clock.advance(500)
        expect(refresh.calls).toHaveLength(1)
        const refreshed = auth.refresh()
        await clock.advance(0)
        expect(refresh.calls).toHaveLength(2)
        refresh.call().resolve(tokens(2))
        await refreshed
      }
    },
  )

  it('is over if a clock that was set back would make it longer than any wait', async () => {
    const { refresh, clock, outside } = createHarness(expired)
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '1' }))
    await clock.advance(500)
    expect(refresh.calls).toHaveLength(1)
    clock.jump(-86_400_000)
    outside.signal('online')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
  })

  it('is an hour at most, without a call of the app', async () => {
    const { refresh, clock } = createHarness(expired)
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '1000000000000' }))
    await clock.advance(3_600_000 - 1)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(2)
  })
})

describe('retrying a refresh', () => {
  it('doubles the wait up to maxDelay, and ends after the given number of attempts', async () => {
    const { refresh, clock, at } = createHarness({
      ...expired,
      retry: { attempts: 6, minDelay: 100, maxDelay: 1_000, jitter: 0 },
    })
    await clock.advance(0)
    for (const [tried, wait] of [100, 200, 400, 800, 1_000].entries()) {
      refresh.call().reject(unavailable())
      await clock.advance(wait - 1)
      expect(refresh.calls).toHaveLength(tried + 1)
      expect(at('refreshing.attempt.backingOff')).toBe(true)
      await clock.advance(1)
      expect(refresh.calls).toHaveLength(tried + 2)
    }
    refresh.call().reject(unavailable())
    await clock.advance(0)
    expect(at('refreshing.attempt.coolingDown')).toBe(true)
  })

  it('numbers the attempts in refreshFailed, and reports when the next one is due', async () => {
    const { refresh, clock, events } = createHarness({ ...expired, retry: { attempts: 2, jitter: 0 } })
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

  it('waits between zero and the whole backoff if jitter is full', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.nat(3), async (thousandths, tries) => {
        const random = thousandths / 1_000
        vi.spyOn(Math, 'random').mockReturnValue(random)
        const { auth, refresh, clock, last } = createHarness({
          ...expired,
          retry: { minDelay: 1_000, maxDelay: 64_000 },
        })
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

  it('makes the given part of the wait random if jitter is a number', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999_999)
    const { refresh, clock } = createHarness({ ...expired, retry: { minDelay: 1_000, jitter: 0.25 } })
    await clock.advance(0)
    refresh.call().reject(unavailable())
    await clock.advance(749)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(2)
    expect(refresh.calls).toHaveLength(2)
  })

  it('happens at once if the network comes back, or the machine wakes up', async () => {
    for (const signal of ['online', 'visible', 'wake'] as const) {
      const { refresh, clock, outside } = createHarness({
        ...expired,
        retry: { minDelay: 20_000, jitter: 0 },
      })
      await clock.advance(0)
      refresh.call().reject(unavailable())
      await clock.advance(0)
      outside.signal(signal)
      await clock.advance(0)
      expect(refresh.calls, signal).toHaveLength(2)
    }
  })

  it('ends with the refreshed session, and held requests are sent in order', async () => {
    const { auth, refresh, clock } = createHarness(expired)
    const order: number[] = []
    const waiting = [0, 1, 2].map((n) => auth.getAccessToken().finally(() => order.push(n)))
    await clock.advance(0)
    refresh.call().reject(unavailable())
    await clock.advance(250)
    refresh.call().resolve(tokens(2))
    expect(await Promise.all(waiting)).toEqual(Array(3).fill(`${SECRET}-at-2`))
    expect(order).toEqual([0, 1, 2])
  })

  it('does not affect a token that still works', async () => {
    const { auth, refresh, clock, at } = createHarness()
    await clock.advance(LIFETIME - 60_000)
    expect(at('refreshing.gate.open')).toBe(true)
    for (let tried = 0; tried < 5; tried++) {
      refresh.call().reject(unavailable())
      expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
      await clock.advance(tried === 4 ? 0 : 4_000)
    }
    expect(at('refreshing.attempt.coolingDown')).toBe(true)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })
})

describe('Retry-After', () => {
  it('delays the next attempt for longer than the backoff would', async () => {
    const { refresh, clock } = createHarness(expired)
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '20' }))
    await clock.advance(19_999)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(2)
  })

  it('still applies if the network comes back meanwhile', async () => {
    for (const signal of ['online', 'visible', 'wake'] as const) {
      const { refresh, clock, outside } = createHarness(expired)
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

  it('still applies after an outage of the network', async () => {
    const { refresh, clock, outside, at } = createHarness(expired)
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '20' }))
    await clock.advance(0)
    outside.signal('offline')
    await clock.advance(5_000)
    expect(at('refreshing.attempt.offline')).toBe(true)
    outside.signal('online')
    await clock.advance(14_999)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(2)
  })

  it('still applies after the last attempt: neither the cool-down nor a request comes before it', async () => {
    const { auth, refresh, clock, at } = createHarness({
      ...expired,
      retry: { attempts: 1, maxDelay: 1_000 },
      timeouts: { hold: 600_000 },
    })
    await clock.advance(0)
    refresh.call().reject(unavailable({ 'retry-after': '60' }))
    await clock.advance(0)
    expect(at('refreshing.attempt.coolingDown')).toBe(true)
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

describe('after the last refresh attempt', () => {
  const coolingDown = async (more = {}) => {
    const made = createHarness({ ...expired, retry: { attempts: 1, maxDelay: 5_000 }, ...more })
    const held = watch(made.auth.getAccessToken())
    const refreshed = watch(made.auth.refresh())
    await made.clock.advance(0)
    made.refresh.call().reject(Object.assign(new Error(`no ${SECRET}-rt-1`), { name: 'TimeoutError' }))
    await made.clock.advance(0)
    made.refresh.call().reject(unavailable())
    await made.clock.advance(0)
    expect(made.at('refreshing.attempt.coolingDown')).toBe(true)
    return { ...made, held, refreshed }
  }

  it('all waiting calls are rejected with the reason, and the session is kept', async () => {
    const { auth, held, refreshed } = await coolingDown()
    for (const { error } of [held, refreshed]) {
      expect(error).toMatchObject({
        code: 'refresh_unavailable',
        reason: 'server_error',
        cause: { message: 'The token endpoint answered 503', status: 503 },
      })
    }
    expect(auth.session).toBeDefined()
    expect(auth.state).toBe('refreshing')
  })

  it('there is another attempt after a cool-down of maxDelay', async () => {
    const { refresh, clock } = await coolingDown()
    await clock.advance(4_999)
    expect(refresh.calls).toHaveLength(2)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(3)
  })

  it.each<[string, (made: Awaited<ReturnType<typeof coolingDown>>) => unknown]>([
    ['a request', ({ auth }) => auth.getAccessToken().catch(() => {})],
    ['a call of refresh()', ({ auth }) => auth.refresh().catch(() => {})],
    ['the signal online', ({ outside }) => outside.signal('online')],
    ['the signal visible', ({ outside }) => outside.signal('visible')],
    ['the signal wake', ({ outside }) => outside.signal('wake')],
  ])('there is another attempt at once after %s', async (_, come) => {
    const made = await coolingDown()
    come(made)
    await made.clock.advance(0)
    expect(made.refresh.calls).toHaveLength(3)
  })

  it('the error is refresh_timeout if the attempt timed out', async () => {
    const { auth, clock } = createHarness({
      ...expired,
      retry: { attempts: 1 },
      timeouts: { refresh: 1_000 },
    })
    const held = watch(auth.getAccessToken())
    await clock.advance(2_000)
    expect(held.error).toMatchObject({ code: 'refresh_timeout', reason: 'timeout' })
  })
})

describe('without a network', () => {
  it('makes one attempt, waits, and continues once the network is back', async () => {
    const { auth, refresh, clock, outside, at, events } = createHarness(expired)
    outside.online = false
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(at('refreshing.attempt.offline')).toBe(true)
    expect(events).toContainEqual(expect.objectContaining({ type: 'refreshFailed', reason: 'offline' }))
    await clock.advance(10_000)
    expect(refresh.calls).toHaveLength(1)
    outside.signal('online')
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held).toMatchObject({ state: 'fulfilled', value: `${SECRET}-at-2` })
  })

  it.each(['retry', 'expire'] as const)(
    'keeps the session if an attempt without a network gets no answer: ambiguousRefresh %j',
    async (ambiguousRefresh) => {
      const { auth, refresh, clock, outside, at } = createHarness({ ...expired, ambiguousRefresh })
      outside.online = false
      await clock.advance(0)
      refresh.call().reject(new TypeError('fetch failed'))
      await clock.advance(0)
      expect(at('refreshing.attempt.offline')).toBe(true)
      expect(refresh.calls).toHaveLength(1)
      expect(auth.session).toBeDefined()
    },
  )

  describe('as the machine says, although its network works', () => {
    const lyingHarness = () => {
      const harness = createHarness(expired)
      harness.outside.online = false
      return harness
    }

    it('answers a request whose token has expired', async () => {
      const { auth, refresh, clock } = lyingHarness()
      const held = watch(auth.getAccessToken())
      await clock.advance(0)
      refresh.call().resolve(tokens(2))
      await clock.advance(0)
      expect(held).toMatchObject({ state: 'fulfilled', value: `${SECRET}-at-2` })
    })

    it.each([
      ['a request', (auth: Auth<string>) => auth.getAccessToken(), 0],
      ['refresh()', (auth: Auth<string>) => auth.refresh(), 0],
      ['a while', async () => {}, 30_000],
    ])('attempts it again after %s', async (_, ask, time) => {
      const { auth, refresh, clock } = lyingHarness()
      await clock.advance(0)
      refresh.call().reject(new TypeError('fetch failed'))
      await clock.advance(0)
      ask(auth).catch(() => {})
      await clock.advance(time)
      expect(refresh.calls).toHaveLength(2)
      refresh.call().resolve(tokens(2))
      await clock.advance(0)
      expect(auth.state).toBe('authenticated')
    })
  })

  it('does not count an attempt that failed without a network', async () => {
    const { refresh, clock, outside, at } = createHarness({ ...expired, retry: { attempts: 1 } })
    await clock.advance(0)
    outside.online = false
    refresh.call().reject(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }))
    await clock.advance(0)
    expect(at('refreshing.attempt.offline')).toBe(true)
  })

  it('stops backing off when the network is lost', async () => {
    const { refresh, clock, outside, at } = createHarness(expired)
    await clock.advance(0)
    refresh.call().reject(unavailable())
    await clock.advance(0)
    outside.signal('offline')
    await clock.advance(29_999)
    expect(at('refreshing.attempt.offline')).toBe(true)
    expect(refresh.calls).toHaveLength(1)
  })

  it.each(['visible', 'wake'] as const)('checks the network again at the signal "%s"', async (signal) => {
    const { auth, refresh, clock, outside } = createHarness(expired)
    outside.online = false
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    outside.signal(signal)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(auth.state).toBe('expired')
  })

  it('checks the network again when refresh() is called', async () => {
    const { auth, refresh, clock, outside } = createHarness(expired)
    outside.online = false
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    expect(await refreshed).toMatchObject({ generation: 2 })
  })
})
