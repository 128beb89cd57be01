import { describe, expect, it } from 'vitest'
import { REQUEST_GATE } from '../../src/core/auth.ts'
import type { RequestWatch } from '../../src/core/requests/transport-request.ts'
import { createHarness } from '../core/auth-setup.ts'
import { labelsOf, recording, refreshOnce } from './recorder-harness.ts'

describe('record', () => {
  it('discards past moments and keeps the current state when it is cleared', async () => {
    const made = createHarness()
    await refreshOnce(made, 2)
    let changes = 0
    const recorder = recording(made, () => {
      changes++
    })
    const { moments, lanes, latest } = recorder
    const before = changes

    recorder.clear()

    expect([recorder.moments, recorder.lanes]).toEqual([[], []])
    expect([recorder.moments === moments, recorder.lanes === lanes]).toEqual([true, true])
    expect(recorder.latest).toBe(latest)
    expect(changes).toBe(before + 1)
    await refreshOnce(made, 3)
    expect(labelsOf(recorder)[0]).toBe('emitted transition')
    expect(recorder.latest.session.generation).toBe(3)
    recorder.stop()
  })

  it('keeps at most two thousand moments', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const recorder = recording(made)
    for (let n = 2; recorder.moments.length < 2000; n++) await refreshOnce(made, n)
    const [, second] = recorder.moments.slice(-2000)

    await refreshOnce(made, 1_000_000)

    expect(recorder.moments).toHaveLength(2000)
    expect(recorder.moments).not.toContain(second)
    expect(recorder.latest).toBe(recorder.moments.at(-1))
    recorder.stop()
  })

  it('removes all listeners and timers when it is stopped', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const { auth, clock } = made
    const actor = auth.actor as unknown as {
      observers: Set<unknown>
      eventListeners: Map<string, Set<unknown>>
    }
    const listening = () => [
      actor.observers.size,
      actor.eventListeners.get('*')?.size,
      clock.pending,
      auth[REQUEST_GATE].watch as RequestWatch | undefined,
    ]
    const before = listening()
    let inspectors = 0
    const { system } = auth.actor
    const inspect = system.inspect.bind(system)
    system.inspect = (observer) => {
      const subscription = inspect(observer)
      inspectors++
      return {
        unsubscribe() {
          inspectors--
          subscription.unsubscribe()
        },
      }
    }
    const recorder = recording(made)
    expect(listening()).not.toEqual(before)
    expect(inspectors).toBeGreaterThan(0)

    recorder.stop()

    expect(listening()).toEqual(before)
    expect(inspectors).toBe(0)
    recorder.stop()
    expect(listening()).toEqual(before)
    const { length } = recorder.moments
    await refreshOnce(made, 2)
    expect(recorder.moments).toHaveLength(length)
  })

  it('records the end of the session, and nothing after it', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const recorder = recording(made)

    made.auth.dispose()

    expect(recorder.latest).toMatchObject({ source: 'chart', type: 'end', active: ['disposed'] })
    expect(recorder.latest).toBe(recorder.moments.at(-1))
    const { length } = recorder.moments
    recorder.stop()
    expect(recorder.moments).toHaveLength(length)
  })

  it('does not affect other recorders when it is stopped', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const [one, other] = [recording(made), recording(made)]

    one.stop()
    await refreshOnce(made, 2)

    expect(other.latest.session.generation).toBe(2)
    other.stop()
  })
})
