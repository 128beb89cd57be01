import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDeviceClock } from '../../visualizations/playground/page/clock.ts'

const DAY = 86_400_000

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  expect(vi.getTimerCount(), 'timers left').toBe(0)
  vi.useRealTimers()
})

describe("the clock of the playground's device", () => {
  it('is as far ahead as it is made, and goes with the system', () => {
    const clock = createDeviceClock(60_000)
    expect(clock.now()).toBe(1_060_000)
    vi.advanceTimersByTime(500)
    expect(clock.now()).toBe(1_060_500)
  })

  it('is set forwards and back, and no timer notices', () => {
    const clock = createDeviceClock()
    const callback = vi.fn()
    clock.setTimeout(callback, 1_000)
    clock.shift(3_600_000)
    expect(clock.now()).toBe(4_600_000)
    vi.advanceTimersByTime(999)
    expect(callback).not.toHaveBeenCalled()
    clock.shift(-3_600_000)
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledOnce()
    expect(clock.now()).toBe(1_001_000)
  })

  it('fires no timer while it is frozen, and each one with what was left of it once it is thawed', () => {
    const clock = createDeviceClock()
    const fired: string[] = []
    clock.setTimeout(() => fired.push('soon'), 1_000)
    clock.setTimeout(() => fired.push('later'), 5_000)
    vi.advanceTimersByTime(400)
    clock.freeze()
    clock.setTimeout(() => fired.push('set while frozen'), 100)
    vi.advanceTimersByTime(DAY)
    expect(fired).toEqual([])
    clock.thaw()
    vi.advanceTimersByTime(599)
    expect(fired).toEqual(['set while frozen'])
    vi.advanceTimersByTime(1)
    expect(fired).toEqual(['set while frozen', 'soon'])
    vi.advanceTimersByTime(4_000)
    expect(fired).toEqual(['set while frozen', 'soon', 'later'])
  })

  it('sleeps twice as it does once: what was left is not counted again', () => {
    const clock = createDeviceClock()
    const callback = vi.fn()
    clock.setTimeout(callback, 1_000)
    for (let nap = 0; nap < 2; nap++) {
      vi.advanceTimersByTime(400)
      clock.freeze()
      clock.freeze()
      vi.advanceTimersByTime(DAY)
      clock.thaw()
      clock.thaw()
    }
    vi.advanceTimersByTime(199)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledOnce()
  })

  it('forgets a timer that is cleared: while it runs, while it is frozen, and after', () => {
    const clock = createDeviceClock()
    const callback = vi.fn()
    const [running, frozen, thawed] = [1, 2, 3].map(() => clock.setTimeout(callback, 1_000))
    clock.clearTimeout(running)
    clock.freeze()
    clock.clearTimeout(frozen)
    clock.thaw()
    clock.clearTimeout(thawed)
    vi.advanceTimersByTime(2_000)
    expect(callback).not.toHaveBeenCalled()
  })

  it.each([2 ** 31 - 1, 2 ** 31, 365 * DAY])(
    'keeps a delay of %d milliseconds, also over a sleep',
    (delay) => {
      const clock = createDeviceClock()
      const callback = vi.fn()
      clock.setTimeout(callback, delay)
      vi.advanceTimersByTime(DAY)
      clock.freeze()
      vi.advanceTimersByTime(DAY)
      clock.thaw()
      vi.advanceTimersByTime(delay - DAY - 1)
      expect(callback).not.toHaveBeenCalled()
      vi.advanceTimersByTime(1)
      expect(callback).toHaveBeenCalledOnce()
    },
  )

  it('takes Infinity for never, and what is no delay for now', () => {
    const clock = createDeviceClock()
    clock.setTimeout(() => expect.unreachable(), Number.POSITIVE_INFINITY)
    clock.freeze()
    clock.thaw()
    const callback = vi.fn()
    for (const delay of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) clock.setTimeout(callback, delay)
    vi.advanceTimersByTime(0)
    expect(callback).toHaveBeenCalledTimes(4)
  })

  it('lets a timer that fires freeze the clock, and none fires after it', () => {
    const clock = createDeviceClock()
    const callback = vi.fn()
    clock.setTimeout(() => clock.freeze(), 1_000)
    clock.setTimeout(callback, 1_000)
    vi.advanceTimersByTime(DAY)
    expect(callback).not.toHaveBeenCalled()
    clock.thaw()
    vi.advanceTimersByTime(0)
    expect(callback).toHaveBeenCalledOnce()
  })
})
