import { expect, it } from 'vitest'
import { LossWatch } from '../../src/server/loss-watch.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'

/** A database whose turns are suspect if the test says so. */
function setUp() {
  const clock = createVirtualClock()
  const state = { isSuspect: true, isDown: false, isNeeded: true, looks: 0, writes: 0, losses: 0 }
  const fleet = {
    async acquire() {
      state.looks++
      if (state.isDown) throw new Error('down')
      return { result: 'granted', fence: 1, interrupted: undefined, isSuspect: state.isSuspect } as const
    },
    async replace() {
      state.writes++
      return 'written' as const
    },
  }
  const watch = new LossWatch(
    fleet,
    clock,
    () => state.isNeeded,
    () => state.losses++,
  )
  return { clock, state, watch }
}

it('reports a loss after the first look, also if the database was down meanwhile', async () => {
  const { clock, state, watch } = setUp()
  watch.start()
  await clock.advance(0)
  state.isSuspect = false
  await clock.advance(10_000)
  expect(state).toMatchObject({ writes: 1, losses: 0 })
  state.isDown = true
  state.isSuspect = true
  await clock.advance(5_000)
  expect(state.losses).toBe(0)
  state.isDown = false
  await clock.advance(500)
  expect(state).toMatchObject({ writes: 2, losses: 1 })
  watch.stop()
  expect(clock.pending).toBe(0)
})

it('looks seldom at a database that always seems to be another one', async () => {
  const { clock, state, watch } = setUp()
  watch.start()
  await clock.advance(600_000)
  expect(state.losses).toBeLessThan(30)
})

it('stops when it is not needed, and starts again', async () => {
  const { clock, state, watch } = setUp()
  watch.start()
  watch.start()
  state.isNeeded = false
  await clock.advance(10_000)
  expect([state.looks, clock.pending]).toEqual([1, 0])
  state.isNeeded = true
  watch.start()
  await clock.advance(0)
  expect([state.looks, clock.pending]).toEqual([2, 1])
})
