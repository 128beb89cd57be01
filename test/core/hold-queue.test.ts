import { describe, expect, it } from 'vitest'
import { SignedOutError } from '../../src/core/errors.ts'
import { Mailbox } from '../../src/core/mailbox.ts'
import { HoldQueue } from '../../src/core/requests/hold-queue.ts'
import { RequestCounts } from '../../src/core/requests/request-counts.ts'
import type { HoldOptions } from '../../src/core/requests/transport-request.ts'
import { resolveOptions } from '../../src/core/resolve-options.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import fc from '../support/property.ts'
import { watch } from './auth-setup.ts'

/** Records each change as soon as the queue reports it. */
class RecordedCounts extends RequestCounts {
  readonly changes: string[] = []

  override add(what: 'held' | 'released' | 'replayed' | 'rejected', error?: unknown): void {
    this.changes.push(what === 'rejected' ? `rejected ${(error as Error).name}` : what)
  }
}

function queueOf({ limit = 100_000, timeout = 30_000 } = {}) {
  const clock = createVirtualClock()
  const counts = new RecordedCounts(new Mailbox(), () => 0)
  const settings = resolveOptions({ refresh: () => ({}), queueLimit: limit, timeouts: { hold: timeout } })
  const queue = new HoldQueue<string>({ clock, settings }, counts)
  const hold = (owner = 0, options: HoldOptions = {}) => watch(queue.hold(owner, options))
  return { clock, queue, hold, changes: counts.changes }
}

/** A signal that counts its listeners. */
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

/** A minimal signal, because creating 50,000 real ones takes longer than the test. */
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
  it('releases entries in the order of arrival', async () => {
    const { queue, hold } = queueOf()
    const held = [hold(1), hold(2), hold(3)]
    expect(queue.size).toBe(3)
    expect(queue.firstOwner).toBe(1)
    expect(queue.shift()?.owner).toBe(1)
    queue.shift()?.release('b')
    queue.shift()?.release('c')
    expect(queue.shift()).toBeUndefined()
    expect(queue.firstOwner).toBe(Number.POSITIVE_INFINITY)
    await settled()
    expect(held.map(({ value }) => value)).toEqual([undefined, 'b', 'c'])
  })

  it('uses one timer for all entries with the default timeout', async () => {
    const { clock, hold } = queueOf()
    for (let n = 0; n < 100; n++) {
      hold()
      await clock.advance(1)
    }
    expect(clock.pending).toBe(1)
  })

  it('rejects each entry after the timeout, counted from its own arrival', async () => {
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

  it('makes no entry wait longer or shorter if the clock jumps', async () => {
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

  it('rejects many successive entries in time after the clock was set back', async () => {
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

  it('rejects a new entry while it is full, and accepts the next one once there is room', async () => {
    const { queue, hold, changes } = queueOf({ limit: 1 })
    hold()
    const excess = hold()
    await settled()
    expect(excess.error).toMatchObject({ code: 'queue_full' })
    queue.shift()?.release('a')
    const next = hold()
    queue.shift()?.release('b')
    await settled()
    expect(next.value).toBe('b')
    expect(changes).toEqual(['held', 'rejected QueueFullError', 'held'])
  })

  it('rejects all entries, or only those of an owner from a number on, each with its own error', async () => {
    const { queue, hold } = queueOf()
    const held = [hold(1), hold(2), hold(1), hold(3)]
    queue.rejectAll(() => new SignedOutError(), 2)
    await settled()
    expect(held.map(({ state }) => state)).toEqual(['pending', 'rejected', 'pending', 'rejected'])
    expect(held[1]?.error).not.toBe(held[3]?.error)
    queue.rejectAll(() => new SignedOutError())
    await settled()
    expect(held.every(({ state }) => state === 'rejected')).toBe(true)
    expect(queue.size).toBe(0)
  })
})

describe('an entry with a signal', () => {
  it('is removed from the middle of the queue with the reason of the signal', async () => {
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

  it('shares one listener with all entries of its signal, because more than ten look like a leak', async () => {
    const { queue, hold } = queueOf()
    const counting = countingSignal()
    const held = Array.from({ length: 12 }, (_, owner) => hold(owner, { signal: counting.signal }))
    expect(counting.listening).toBe(1)
    queue.shift()?.release('a')
    counting.abort('enough')
    await settled()
    expect(held.map(({ state }) => state)).toEqual(['fulfilled', ...held.slice(1).map(() => 'rejected')])
    expect([queue.size, counting.listening]).toEqual([0, 0])
  })

  it('is not added if its signal is already aborted', async () => {
    const { queue, hold } = queueOf()
    const held = hold(0, { signal: AbortSignal.abort('enough') })
    await settled()
    expect(held).toEqual({ state: 'rejected', error: 'enough' })
    expect(queue.size).toBe(0)
  })

  it.each<[string, (queue: ReturnType<typeof queueOf>) => unknown]>([
    ['is released', ({ queue }) => queue.shift()?.release('a')],
    ['is rejected', ({ queue }) => queue.rejectAll(() => new SignedOutError())],
    ['times out', ({ clock }) => clock.advance(30_000)],
  ])('leaves no listener behind if it %s', async (_, end) => {
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

  it('can be removed from any position in a queue of 50,000 entries', async () => {
    const { queue, hold, clock } = queueOf()
    const signals = Array.from({ length: 50_000 }, plainSignal)
    const held = signals.map((signal, owner) => hold(owner, { signal }))
    expect(queue.size).toBe(50_000)
    // Every second entry, from the middle outwards.
    for (let step = 0; step < 25_000; step++) {
      const offset = (step % 2 === 0 ? 1 : -1) * 2 * Math.ceil(step / 2)
      signals[(25_000 + offset + 50_000) % 50_000]?.abort()
    }
    expect(queue.size).toBe(25_000)
    const owners: number[] = []
    for (let entry = queue.shift(); entry; entry = queue.shift()) {
      owners.push(entry.owner)
      entry.release('go')
    }
    expect(owners).toEqual([...owners].sort((a, b) => a - b))
    await settled()
    const states = held.map(({ state }) => state)
    expect(states.filter((state) => state === 'fulfilled')).toHaveLength(25_000)
    expect(states.filter((state) => state === 'rejected')).toHaveLength(25_000)
    expect(clock.pending).toBe(0)
  })
})

describe('an entry with a callback', () => {
  it('calls it once, when it begins to wait', () => {
    const { queue, hold } = queueOf({ limit: 1 })
    let calls = 0
    const onHeld = () => {
      calls++
      expect(queue.size).toBe(0)
    }
    hold(0, { onHeld })
    expect(calls).toBe(1)
    hold(0, { onHeld })
    hold(0, { onHeld, signal: AbortSignal.abort() })
    expect(calls).toBe(1)
  })
})

describe('an entry with its own timeout', () => {
  it('waits no longer than its own timeout or the default', async () => {
    const { clock, hold } = queueOf({ timeout: 100 })
    const [short, long] = [hold(0, { timeout: 40 }), hold(0, { timeout: 400 })]
    await clock.advance(39)
    expect(short.state).toBe('pending')
    await clock.advance(1)
    expect(short.error).toMatchObject({ code: 'hold_timeout' })
    expect(long.state).toBe('pending')
    await clock.advance(60)
    expect(long.state).toBe('rejected')
    expect(clock.pending).toBe(0)
  })

  it.each([0, -5])('does not wait at all if the timeout is %i', async (timeout) => {
    const { clock, hold } = queueOf()
    const held = hold(0, { timeout })
    await clock.advance(0)
    expect(held.state).toBe('rejected')
  })

  it('waits for the default timeout if its own is NaN', async () => {
    const { clock, hold } = queueOf({ timeout: 100 })
    const held = hold(0, { timeout: Number.NaN })
    await clock.advance(99)
    expect(held.state).toBe('pending')
    await clock.advance(1)
    expect(held.state).toBe('rejected')
  })
})

describe('any sequence of operations on the hold queue', () => {
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

  /** Each entry arrives at another wall-clock time, and the clock is back before any timer can run. */
  const clockSetToAndFro: Step[] = [76, 25, -101].flatMap((ms) => [
    { do: 'hold', owner: 0, abortable: false },
    { do: 'jump', ms },
  ])

  it('settles each entry exactly once and in time, and leaves nothing behind', async () => {
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
          else if (action.do === 'release') queue.shift()?.release('go')
          else if (action.do === 'reject') {
            queue.rejectAll(() => new SignedOutError(), action.owner)
          } else if (action.do === 'advance') await clock.advance(action.ms)
          else clock.jump(action.ms)
          await settled()
          expect(queue.size).toBe(held.filter(({ settlements }) => settlements === 0).length)
        }
        // Twice the timeout, because the shared timer may have to check once more after a jump.
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
