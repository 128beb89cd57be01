import { describe, expect, it } from 'vitest'
import { SignedOutError } from '../../src/core/errors.ts'
import { createHoldQueue, type HoldOptions } from '../../src/core/hold-queue.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import fc from '../support/property.ts'
import { watch } from './auth-setup.ts'

function queueOf({ limit = 100_000, timeout = 30_000 } = {}) {
  const clock = createVirtualClock()
  const changes: string[] = []
  const queue = createHoldQueue<string>({
    clock,
    limit,
    timeout,
    onChange: (change, error) => void changes.push(error ? `${change} ${(error as Error).name}` : change),
  })
  const hold = (owner = 0, options: HoldOptions = {}) => watch(queue.hold(owner, options))
  return { clock, queue, hold, changes }
}

/** A signal that counts who listens to it. */
function countingSignal() {
  const controller = new AbortController()
  let listening = 0
  const { signal } = controller
  return {
    abort: (reason?: unknown) => controller.abort(reason),
    get listening() {
      return listening
    },
    signal: {
      get aborted() {
        return signal.aborted
      },
      get reason() {
        return signal.reason
      },
      addEventListener(type: 'abort', listener: () => void) {
        listening++
        signal.addEventListener(type, listener)
      },
      removeEventListener(type: 'abort', listener: () => void) {
        listening--
        signal.removeEventListener(type, listener)
      },
    },
  }
}

/** The least a signal can be: 50,000 of the platform's take longer to make than to wait with. */
function plainSignal() {
  let onAbort: (() => void) | undefined
  return {
    aborted: false,
    reason: 'enough',
    addEventListener(_: 'abort', listener: () => void) {
      onAbort = listener
    },
    removeEventListener() {
      onAbort = undefined
    },
    abort: () => onAbort?.(),
  }
}

describe('the hold queue', () => {
  it('lets go in the order of arrival', async () => {
    const { queue, hold } = queueOf()
    const held = [hold(1), hold(2), hold(3)]
    expect(queue.size).toBe(3)
    expect(queue.peek()).toBe(1)
    expect(queue.shift()?.owner).toBe(1)
    queue.shift()?.resolve('b')
    queue.shift()?.resolve('c')
    expect(queue.shift()).toBeUndefined()
    expect(queue.peek()).toBe(-1)
    await settled()
    expect(held.map(({ value }) => value)).toEqual([undefined, 'b', 'c'])
  })

  it('has one timer for all who wait as long as everyone', async () => {
    const { clock, hold } = queueOf()
    for (let n = 0; n < 100; n++) {
      hold()
      await clock.advance(1)
    }
    expect(clock.pending).toBe(1)
  })

  it('lets nobody wait longer than its timeout, each counted from arrival', async () => {
    const { clock, queue, hold, changes } = queueOf({ timeout: 100 })
    const first = hold()
    await clock.advance(60)
    const second = hold()
    await clock.advance(39)
    expect([first.state, second.state]).toEqual(['pending', 'pending'])
    await clock.advance(1)
    expect(first.error).toMatchObject({ code: 'hold_timeout' })
    expect(second.state).toBe('pending')
    await clock.advance(60)
    expect(second.error).toMatchObject({ code: 'hold_timeout' })
    expect(queue.size).toBe(0)
    expect(clock.pending).toBe(0)
    expect(changes).toEqual(['held', 'held', 'rejected HoldTimeoutError', 'rejected HoldTimeoutError'])
  })

  it('is not fooled by a clock that jumps: it waits no longer for that, and no shorter', async () => {
    const { clock, hold } = queueOf({ timeout: 100 })
    const before = hold()
    clock.jump(-1_000_000)
    const after = hold()
    await clock.advance(100)
    expect(before.state).toBe('rejected')
    await clock.advance(100)
    expect(after.state).toBe('rejected')
    const ahead = hold()
    clock.jump(1_000_000)
    await clock.advance(99)
    expect(ahead.state).toBe('pending')
    await clock.advance(1)
    expect(ahead.state).toBe('rejected')
  })

  it('keeps nobody for as long as a clock was set back, however many came one after the other', async () => {
    const { clock, hold } = queueOf({ timeout: 100 })
    const held: ReturnType<typeof hold>[] = []
    for (let n = 0; n < 9; n++) {
      held.push(hold())
      await clock.advance(10)
    }
    clock.jump(-1_000_000)
    await clock.advance(110)
    expect(held.map(({ state }) => state)).toEqual(Array(9).fill('rejected'))
  })

  it('turns away who comes when it is full, and takes the next when there is room', async () => {
    const { queue, hold, changes } = queueOf({ limit: 1 })
    hold()
    const turnedAway = hold()
    await settled()
    expect(turnedAway.error).toMatchObject({ code: 'queue_full' })
    queue.shift()?.resolve('a')
    const next = hold()
    queue.shift()?.resolve('b')
    await settled()
    expect(next.value).toBe('b')
    expect(changes).toEqual(['held', 'rejected QueueFullError', 'held'])
  })

  it('turns everyone away, or those that are named, each with an error of its own', async () => {
    const { queue, hold } = queueOf()
    const held = [hold(1), hold(2), hold(1), hold(3)]
    queue.rejectAll(
      () => new SignedOutError(),
      (owner) => owner === 1,
    )
    await settled()
    expect(held.map(({ state }) => state)).toEqual(['rejected', 'pending', 'rejected', 'pending'])
    expect(held[0]?.error).not.toBe(held[2]?.error)
    queue.rejectAll(() => new SignedOutError())
    await settled()
    expect(held.every(({ state }) => state === 'rejected')).toBe(true)
    expect(queue.size).toBe(0)
  })
})

describe('who waits with a signal', () => {
  it('leaves at once with its reason, from the middle', async () => {
    const { queue, hold, changes } = queueOf()
    const { signal, abort } = countingSignal()
    const held = [hold(1), hold(2, { signal }), hold(3)]
    const reason = new Error('enough')
    abort(reason)
    await settled()
    expect(held[1]).toEqual({ state: 'rejected', error: reason })
    expect(queue.size).toBe(2)
    expect([queue.shift()?.owner, queue.shift()?.owner]).toEqual([1, 3])
    expect(changes.at(-1)).toBe('rejected Error')
  })

  it('shares one listener with all who wait under it, for more than ten look like a leak', async () => {
    const { queue, hold } = queueOf()
    const counting = countingSignal()
    const held = Array.from({ length: 12 }, (_, owner) => hold(owner, { signal: counting.signal }))
    expect(counting.listening).toBe(1)
    queue.shift()?.resolve('a')
    counting.abort('enough')
    await settled()
    expect(held.map(({ state }) => state)).toEqual(['fulfilled', ...held.slice(1).map(() => 'rejected')])
    expect([queue.size, counting.listening]).toEqual([0, 0])
  })

  it('does not enter with one that is aborted already', async () => {
    const { queue, hold } = queueOf()
    const held = hold(0, { signal: AbortSignal.abort('enough') })
    await settled()
    expect(held).toEqual({ state: 'rejected', error: 'enough' })
    expect(queue.size).toBe(0)
  })

  it.each<[string, (queue: ReturnType<typeof queueOf>) => unknown]>([
    ['is let go', ({ queue }) => queue.shift()?.resolve('a')],
    ['is turned away', ({ queue }) => queue.rejectAll(() => new SignedOutError())],
    ['runs out of time', ({ clock }) => clock.advance(30_000)],
  ])('leaves no listener behind when it %s', async (_, end) => {
    const made = queueOf()
    const counting = countingSignal()
    const held = made.hold(0, { signal: counting.signal, timeout: 60_000 })
    expect(counting.listening).toBe(1)
    await end(made)
    await settled()
    expect(held.state).not.toBe('pending')
    expect(counting.listening).toBe(0)
    expect(made.clock.pending).toBe(0)
  })

  it('may be among 50,000 who leave one by one, from wherever they stand', async () => {
    const { queue, hold, clock } = queueOf()
    const signals = Array.from({ length: 50_000 }, plainSignal)
    const held = signals.map((signal, owner) => hold(owner, { signal }))
    expect(queue.size).toBe(50_000)
    // Every second one, from the middle outwards.
    for (let step = 0; step < 25_000; step++) {
      const offset = (step % 2 === 0 ? 1 : -1) * 2 * Math.ceil(step / 2)
      signals[(25_000 + offset + 50_000) % 50_000]?.abort()
    }
    expect(queue.size).toBe(25_000)
    const owners: number[] = []
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      owners.push(entry.owner)
      entry.resolve('go')
    }
    expect(owners).toEqual([...owners].sort((a, b) => a - b))
    await settled()
    const states = held.map(({ state }) => state)
    expect(states.filter((state) => state === 'fulfilled')).toHaveLength(25_000)
    expect(states.filter((state) => state === 'rejected')).toHaveLength(25_000)
    expect(clock.pending).toBe(0)
  })
})

describe('who waits with a timeout of its own', () => {
  it('waits no longer than that', async () => {
    const { clock, hold } = queueOf({ timeout: 100 })
    const [short, long] = [hold(0, { timeout: 40 }), hold(0, { timeout: 400 })]
    await clock.advance(40)
    expect(short.error).toMatchObject({ code: 'hold_timeout' })
    expect(long.state).toBe('pending')
    await clock.advance(60)
    expect(long.state).toBe('rejected')
    expect(clock.pending).toBe(0)
  })

  it.each([0, -5])('of %i does not wait at all', async (timeout) => {
    const { clock, hold } = queueOf()
    const held = hold(0, { timeout })
    await clock.advance(0)
    expect(held.state).toBe('rejected')
  })

  it('of NaN waits as long as everyone', async () => {
    const { clock, hold } = queueOf({ timeout: 100 })
    const held = hold(0, { timeout: Number.NaN })
    await clock.advance(99)
    expect(held.state).toBe('pending')
    await clock.advance(1)
    expect(held.state).toBe('rejected')
  })
})

describe('whatever happens to those who wait', () => {
  type Step =
    | { do: 'hold'; owner: number; timeout?: number; abortable: boolean }
    | { do: 'abort'; which: number }
    | { do: 'release' }
    | { do: 'reject'; owner?: number }
    | { do: 'advance'; ms: number }
    | { do: 'jump'; ms: number }

  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record(
        {
          do: fc.constant('hold' as const),
          owner: fc.nat(2),
          timeout: fc.integer({ min: -1, max: 300 }),
          abortable: fc.boolean(),
        },
        { requiredKeys: ['do', 'owner', 'abortable'] },
      ),
    },
    fc.record({ do: fc.constant('abort' as const), which: fc.nat(30) }),
    fc.record({ do: fc.constant('release' as const) }),
    fc.record({ do: fc.constant('reject' as const), owner: fc.nat(2) }, { requiredKeys: ['do'] }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.nat(150) }),
    fc.record({ do: fc.constant('jump' as const), ms: fc.integer({ min: -500, max: 500 }) }),
  )

  /** Each came at another time by the wall clock, which is where it was again before a timer could tell. */
  const clockSetToAndFro: Step[] = [76, 25, -101].flatMap((ms) => [
    { do: 'hold', owner: 0, abortable: false },
    { do: 'jump', ms },
  ])

  it('each of them settles exactly once, in time, and nothing is left behind', async () => {
    const TIMEOUT = 100
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, queue } = queueOf({ timeout: TIMEOUT, limit: 12 })
        const held: { settlements: number; abort: (() => void) | undefined }[] = []
        let expected = 0
        for (const action of steps) {
          if (action.do === 'hold') {
            const controller = action.abortable ? new AbortController() : undefined
            const entry = { settlements: 0, abort: () => controller?.abort() }
            const count = () => void entry.settlements++
            queue
              .hold(action.owner, { signal: controller?.signal, timeout: action.timeout })
              .then(count, count)
            held.push(entry)
            expected++
          } else if (action.do === 'abort') held[action.which]?.abort?.()
          else if (action.do === 'release') queue.shift()?.resolve('go')
          else if (action.do === 'reject') {
            const { owner } = action
            queue.rejectAll(
              () => new SignedOutError(),
              owner === undefined ? undefined : (other) => other === owner,
            )
          } else if (action.do === 'advance') await clock.advance(action.ms)
          else clock.jump(action.ms)
          await settled()
          expect(queue.size).toBe(held.filter(({ settlements }) => settlements === 0).length)
        }
        // Twice: a jump may make the shared timer look again, and no more than that.
        await clock.advance(2 * TIMEOUT)
        expect(held).toHaveLength(expected)
        expect(held.every(({ settlements }) => settlements === 1)).toBe(true)
        expect(queue.size).toBe(0)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 1_000, examples: [[clockSetToAndFro]] },
    )
  })
})
