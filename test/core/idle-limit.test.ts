import { describe, expect, it, vi } from 'vitest'
import { DisposedError } from '../../src/core/errors.ts'
import type { SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { createHarness, type HarnessOptions, tokens, watch } from './auth-setup.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

/** A store whose `readLastUse` answers when the test lets it. */
function slowStore() {
  const inner = memoryStorage()
  const waiting: (() => void)[] = []
  let slow = false
  const storage: SessionStorage = {
    ...inner,
    readLastUse: () =>
      slow
        ? new Promise((resolve) => waiting.push(() => resolve(inner.readLastUse?.())))
        : Promise.resolve(inner.readLastUse?.()),
  }
  return {
    inner,
    storage,
    delay() {
      slow = true
    },
    answer() {
      slow = false
      for (const go of waiting.splice(0)) go()
    },
  }
}

/** Tabs of one user that share a store and a clock. Each refreshes on its own. */
function tabs(options: HarnessOptions = {}) {
  const storage = options.storage ?? memoryStorage()
  const clock = createVirtualClock()
  let count = 1
  const common: HarnessOptions = {
    clock,
    limits: { idle: HOUR },
    refresh: () => tokens(++count),
    ...options,
    storage,
  }
  const first = createHarness(common)
  const open = (more: HarnessOptions = {}) => createHarness({ ...common, signedOut: true, ...more })
  return { storage, clock, first, open }
}

describe('limits.idle, in tabs that share a store', () => {
  it('keeps the session while any of them is used', async () => {
    const { first, open, clock } = tabs()
    const second = open()
    for (let used = 0; used < 40; used++) {
      await clock.advance(10 * MINUTE)
      await first.auth.getAccessToken()
    }
    expect(first.auth.state).toBe('authenticated')
    expect(second.auth.state).toBe('authenticated')
  })

  it('expires the session in all of them exactly that long after the last use in any, despite refreshes', async () => {
    const { first, open, clock } = tabs()
    const second = open()
    await clock.advance(HOUR / 2)
    await first.auth.getAccessToken()
    await clock.advance(1_234)
    await first.auth.getAccessToken()
    await clock.advance(HOUR - 1)
    expect(second.auth.state).toBe('authenticated')
    await clock.advance(1)
    expect([first.auth.state, second.auth.state]).toEqual(['expired', 'expired'])
    expect(second.emitted()).toContain('refreshed')
    expect(second.last('expired')).toMatchObject({ reason: 'idle' })
  })

  it('allows a request in a tab that slept while another tab was used', async () => {
    const { first, open, clock } = tabs()
    const second = open()
    await clock.advance(HOUR / 2)
    await first.auth.getAccessToken()
    await clock.advance(HOUR / 2 - 1)
    clock.jump(2)
    // No timer has run yet: this call is the first that the second tab makes after its sleep.
    await expect(second.auth.getAccessToken()).resolves.toBeDefined()
    expect(second.auth.state).toBe('authenticated')
  })

  it('counts the first request of a tab that slept as a use', async () => {
    const { first, open, clock } = tabs()
    const second = open()
    await clock.advance(HOUR / 2)
    await first.auth.getAccessToken()
    await clock.advance(HOUR / 2 + 1)
    await second.auth.getAccessToken()
    await clock.advance(HOUR - 1)
    expect([first.auth.state, second.auth.state]).toEqual(['authenticated', 'authenticated'])
    await clock.advance(1)
    expect([first.auth.state, second.auth.state]).toEqual(['expired', 'expired'])
  })

  it('writes uses to the store from time to time, and always the last one', async () => {
    const storage = memoryStorage()
    const written: number[] = []
    const watched: SessionStorage = {
      ...storage,
      writeLastUse(at) {
        written.push(at)
        storage.writeLastUse?.(at)
      },
    }
    const { first, clock } = tabs({ storage: watched })
    written.length = 0
    await clock.advance(MINUTE)
    for (let used = 0; used < 1_000; used++) {
      await first.auth.getAccessToken()
      await clock.advance(10)
    }
    const last = clock.now() - 10
    await clock.advance(MINUTE)
    expect(written.length).toBeLessThan(5)
    expect(written.at(-1)).toBe(last)
  })

  it('never replaces a later use with an earlier one', async () => {
    const { first, open, clock } = tabs()
    const second = open()
    await clock.advance(MINUTE)
    await second.auth.getAccessToken()
    await clock.advance(10)
    // This use is written to the store some seconds later.
    await second.auth.getAccessToken()
    await clock.advance(1_000)
    await first.auth.getAccessToken()
    await clock.advance(HOUR - 1)
    expect([first.auth.state, second.auth.state]).toEqual(['authenticated', 'authenticated'])
    await clock.advance(1)
    expect([first.auth.state, second.auth.state]).toEqual(['expired', 'expired'])
  })

  it('ignores a use in the store that is older than the last known one', async () => {
    const { first, clock, storage } = tabs()
    await clock.advance(MINUTE)
    await first.auth.getAccessToken()
    storage.writeLastUse?.(clock.now() - 30_000)
    expect(first.auth.endsAt).toBe(clock.now() + HOUR)
  })

  it('counts from the start of the session if the store only knows earlier uses', async () => {
    const { open, clock, storage } = tabs()
    storage.writeLastUse?.(clock.now() - 2 * HOUR)
    const second = open()
    await clock.advance(HOUR - 1)
    expect(second.auth.state).toBe('authenticated')
  })

  it('reads the store before it rejects a held request in a tab that slept', async () => {
    const { first, open, clock } = tabs({
      limits: { idle: 700_000 },
      timeouts: { refresh: HOUR, hold: HOUR },
    })
    const second = open({ refresh: () => new Promise(() => {}) })
    await clock.advance(650_000)
    await first.auth.getAccessToken()
    expect(second.auth.state).toBe('authenticated')
    second.auth.refresh().catch(() => {})
    await clock.advance(0)
    clock.jump(600_000)
    const asked = watch(second.auth.getAccessToken())
    await clock.advance(0)
    expect(second.auth.state).toBe('refreshing')
    expect(asked.state).toBe('pending')
    clock.jump(700_000)
    await expect(second.auth.getAccessToken()).rejects.toMatchObject({ reason: 'idle' })
  })

  it('continues to count after a reload', async () => {
    const { first, open, clock } = tabs()
    await clock.advance(MINUTE)
    await first.auth.getAccessToken()
    await clock.advance(10)
    await first.auth.getAccessToken()
    first.auth.dispose()
    expect(clock.pending).toBe(0)
    await clock.advance(HOUR - 1)
    const second = open()
    await clock.advance(0)
    expect(second.auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(second.auth.state).toBe('expired')
  })

  it('leaves no timer behind if a listener disposes while the limit is checked', async () => {
    const { auth, clock } = createHarness({
      limits: { idle: HOUR },
      initialTokens: tokens(1, { expires_in: 10 * HOUR }),
    })
    auth.on('expired', () => void auth.setTokens(tokens(2)))
    auth.on('transition', () => auth.dispose())
    await clock.advance(2 * HOUR)
    await expect(auth.refresh()).rejects.toBeInstanceOf(DisposedError)
    expect(clock.pending).toBe(0)
  })

  it('does not restore a session that was idle for too long, and reports the reason', async () => {
    const { first, open, clock, storage } = tabs()
    await clock.advance(0)
    first.auth.dispose()
    await clock.advance(HOUR)
    const second = open()
    const asked = watch(second.auth.getAccessToken())
    await clock.advance(0)
    expect(second.auth.state).toBe('expired')
    expect(asked.error).toMatchObject({ code: 'session_expired', reason: 'idle' })
    expect(storage.read()).toBeUndefined()
  })

  it('starts to count again with a sign-in', async () => {
    const { first, open, clock } = tabs()
    await clock.advance(HOUR)
    await first.auth.setTokens(tokens(9))
    const second = open()
    await clock.advance(HOUR - 1)
    expect(second.auth.state).toBe('authenticated')
  })

  it('leaves no last use in the store after a sign-out', async () => {
    const { first, clock, storage } = tabs()
    await clock.advance(MINUTE)
    await first.auth.getAccessToken()
    await clock.advance(10)
    await first.auth.getAccessToken()
    await first.auth.signOut()
    await clock.advance(MINUTE)
    first.auth.dispose()
    expect(storage.readLastUse?.()).toBeUndefined()
  })

  it('ignores a last use in the future, after the clock was set back', async () => {
    const { open, clock, storage } = tabs()
    const second = open()
    await clock.advance(0)
    storage.writeLastUse?.(clock.now() + 100 * HOUR)
    await clock.advance(HOUR - 1)
    expect(second.auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(second.auth.state).toBe('expired')
  })

  it('ends a session that goes unused although the clock was set back by days', async () => {
    const { first, clock } = tabs()
    await clock.advance(0)
    clock.jump(-100 * HOUR)
    await clock.advance(HOUR)
    expect(first.auth.state).toBe('authenticated')
    await clock.advance(HOUR)
    expect(first.auth.state).toBe('expired')
  })

  it('counts a request that a listener sends in the step that restores the session', async () => {
    const { first, open, clock } = tabs()
    await clock.advance(0)
    first.auth.dispose()
    await clock.advance(HOUR - MINUTE)
    const second = open()
    const stop = second.auth.on('transition', () => {
      if (!second.auth.session) return
      stop()
      watch(second.auth.getAccessToken())
    })
    await clock.advance(0)
    expect(second.auth.state).toBe('authenticated')
    await clock.advance(HOUR - 1)
    expect(second.auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(second.auth.state).toBe('expired')
  })

  it('reads the uses in other tabs also after the clock was set back', async () => {
    const { first, open, clock } = tabs()
    const second = open()
    await clock.advance(0)
    clock.jump(-5 * HOUR)
    await second.auth.getAccessToken()
    await clock.advance(HOUR / 2)
    await first.auth.getAccessToken()
    await clock.advance(HOUR / 2)
    // No timer is due yet: this call is the first that finds the limit reached.
    await expect(second.auth.getAccessToken()).resolves.toBeDefined()
    expect(second.auth.state).toBe('authenticated')
  })
})

describe('limits.idle, with a slow store', () => {
  it('holds requests and expires nothing before the store has reported the uses in other tabs', async () => {
    const { storage, inner, delay, answer } = slowStore()
    const { first, clock } = tabs({ storage })
    await clock.advance(HOUR / 2)
    delay()
    await clock.advance(HOUR / 2)
    const asked = watch(first.auth.getAccessToken())
    await clock.advance(0)
    expect(first.auth.state).toBe('authenticated')
    expect(asked.state).toBe('pending')
    inner.writeLastUse?.(clock.now() - MINUTE)
    answer()
    await clock.advance(0)
    expect(asked.state).toBe('fulfilled')
    await clock.advance(HOUR - 1)
    expect(first.auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(first.auth.state).toBe('expired')
  })

  it('expires the session and rejects held requests if there was no use in another tab', async () => {
    const { storage, delay, answer } = slowStore()
    const { first, clock } = tabs({ storage })
    await clock.advance(HOUR / 2)
    delay()
    await clock.advance(HOUR / 2)
    const asked = watch(first.auth.getAccessToken())
    answer()
    await clock.advance(0)
    expect(first.auth.state).toBe('expired')
    expect(asked.error).toMatchObject({ code: 'session_expired', reason: 'idle' })
  })

  it('expires the session within timeouts.storage if the store never answers', async () => {
    const { storage, delay } = slowStore()
    const { first, clock } = tabs({ storage, timeouts: { storage: 500 } })
    await clock.advance(HOUR / 2)
    delay()
    await clock.advance(HOUR / 2)
    const asked = watch(first.auth.getAccessToken())
    const timers = vi.spyOn(clock, 'setTimeout')
    await clock.advance(499)
    expect(asked.state).toBe('pending')
    expect(timers.mock.calls.length, 'timers set while it asks').toBeLessThan(5)
    await clock.advance(1)
    expect(first.auth.state).toBe('expired')
    expect(asked.state).toBe('rejected')
  })

  it('waits for the store during a refresh, too', async () => {
    const { storage, inner, delay, answer } = slowStore()
    const { first, clock } = tabs({
      storage,
      limits: { idle: 700_000 },
      timeouts: { refresh: HOUR, hold: HOUR },
      refresh: () => new Promise(() => {}),
    })
    await clock.advance(690_000)
    expect(first.auth.state).toBe('refreshing')
    delay()
    await clock.advance(10_000)
    const asked = watch(first.auth.getAccessToken())
    await clock.advance(0)
    expect(first.auth.state).toBe('refreshing')
    inner.writeLastUse?.(clock.now() - 1)
    answer()
    await clock.advance(0)
    expect(first.auth.state).toBe('refreshing')
    expect(asked.state).toBe('pending')
    await clock.advance(699_999)
    expect(first.auth.state).toBe('refreshing')
    await clock.advance(1)
    expect(asked.error).toMatchObject({ reason: 'idle' })
  })

  it('leaves no timer behind if dispose() is called while it reads the store', async () => {
    const { storage, delay, answer } = slowStore()
    const { first, clock } = tabs({ storage })
    await clock.advance(HOUR / 2)
    delay()
    await clock.advance(HOUR / 2)
    first.auth.dispose()
    answer()
    await settled()
    expect(clock.pending).toBe(0)
  })

  it('expires the session if the store cannot report the last use', async () => {
    const storage: SessionStorage = {
      ...memoryStorage(),
      readLastUse() {
        throw new Error('no')
      },
      writeLastUse: () => Promise.reject(new Error('no')),
    }
    const { first, clock } = tabs({ storage })
    await clock.advance(HOUR)
    expect(first.auth.state).toBe('expired')
    expect(first.emitted()).not.toContain('storageFailed')
  })
})

describe('a session that a limit has expired', () => {
  it.each(['idle', 'absolute'] as const)(
    'is revoked, because the server would keep it otherwise (limits.%s)',
    async (limit) => {
      const revoked: unknown[] = []
      const { first, clock } = tabs({
        limits: { [limit]: MINUTE },
        revoke: ({ refreshToken }) => void revoked.push(refreshToken),
      })
      await clock.advance(MINUTE)
      expect(first.auth.state).toBe('expired')
      await clock.advance(0)
      expect(revoked).toEqual([expect.stringContaining('rt-1')])
    },
  )
})

describe('a refresh after the limit, on a machine that slept', () => {
  it('rejects because the session has expired, not because the queue is full', async () => {
    const { auth, clock } = createHarness({ limits: { idle: MINUTE }, queueLimit: 1 })
    const first = watch(auth.refresh())
    await clock.advance(0)
    clock.jump(MINUTE)
    const second = watch(auth.refresh())
    await clock.advance(0)
    expect(first.error).toMatchObject({ code: 'session_expired' })
    expect(second.error).toMatchObject({ code: 'session_expired' })
  })
})

describe('auth.endsAt', () => {
  it('is the time at which the nearest limit expires the session, and moves with each use', async () => {
    const { first, clock } = tabs({ limits: { idle: HOUR, absolute: 2 * HOUR } })
    const start = clock.now()
    expect(first.auth.endsAt).toBe(start + HOUR)
    await clock.advance(10 * MINUTE)
    await first.auth.getAccessToken()
    expect(first.auth.endsAt).toBe(start + 70 * MINUTE)
    await clock.advance(55 * MINUTE)
    await first.auth.getAccessToken()
    await clock.advance(10 * MINUTE)
    await first.auth.getAccessToken()
    expect(first.auth.endsAt).toBe(start + 2 * HOUR)
  })

  it('includes the uses in other tabs', async () => {
    const { first, open, clock } = tabs()
    const second = open()
    await clock.advance(10 * MINUTE)
    await first.auth.getAccessToken()
    expect(second.auth.endsAt).toBe(clock.now() + HOUR)
  })

  it('includes the uses in other tabs once a slow store has reported them', async () => {
    const { first, open, clock } = tabs({ storage: slowStore().storage })
    const second = open()
    await clock.advance(10 * MINUTE)
    await first.auth.getAccessToken()
    await settled()
    expect(second.auth.endsAt).toBeLessThan(clock.now() + HOUR)
    await settled()
    expect(second.auth.endsAt).toBe(clock.now() + HOUR)
  })

  it('is undefined without a limit, and without a session', async () => {
    const { first, clock } = tabs({ limits: { idle: MINUTE } })
    expect(tabs({ limits: {} }).first.auth.endsAt).toBeUndefined()
    await clock.advance(MINUTE)
    expect(first.auth.state).toBe('expired')
    expect(first.auth.endsAt).toBeUndefined()
  })
})
