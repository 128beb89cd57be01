import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { watch } from '../core/auth-setup.ts'
import { countingSignal, fakeLocks, openTask } from './fakes.ts'

const CHANGED = { type: 'changed', epoch: 1, generation: 2 } as const

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount(), 'active timers').toBe(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function createHarness(timeout = 5_000) {
  const locks = fakeLocks()
  const wait = countingSignal()
  const { exclusive, announce } = tabCoordinator({ locks: locks.manager })
  onTestFinished(() => {
    expect(wait.listening, 'listeners of the signal').toBe(0)
    expect(locks, 'remaining locks').toMatchObject({ held: false, waiting: 0 })
  })
  return {
    locks,
    announce,
    abort: wait.abort,
    run: <T>(task: () => Promise<T>) => watch(exclusive('refresh', task, { signal: wait.signal, timeout })),
  }
}

const later = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

describe('a task under a Web Lock of tabCoordinator', () => {
  it('requests a lock whose name contains no secret', async () => {
    const { locks, run } = createHarness()
    const turn = run(async () => 'done')
    await later()
    expect(turn).toMatchObject({ state: 'fulfilled', value: 'done' })
    expect(locks.requested).toEqual(['authchart:refresh'])
  })

  it('waits for an earlier task', async () => {
    const { run } = createHarness()
    const [first, second] = [openTask(), openTask()]
    run(first.task)
    const turn = run(second.task)
    await later(4_999)
    expect([first.runs, second.runs]).toEqual([1, 0])
    first.resolve('')
    second.resolve('second')
    await later()
    expect(turn).toMatchObject({ state: 'fulfilled', value: 'second' })
  })

  it('rejects after the timeout, and does not run later', async () => {
    const { locks, run } = createHarness(5_000)
    const [first, second] = [openTask(), openTask()]
    run(first.task)
    const turn = run(second.task)
    await later(4_999)
    expect(turn.state).toBe('pending')
    await later(1)
    expect(turn.error).toMatchObject({ name: 'TimeoutError' })
    expect(locks.waiting).toBe(0)
    first.resolve('')
    await later()
    expect(second.runs).toBe(0)
  })

  it.each([Number.POSITIVE_INFINITY, 2 ** 31])('waits with a timeout of %d ms', async (timeout) => {
    const { run } = createHarness(timeout)
    const first = openTask()
    run(first.task)
    const turn = run(async () => 'done')
    await later(100_000)
    expect(turn.state).toBe('pending')
    first.resolve('')
    await later()
    expect(turn.state).toBe('fulfilled')
  })

  it('may run for any time, because the timeout limits only the wait', async () => {
    const { locks, run } = createHarness(1_000)
    const { task, resolve } = openTask()
    const turn = run(task)
    await later()
    expect(vi.getTimerCount()).toBe(0)
    await later(60_000)
    expect(turn.state).toBe('pending')
    expect(locks.held).toBe(true)
    resolve('done')
    await later()
    expect(turn.value).toBe('done')
  })

  it('rejects at once when the signal aborts, and does not run later', async () => {
    const { run, abort } = createHarness()
    const [first, second] = [openTask(), openTask()]
    run(first.task)
    const turn = run(second.task)
    await later()
    const disposed = new Error('disposed')
    abort(disposed)
    await later()
    expect(turn.error).toBe(disposed)
    const another = run(second.task)
    await later()
    expect(another.error).toBe(disposed)
    first.resolve('')
    await later()
    expect(second.runs).toBe(0)
  })

  it('completes although the signal aborts while it runs', async () => {
    const { locks, run, abort } = createHarness()
    const { task, resolve } = openTask()
    const turn = run(task)
    await later()
    abort(new Error('disposed'))
    await later()
    expect([turn.state, locks.held]).toEqual(['pending', true])
    resolve('done')
    await later()
    expect(turn.value).toBe('done')
  })

  it.each([
    ['rejects', async () => Promise.reject(new Error('boom'))],
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
  ])('rejects with the error of a task that %s', async (_, task) => {
    const { run } = createHarness()
    const turn = run(task)
    const next = run(async () => 'next')
    await later()
    expect(turn.error).toEqual(new Error('boom'))
    expect(next.value).toBe('next')
  })

  it.each([
    [
      'resolves',
      (task: ReturnType<typeof openTask>) => task.resolve('done'),
      { state: 'fulfilled', value: 'done' },
    ],
    [
      'rejects',
      (task: ReturnType<typeof openTask>) => task.reject(new Error('boom')),
      { state: 'rejected', error: new Error('boom') },
    ],
  ])('runs once, and still %s, if another script steals the lock', async (_, end, outcome) => {
    const { locks, run } = createHarness()
    const task = openTask()
    const turn = run(task.task)
    await later()
    locks.steal()
    await later()
    expect(turn.state).toBe('pending')
    end(task)
    await later()
    expect(turn).toEqual(outcome)
    expect(task.runs).toBe(1)
  })

  it('does not run, and rejects, if the browser refuses the lock', async () => {
    const refusal = new DOMException('Not here.', 'SecurityError')
    const locks = { request: () => Promise.reject(refusal) } as unknown as LockManager
    const task = openTask()
    const { signal } = new AbortController()
    const turn = tabCoordinator({ locks }).exclusive('refresh', task.task, { signal, timeout: 5_000 })
    await expect(turn).rejects.toBe(refusal)
    expect(task.runs).toBe(0)
  })
})

describe('a task of a page that announces a change', () => {
  beforeEach(() => {
    vi.stubGlobal('document', {})
  })

  it('keeps the lock for 250 ms so that the change reaches other tabs, but resolves at once', async () => {
    const { locks, run, announce } = createHarness()
    const turn = run(async () => announce(CHANGED))
    const next = openTask()
    run(next.task)
    await later()
    expect(turn.state).toBe('fulfilled')
    await later(249)
    expect([locks.held, next.runs]).toEqual([true, 0])
    await later(1)
    expect(next.runs).toBe(1)
    next.resolve('')
    await later()
  })

  it('releases the lock at once outside a page', async () => {
    vi.stubGlobal('document', undefined)
    const { run, announce } = createHarness()
    run(async () => announce(CHANGED))
    const next = run(async () => 'next')
    await later()
    expect(next.value).toBe('next')
  })

  it('releases the lock at once if the change was announced before the task', async () => {
    const { run, announce } = createHarness()
    announce(CHANGED)
    run(async () => {})
    const next = run(async () => 'next')
    await later()
    expect(next.value).toBe('next')
  })

  it.each([
    ['before the announcement', true],
    ['during the delay', false],
  ])('keeps the lock for 250 ms if the signal aborts %s', async (_, before) => {
    const { locks, run, announce, abort } = createHarness()
    const { task, resolve } = openTask()
    run(() => task().finally(() => announce(CHANGED)))
    await later()
    if (before) abort(new Error('disposed'))
    resolve('')
    await later()
    if (!before) abort(new Error('disposed'))
    await later(249)
    expect(locks.held).toBe(true)
    await later(1)
    expect(locks.held).toBe(false)
  })
})
