import { describe, expect, it } from 'vitest'
import { PatientClock } from '../../src/core/platform/patient-clock.ts'
import { createVirtualClock, type VirtualClock } from '../../src/testing/virtual-clock.ts'
import {
  createHarness,
  fakeCoordinator,
  type HarnessOptions,
  LIFETIME,
  refused,
  SECRET,
  tokens,
  watch,
} from './auth-setup.ts'

/** The time that a suspension takes: longer than every timeout. */
const ASLEEP = 45_000

/** A clock of a process that can be stopped. When it goes on, all timers that are due fire at once. */
function stoppableClock() {
  const clock = createVirtualClock()
  const { setTimeout, advance } = clock
  let overdue: (() => void)[] | undefined
  const stoppable: VirtualClock = {
    ...clock,
    get pending() {
      return clock.pending
    },
    get nextIn() {
      return clock.nextIn
    },
    setTimeout: (callback, delay) => setTimeout(() => (overdue ? overdue.push(callback) : callback()), delay),
  }
  return {
    clock: stoppable,
    async stop(ms = ASLEEP) {
      overdue = []
      await advance(ms)
    },
    goOn() {
      const due = overdue ?? []
      overdue = undefined
      for (const fire of due) fire()
    },
  }
}

const sleepy = (options: HarnessOptions = {}) => {
  const { clock, stop, goOn } = stoppableClock()
  return { ...createHarness({ ...options, clock }), stop, goOn }
}

describe('a process that was stopped while an answer came', () => {
  it('uses the answer of a refresh, and sends what waited', async () => {
    const { auth, refresh, clock, stop, goOn, emitted } = sleepy({
      initialTokens: tokens(1, { expires_in: 0 }),
    })
    const held = watch(auth.getAccessToken())
    await clock.advance(1)
    await stop()
    goOn()
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held).toMatchObject({ state: 'fulfilled', value: `${SECRET}-at-2` })
    expect(refresh.calls).toHaveLength(1)
    expect(emitted()).not.toContain('refreshFailed')
  })

  it('uses the answer if it is stopped again before it has read it', async () => {
    const { auth, refresh, clock, stop, goOn } = sleepy({ initialTokens: tokens(1, { expires_in: 0 }) })
    const held = watch(auth.getAccessToken())
    await clock.advance(1)
    await stop()
    goOn()
    await stop()
    goOn()
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held).toMatchObject({ state: 'fulfilled', value: `${SECRET}-at-2` })
  })

  it('uses the answer of a sign-in', async () => {
    const { auth, signIn, clock, stop, goOn } = sleepy({ signedOut: true })
    const signedIn = watch(auth.signIn('ada'))
    await clock.advance(1)
    await stop()
    goOn()
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect(signedIn.state).toBe('fulfilled')
  })

  it('does not abort a revocation', async () => {
    const signals: AbortSignal[] = []
    const { auth, clock, stop, goOn } = sleepy({
      revoke: (_, { signal }) => new Promise(() => void signals.push(signal)),
    })
    void auth.signOut()
    await clock.advance(1)
    await stop()
    goOn()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await clock.advance(1_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it('uses what the store found', async () => {
    const answers: ((record: unknown) => void)[] = []
    const { auth, clock, stop, goOn, emitted } = sleepy({
      signedOut: true,
      storage: { read: () => new Promise((resolve) => answers.push(resolve)), write() {}, clear() {} },
    })
    await clock.advance(1)
    await stop()
    goOn()
    answers[0]?.({
      version: 1,
      id: 'a',
      rotation: 0,
      startedAt: 1,
      receivedAt: 1,
      accessToken: `${SECRET}-at-9`,
    })
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-9`)
    expect(emitted()).not.toContain('storageFailed')
  })

  it('waits for the lock that another tab is about to release', async () => {
    const otherTab = fakeCoordinator()
    let release = () => {}
    otherTab.exclusive = (_, task) =>
      new Promise((resolve) => {
        release = () => resolve(task())
      })
    const { auth, refresh, clock, stop, goOn } = sleepy({ coordinator: otherTab.coordinator })
    auth.refresh().catch(() => {})
    await clock.advance(1)
    await stop()
    goOn()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    release()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
  })

  it('ends a session without a refresh token only after another tab could report a sign-in', async () => {
    const { auth, refresh, clock, stop, goOn } = sleepy()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    await stop(LIFETIME + 1_000)
    goOn()
    expect(auth.state).toBe('authenticated')
    await clock.advance(1_000)
    expect(auth.state).toBe('expired')
  })

  it('gives up a second later if no answer has come', async () => {
    const { auth, clock, stop, goOn, last } = sleepy({ initialTokens: tokens(1, { expires_in: 0 }) })
    const held = watch(auth.getAccessToken())
    await clock.advance(1)
    await stop()
    goOn()
    await clock.advance(999)
    expect([held.state, last('refreshFailed')]).toEqual(['pending', undefined])
    await clock.advance(1)
    expect(held.error).toMatchObject({ code: 'hold_timeout' })
    expect(last('refreshFailed')).toMatchObject({ reason: 'timeout' })
  })
})

it('a busy process begins a refresh, and the next attempt, a second late at most', async () => {
  const clock = createVirtualClock()
  const busy = { ...clock, turn: (callback: () => void) => void clock.setTimeout(callback, 5) }
  const { auth, refresh } = createHarness({
    clock: busy,
    refreshAhead: 10_000,
    initialTokens: tokens(1, { expires_in: 60 }),
    retry: { minDelay: 2_000, jitter: 0 },
  })
  await clock.advance(50_000)
  expect(refresh.calls).toHaveLength(0)
  await clock.advance(1_200)
  refresh.call().reject(new Error('no'))
  await clock.advance(3_200)
  expect(refresh.calls).toHaveLength(2)
  auth.dispose()
})

describe('a patient clock', () => {
  it('lets a timer that is on time fire at that instant', async () => {
    const clock = createVirtualClock()
    const fired: number[] = []
    const start = clock.now()
    new PatientClock(clock).setTimeout(() => fired.push(clock.now() - start), 2_000)
    await clock.advance(10_000)
    expect(fired).toEqual([2_000])
  })

  it.each([
    ['a process without rest', 60, 12_000],
    ['a hidden tab, once a minute,', 59_000, 11 * 60_000],
  ])('lets a timer of %s fire in the end', async (_, lateness, bound) => {
    const clock = createVirtualClock()
    const late = {
      ...clock,
      setTimeout: (callback: () => void, ms: number) => clock.setTimeout(callback, ms + lateness),
    }
    const fired: number[] = []
    const start = clock.now()
    new PatientClock(late).setTimeout(() => fired.push(clock.now() - start), 1_000)
    await clock.advance(3_600_000)
    expect(fired).toHaveLength(1)
    expect(fired[0]).toBeLessThanOrEqual(bound)
  })

  it('lets a timer of a hidden page, whose timers fire once a second, wait once', async () => {
    const clock = createVirtualClock()
    const start = clock.now()
    const nextSecond = (ms: number) => Math.ceil((clock.now() - start + ms) / 1_000) * 1_000 + 2
    const hidden = {
      ...clock,
      setTimeout: (callback: () => void, ms: number) =>
        clock.setTimeout(callback, nextSecond(ms) - (clock.now() - start)),
    }
    const fired: number[] = []
    new PatientClock(hidden).setTimeout(() => fired.push(clock.now() - start), 250)
    await clock.advance(60_000)
    expect(fired).toEqual([3_002])
  })

  it('waits while the turns of the event loop take long, and not while they are short', async () => {
    const clock = createVirtualClock()
    let turn = 5
    const busy = { ...clock, turn: (callback: () => void) => void clock.setTimeout(callback, turn) }
    const fired: number[] = []
    const start = clock.now()
    new PatientClock(busy).setTimeout(() => fired.push(clock.now() - start), 1_000)
    await clock.advance(5_000)
    expect(fired).toEqual([])
    turn = 0
    await clock.advance(2_000)
    expect(fired).toHaveLength(1)
  })

  it('fires no timer that was cleared, whatever it waits for', async () => {
    const clock = createVirtualClock()
    const patient = new PatientClock({
      ...clock,
      turn: (callback: () => void) => void clock.setTimeout(callback, 5),
    })
    const timer = patient.setTimeout(() => expect.unreachable(), 1_000)
    await clock.advance(1_012)
    patient.clearTimeout(timer)
    await clock.advance(60_000)
    expect(clock.pending).toBe(0)
  })
})
