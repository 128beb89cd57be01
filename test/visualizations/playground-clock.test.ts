import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDeviceClock } from '../../visualizations/playground/page/clock.ts'

const DAY = 86_400_000

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  expect(vi.getTimerCount(), 'remaining timers').toBe(0)
  vi.useRealTimers()
})

describe('createDeviceClock', () => {
  it('starts ahead of the system clock by the given time, and advances with it', () => {
    const clock = createDeviceClock(60_000)
    expect(clock.now()).toBe(1_060_000)
    vi.advanceTimersByTime(500)
    expect(clock.now()).toBe(1_060_500)
  })

  it('moves forwards and back without an effect on timers', () => {
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

  it('fires no timer while it is frozen, and resumes each with its remaining delay', () => {
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

  it('keeps the remaining delay of a timer through two freezes', () => {
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

  it('clears a timer before, during and after a freeze', () => {
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
    'fires a timer after %d milliseconds, not counting a freeze',
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

  it('treats an infinite delay as never, and an invalid delay as zero', () => {
    const clock = createDeviceClock()
    clock.setTimeout(() => expect.unreachable(), Number.POSITIVE_INFINITY)
    clock.freeze()
    clock.thaw()
    const callback = vi.fn()
    for (const delay of [0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) clock.setTimeout(callback, delay)
    vi.advanceTimersByTime(0)
    expect(callback).toHaveBeenCalledTimes(4)
  })

  it('fires no other timer after a timer has frozen the clock', () => {
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
