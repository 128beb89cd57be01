import { describe, expect, test, vi } from 'vitest'
import { createActor, setup } from 'xstate'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'

/** A clock with callbacks that record their name and the time since the start. */
function timed(start = 1_000_000) {
  const clock = createVirtualClock(start)
  const fired: string[] = []
  const note = (name: string) => () => void fired.push(`${name} at ${clock.now() - start}`)
  return { clock, fired, note }
}

/** A chain of promise jobs. */
const jobs = async () => {
  for (let job = 0; job < 50; job++) await undefined
}

describe('advance', () => {
  test('advance fires timers in the order of their due time, then of their creation', async () => {
    const { clock, fired, note } = timed()
    clock.setTimeout(note('late'), 30)
    clock.setTimeout(note('one'), 10)
    clock.setTimeout(note('two'), 10)
    clock.setTimeout(note('later'), 31)
    await clock.advance(30)
    expect(fired).toEqual(['one at 10', 'two at 10', 'late at 30'])
    expect(clock.now()).toBe(1_000_030)
    await clock.advance(1)
    expect(fired.at(-1)).toBe('later at 31')
  })

  test('advance finishes all promise jobs of a timer before the next timer fires', async () => {
    const { clock, fired, note } = timed()
    clock.setTimeout(async () => {
      await jobs()
      note('jobs of the first')()
    }, 10)
    clock.setTimeout(note('second'), 10)
    await clock.advance(10)
    expect(fired).toEqual(['jobs of the first at 10', 'second at 10'])
  })

  test('advance finishes pending promise jobs before the time moves', async () => {
    const { clock, fired, note } = timed()
    void jobs().then(() => clock.setTimeout(note('set by a job'), 10))
    await clock.advance(10)
    expect(fired).toEqual(['set by a job at 10'])
  })

  test('advance fires timers created by other timers if they are due', async () => {
    const { clock, fired, note } = timed()
    clock.setTimeout(() => {
      clock.setTimeout(note('inside'), 5)
      clock.setTimeout(note('outside'), 6)
    }, 10)
    await clock.advance(15)
    expect(fired).toEqual(['inside at 15'])
    expect(clock.pending).toBe(1)
  })

  test('advance(0) fires the timers that are due now', async () => {
    const { clock, fired, note } = timed()
    for (const delay of [0, -5, Number.NaN]) clock.setTimeout(note(`${delay}`), delay)
    expect(fired).toEqual([])
    await clock.advance(0)
    expect(fired).toEqual(['0 at 0', '-5 at 0', 'NaN at 0'])
  })

  test('advance supports delays of any length and Infinity', async () => {
    const { clock, fired, note } = timed()
    clock.setTimeout(note('decades'), 2 ** 40)
    clock.setTimeout(note('never'), Number.POSITIVE_INFINITY)
    await clock.advance(2 ** 40 - 1)
    expect(fired).toEqual([])
    await clock.advance(1)
    expect(fired).toEqual([`decades at ${2 ** 40}`])
    expect(clock.pending).toBe(1)
  })

  test('clearTimeout clears timers and ignores unknown handles', async () => {
    const { clock, fired, note } = timed()
    const cleared = clock.setTimeout(note('cleared'), 10)
    const fires = clock.setTimeout(note('kept'), 10)
    clock.clearTimeout(cleared)
    clock.clearTimeout(cleared)
    clock.clearTimeout(undefined)
    expect(clock.pending).toBe(1)
    await clock.advance(10)
    clock.clearTimeout(fires)
    expect([fired, clock.pending]).toEqual([['kept at 10'], 0])
  })

  test('overlapping calls of advance run one after another', async () => {
    const { clock, fired, note } = timed()
    clock.setTimeout(note('first'), 10)
    clock.setTimeout(note('second'), 20)
    await Promise.all([clock.advance(10), clock.advance(10)])
    expect(fired).toEqual(['first at 10', 'second at 20'])
    expect(clock.now()).toBe(1_000_020)
  })

  test("advance rejects with a timer's error, stops at that time, and continues at the next call", async () => {
    const { clock, fired, note } = timed()
    clock.setTimeout(() => {
      throw new Error('thrown by a timer')
    }, 10)
    clock.setTimeout(note('next'), 20)
    await expect(clock.advance(100)).rejects.toThrow('thrown by a timer')
    expect(clock.now()).toBe(1_000_010)
    await clock.advance(10)
    expect(fired).toEqual(['next at 20'])
  })
})

describe('sleep', () => {
  test('sleep advances the time of day but not the timers', async () => {
    const { clock, fired, note } = timed()
    clock.setTimeout(note('timer'), 10)
    await clock.advance(4)
    await clock.sleep(1000)
    expect([fired, clock.now(), clock.nextIn]).toEqual([[], 1_001_004, 6])
    await clock.advance(5)
    expect(fired).toEqual([])
    await clock.advance(1)
    expect(fired).toEqual(['timer at 1010'])
  })

  test('sleep changes the time immediately and resolves after all promise jobs', async () => {
    const { clock } = timed()
    const job = vi.fn()
    const slept = clock.sleep(50)
    expect(clock.now()).toBe(1_000_050)
    void jobs().then(job)
    await slept
    expect(job).toHaveBeenCalledOnce()
  })
})

test('jump moves the time of day forwards and backwards without affecting timers', async () => {
  const { clock, fired, note } = timed()
  clock.setTimeout(note('timer'), 10)
  clock.jump(5000)
  expect(clock.now()).toBe(1_005_000)
  clock.jump(-9000)
  expect(clock.now()).toBe(996_000)
  await clock.advance(9)
  expect(fired).toEqual([])
  await clock.advance(1)
  expect(fired).toEqual(['timer at -3990'])
})

test('nextIn is the time until the next timer that will fire', async () => {
  const { clock } = timed()
  expect(clock.nextIn).toBeUndefined()
  clock.setTimeout(() => {}, Number.POSITIVE_INFINITY)
  expect(clock.nextIn).toBeUndefined()
  clock.setTimeout(() => {}, 30)
  const sooner = clock.setTimeout(() => {}, 20)
  expect(clock.nextIn).toBe(20)
  await clock.advance(5)
  expect(clock.nextIn).toBe(15)
  clock.clearTimeout(sooner)
  expect(clock.nextIn).toBe(25)
  await clock.advance(clock.nextIn ?? 0)
  expect([clock.nextIn, clock.pending]).toEqual([undefined, 1])
})

describe('invalid parameters', () => {
  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('advance and sleep reject %d', async (ms) => {
    const { clock } = timed()
    await expect(clock.advance(ms)).rejects.toThrow(RangeError)
    await expect(clock.sleep(ms)).rejects.toThrow(RangeError)
    expect(clock.now()).toBe(1_000_000)
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('jump and createVirtualClock throw for %d', (ms) => {
    const { clock } = timed()
    expect(() => clock.jump(ms)).toThrow(RangeError)
    expect(() => createVirtualClock(ms)).toThrow(RangeError)
    expect(clock.now()).toBe(1_000_000)
  })

  test('setTimeout throws a TypeError without a callback', () => {
    expect(() => createVirtualClock().setTimeout(undefined as never, 10)).toThrow(TypeError)
  })
})

test('the clock drives the delayed transitions of an XState machine', async () => {
  const clock = createVirtualClock()
  const light = setup({}).createMachine({
    initial: 'green',
    states: {
      green: { after: { 3000: 'yellow' } },
      yellow: { after: { 1000: 'red' } },
      red: {},
    },
  })
  const actor = createActor(light, { clock }).start()
  await clock.advance(2999)
  expect(actor.getSnapshot().value).toBe('green')
  await clock.advance(1)
  expect(actor.getSnapshot().value).toBe('yellow')
  await clock.advance(1000)
  expect(actor.getSnapshot().value).toBe('red')
  actor.stop()
  expect(clock.pending).toBe(0)
})
