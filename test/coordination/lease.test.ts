import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { watch } from '../core/auth-setup.ts'
import { fakeWebStorage } from '../storage/web-storage-fake.ts'
import fc from '../support/property.ts'
import { countingSignal, laggingStorage, openTask } from './fakes.ts'

const KEY = 'authchart:refresh'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount(), 'active timers').toBe(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function createHarness({ storage = fakeWebStorage() as Storage, timeout = 5_000 } = {}) {
  const wait = countingSignal()
  const { exclusive } = tabCoordinator({ locks: null, storage })
  return {
    storage,
    wait,
    run: <T>(task: () => Promise<T>) => watch(exclusive('refresh', task, { signal: wait.signal, timeout })),
  }
}

const later = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

describe('a task under a lease', () => {
  it('claims the lease, and releases it after it has run', async () => {
    const { storage, run, wait } = createHarness()
    const { task, resolve } = openTask()
    const turn = run(task)
    await later(200)
    expect(storage.getItem(KEY)).toMatch(/^\d+ [a-z0-9]+$/)
    resolve('done')
    await later()
    expect(turn).toMatchObject({ state: 'fulfilled', value: 'done' })
    expect(storage.getItem(KEY)).toBeNull()
    expect(wait.listening).toBe(0)
  })

  it('waits for an earlier task of any duration', async () => {
    const { run } = createHarness({ timeout: 60_000 })
    const [first, second] = [openTask(), openTask()]
    run(first.task)
    await later(200)
    const turn = run(second.task)
    await later(30_000)
    expect([first.runs, second.runs]).toEqual([1, 0])
    first.resolve('')
    second.resolve('second')
    await later(250)
    expect(turn.value).toBe('second')
  })

  it('runs in one tab at a time, for any start times and lags', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(300), { minLength: 2, maxLength: 5 }),
        fc.nat(99),
        fc.nat(200),
        async (starts, lag, duration) => {
          let inside = 0
          let most = 0
          let done = 0
          const task = async () => {
            most = Math.max(most, ++inside)
            await new Promise((resolve) => setTimeout(resolve, duration))
            inside--
            done++
          }
          const storages = laggingStorage(starts.length, lag)
          starts.forEach((start, i) => {
            const { run } = createHarness({ storage: storages[i]!, timeout: 60_000 })
            setTimeout(() => run(task), start)
          })
          await later(60_000)
          expect([done, most]).toEqual([starts.length, 1])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('rejects after the timeout, does not run later, and leaves no claim', async () => {
    const { storage, run, wait } = createHarness({ timeout: 1_000 })
    const [first, second] = [openTask(), openTask()]
    run(first.task)
    await later(200)
    const before = storage.getItem(KEY)
    const turn = run(second.task)
    await later(999)
    expect(turn.state).toBe('pending')
    await later(1)
    expect(turn.error).toMatchObject({ name: 'TimeoutError' })
    expect(storage.getItem(KEY)?.split(' ')[1]).toBe(before?.split(' ')[1])
    first.resolve('')
    await later(5_000)
    expect(second.runs).toBe(0)
    expect(wait.listening).toBe(0)
  })

  it('does not run and releases its claim if the signal aborts', async () => {
    const { storage, run, wait } = createHarness()
    const { task, runs } = openTask()
    const turn = run(task)
    await later(150)
    expect(storage.getItem(KEY)).not.toBeNull()
    const disposed = new Error('disposed')
    wait.abort(disposed)
    await later()
    expect(turn.error).toBe(disposed)
    expect(storage.getItem(KEY)).toBeNull()
    expect(runs).toBe(0)
  })

  it('takes over the lease of a crashed tab once it has expired', async () => {
    const { storage, run } = createHarness()
    storage.setItem(KEY, `${Date.now() + 3_000} crashed`)
    const { task, resolve } = openTask()
    const turn = run(task)
    await later(2_999)
    expect(storage.getItem(KEY)).toContain('crashed')
    resolve('done')
    await later(251)
    expect(turn.value).toBe('done')
  })

  it.each(['garbage', '', 'NaN x', '99999999999999 set-back'])(
    'ignores an invalid lease: %j',
    async (lease) => {
      const { storage, run } = createHarness()
      storage.setItem(KEY, lease)
      const turn = run(async () => 'done')
      await later(200)
      expect(turn.value).toBe('done')
    },
  )

  it('does not touch the lease after another tab has taken it over', async () => {
    const { storage, run } = createHarness()
    const { task, resolve } = openTask()
    const turn = run(task)
    await later(200)
    const theirs = `${Date.now() + 3_000} another`
    storage.setItem(KEY, theirs)
    await later(1_500)
    expect(storage.getItem(KEY)).toBe(theirs)
    resolve('done')
    await later()
    expect(turn.value).toBe('done')
    expect(storage.getItem(KEY)).toBe(theirs)
  })

  it('rejects with the error of the task, and releases the lease', async () => {
    const { storage, run } = createHarness()
    const turn = run(() => Promise.reject(new Error('boom')))
    await later(200)
    expect(turn.error).toEqual(new Error('boom'))
    expect(storage.getItem(KEY)).toBeNull()
  })

  it('does not run, and rejects, if the storage cannot be written', async () => {
    const full = new DOMException('Full.', 'QuotaExceededError')
    const storage = fakeWebStorage()
    storage.setItem = () => {
      throw full
    }
    const { run } = createHarness({ storage })
    const task = openTask()
    const turn = run(task.task)
    await later()
    expect(turn.error).toBe(full)
    expect(task.runs).toBe(0)
  })

  it('completes if the storage starts to fail while it runs', async () => {
    const storage = fakeWebStorage()
    const { run } = createHarness({ storage })
    const { task, resolve } = openTask()
    const turn = run(task)
    await later(200)
    storage.getItem = () => {
      throw new Error('gone')
    }
    await later(5_000)
    resolve('done')
    await later()
    expect(turn.value).toBe('done')
  })
})

describe('tabCoordinator without Web Locks', () => {
  const { signal } = new AbortController()
  const run = () =>
    watch(tabCoordinator().exclusive('refresh', async () => 'done', { signal, timeout: 5_000 }))

  it.each([undefined, {}])('uses leases in localStorage (navigator: %j)', async (navigator) => {
    const storage = fakeWebStorage()
    const written = vi.spyOn(storage, 'setItem')
    vi.stubGlobal('navigator', navigator)
    vi.stubGlobal('localStorage', storage)
    const turn = run()
    await later(200)
    expect(turn.value).toBe('done')
    expect(written).toHaveBeenCalledWith(KEY, expect.any(String))
  })

  it.each([
    ['is missing', () => vi.stubGlobal('localStorage', null)],
    [
      'is blocked',
      () =>
        Object.defineProperty(globalThis, 'localStorage', {
          configurable: true,
          get() {
            throw new DOMException('Denied.', 'SecurityError')
          },
        }),
    ],
  ])('runs the task without a lock if localStorage %s', async (_, prepare) => {
    vi.stubGlobal('localStorage', undefined)
    prepare()
    const turn = run()
    await later()
    expect(turn.value).toBe('done')
  })
})
