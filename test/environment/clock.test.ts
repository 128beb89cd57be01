import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/environment/clock.ts'

const LONGEST = 2 ** 31 - 1
const DAY = 86_400_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount(), 'remaining timers').toBe(0)
  vi.useRealTimers()
})

describe('the system clock', () => {
  it('the system clock returns the system time', () => {
    vi.setSystemTime(1_234)
    expect(systemClock.now()).toBe(1_234)
  })

  it('the system clock starts its timers outside the zones of Zone.js', () => {
    let depth = 0
    const root = {
      run<T>(start: () => T): T {
        depth++
        const result = start()
        depth--
        return result
      },
    }
    const depths: number[] = []
    const { setTimeout } = globalThis
    vi.stubGlobal('Zone', { root })
    vi.stubGlobal('setTimeout', (callback: () => void, delay: number) => {
      depths.push(depth)
      return setTimeout(callback, delay)
    })
    const callback = vi.fn()
    systemClock.setTimeout(callback, LONGEST + 1)
    vi.advanceTimersByTime(LONGEST + 1)
    vi.unstubAllGlobals()
    expect(callback).toHaveBeenCalledTimes(1)
    expect(depths).toEqual([1, 1])
  })

  it.each([1, 1_000, LONGEST, LONGEST + 1, 30 * DAY, 365 * DAY, 3 * LONGEST])(
    'the system clock calls back exactly once, after %i milliseconds',
    (delay) => {
      const callback = vi.fn()
      systemClock.setTimeout(callback, delay)
      vi.advanceTimersByTime(delay - 1)
      expect(callback).toHaveBeenCalledTimes(0)
      vi.advanceTimersByTime(1)
      expect(callback).toHaveBeenCalledTimes(1)
      vi.advanceTimersByTime(2 * LONGEST)
      expect(callback).toHaveBeenCalledTimes(1)
    },
  )

  it('the system clock never passes the platform a delay that overflows', () => {
    const spy = vi.spyOn(globalThis, 'setTimeout')
    const handle = systemClock.setTimeout(() => {}, 365 * DAY)
    vi.advanceTimersByTime(60 * DAY)
    expect(spy.mock.calls.length).toBeGreaterThan(2)
    for (const [, delay] of spy.mock.calls) expect(delay).toBeLessThanOrEqual(LONGEST)
    systemClock.clearTimeout(handle)
    spy.mockRestore()
  })

  it('the system clock sets no timer for a delay of Infinity', () => {
    const handle = systemClock.setTimeout(() => expect.unreachable(), Number.POSITIVE_INFINITY)
    expect(vi.getTimerCount()).toBe(0)
    expect(() => systemClock.clearTimeout(handle)).not.toThrow()
  })

  it.each([0, Number.NaN, -1, Number.NEGATIVE_INFINITY])(
    'the system clock treats a delay of %d as 0',
    (delay) => {
      const callback = vi.fn()
      systemClock.setTimeout(callback, delay)
      vi.advanceTimersByTime(0)
      expect(callback).toHaveBeenCalledTimes(1)
    },
  )

  it.each([1_000, 365 * DAY])(
    'the system clock can clear a timer of %i milliseconds at any time',
    (delay) => {
      const callback = vi.fn()
      systemClock.clearTimeout(systemClock.setTimeout(callback, delay))
      expect(vi.getTimerCount()).toBe(0)
      const handle = systemClock.setTimeout(callback, delay)
      vi.advanceTimersByTime(delay - 1)
      systemClock.clearTimeout(handle)
      vi.advanceTimersByTime(delay)
      expect(callback).not.toHaveBeenCalled()
    },
  )

  it.each([undefined, null, 7, {}])('the system clock ignores the foreign handle %s', (handle) => {
    expect(() => systemClock.clearTimeout(handle)).not.toThrow()
  })
})

describe('a timer of the system clock in the background', () => {
  type Handle = { unref(): void }

  it('an unreferenced timer of the system clock does not keep the process alive, not even after a rearm', () => {
    const unreferenced: unknown[] = []
    const { setTimeout } = globalThis
    const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((callback: () => void, ms: number) => {
      const timer = setTimeout(callback, ms)
      const { unref } = timer
      timer.unref = () => {
        unreferenced.push(timer)
        return unref.call(timer)
      }
      return timer
    }) as never)
    const handle = systemClock.setTimeout(() => {}, 60 * DAY)
    expect(unreferenced).toHaveLength(0)
    ;(handle as Handle).unref()
    expect(unreferenced).toHaveLength(1)
    vi.advanceTimersByTime(LONGEST)
    expect(unreferenced).toHaveLength(2)
    systemClock.clearTimeout(handle)
    spy.mockRestore()
  })

  it('an unreferenced timer of the system clock works on platforms without unref', () => {
    const { setTimeout } = globalThis
    let callback = () => {}
    const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((given: () => void) => {
      callback = given
      return 42
    }) as never)
    const called = vi.fn()
    const handle = systemClock.setTimeout(called, 10)
    expect(() => (handle as Handle).unref()).not.toThrow()
    callback()
    expect(called).toHaveBeenCalledTimes(1)
    spy.mockRestore()
    expect(globalThis.setTimeout).toBe(setTimeout)
  })
})
