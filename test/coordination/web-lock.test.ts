import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { watch } from '../core/auth-setup.ts'
import { countingSignal, fakeLocks, openTask } from './fakes.ts'

const CHANGED = { type: 'changed', epoch: 1, generation: 2 } as const

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount(), 'timers left').toBe(0)
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function rig(timeout = 5_000) {
  const locks = fakeLocks()
  const wait = countingSignal()
  const { exclusive, announce } = tabCoordinator({ locks: locks.manager })
  onTestFinished(() => {
    expect(wait.listening, 'listeners left at the signal').toBe(0)
    expect(locks, 'locks left').toMatchObject({ held: false, waiting: 0 })
  })
  return {
    locks,
    announce,
    abort: wait.abort,
    run: <T>(task: () => Promise<T>) => watch(exclusive('refresh', task, { signal: wait.signal, timeout })),
  }
}

const later = (ms = 0) => vi.advanceTimersByTimeAsync(ms)

describe('a turn under a Web Lock', () => {
  it('has a lock of its own name, in which nothing is secret', async () => {
    const { locks, run } = rig()
    const turn = run(async () => 'done')
    await later()
    expect(turn).toMatchObject({ state: 'fulfilled', value: 'done' })
    expect(locks.asked).toEqual(['authchart:refresh'])
  })

  it('waits for the one before', async () => {
    const { run } = rig()
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

  it('that does not come in time is not waited for, and does not come later', async () => {
    const { locks, run } = rig(5_000)
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

  it.each([Number.POSITIVE_INFINITY, 2 ** 31])('may be waited for for %d ms', async (timeout) => {
    const { run } = rig(timeout)
    const first = openTask()
    run(first.task)
    const turn = run(async () => 'done')
    await later(100_000)
    expect(turn.state).toBe('pending')
    first.resolve('')
    await later()
    expect(turn.state).toBe('fulfilled')
  })

  it('may last as long as it likes: its time is for the wait alone', async () => {
    const { locks, run } = rig(1_000)
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

  it('is not waited for by a session that is over', async () => {
    const { run, abort } = rig()
    const [first, second] = [openTask(), openTask()]
    run(first.task)
    const turn = run(second.task)
    await later()
    const over = new Error('disposed')
    abort(over)
    await later()
    expect(turn.error).toBe(over)
    const another = run(second.task)
    await later()
    expect(another.error).toBe(over)
    first.resolve('')
    await later()
    expect(second.runs).toBe(0)
  })

  it('goes on to its end although the session is over', async () => {
    const { locks, run, abort } = rig()
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
  ])('fails as its task does, which %s', async (_, task) => {
    const { run } = rig()
    const turn = run(task)
    const next = run(async () => 'next')
    await later()
    expect(turn.error).toEqual(new Error('boom'))
    expect(next.value).toBe('next')
  })

  it.each([
    [
      'give',
      (task: ReturnType<typeof openTask>) => task.resolve('done'),
      { state: 'fulfilled', value: 'done' },
    ],
    [
      'fail',
      (task: ReturnType<typeof openTask>) => task.reject(new Error('boom')),
      { state: 'rejected', error: new Error('boom') },
    ],
  ])('whose lock is stolen runs once, and gives what its task may %s', async (_, end, outcome) => {
    const { locks, run } = rig()
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

  it('is not to be had where the browser refuses locks', async () => {
    const refusal = new DOMException('Not here.', 'SecurityError')
    const locks = { request: () => Promise.reject(refusal) } as unknown as LockManager
    const task = openTask()
    const { signal } = new AbortController()
    const turn = tabCoordinator({ locks }).exclusive('refresh', task.task, { signal, timeout: 5_000 })
    await expect(turn).rejects.toBe(refusal)
    expect(task.runs).toBe(0)
  })
})

describe('what a turn of a page announced', () => {
  beforeEach(() => {
    vi.stubGlobal('document', {})
  })

  it('has a moment to reach the other tabs before the next turn, and who waits for the turn does not wait for that', async () => {
    const { locks, run, announce } = rig()
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

  it('delays nobody elsewhere, where there is no localStorage', async () => {
    vi.stubGlobal('document', undefined)
    const { run, announce } = rig()
    run(async () => announce(CHANGED))
    const next = run(async () => 'next')
    await later()
    expect(next.value).toBe('next')
  })

  it('delays nobody where nothing was', async () => {
    const { run, announce } = rig()
    announce(CHANGED)
    run(async () => {})
    const next = run(async () => 'next')
    await later()
    expect(next.value).toBe('next')
  })

  it('delays nobody where the session is over', async () => {
    const { locks, run, announce, abort } = rig()
    run(async () => announce(CHANGED))
    await later()
    expect(locks.held).toBe(true)
    abort(new Error('disposed'))
    await later()
    expect(locks.held).toBe(false)
  })

  it('delays nobody where the session ended before it was announced', async () => {
    const { locks, run, announce, abort } = rig()
    const { task, resolve } = openTask()
    run(() => task().finally(() => announce(CHANGED)))
    await later()
    abort(new Error('disposed'))
    resolve('')
    await later()
    expect(locks.held).toBe(false)
  })
})

describe('the coordinator of tabs', () => {
  const wait = { signal: new AbortController().signal, timeout: 5_000 }

  it('takes the locks of the browser, whenever they are there', async () => {
    const locks = fakeLocks()
    const { exclusive } = tabCoordinator({ name: 'another' })
    vi.stubGlobal('navigator', { locks: locks.manager })
    expect(await exclusive('refresh', async () => 'done', wait)).toBe('done')
    expect(locks.asked).toEqual(['another:refresh'])
  })

  it.each(['', '-name', 7, null])('does not take %j for a name', (name) => {
    expect(() => tabCoordinator({ name: name as string })).toThrow(
      new TypeError('tabCoordinator: name must be a text that is not empty and begins with no hyphen.'),
    )
  })
})
