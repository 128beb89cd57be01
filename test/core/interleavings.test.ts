import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { settled } from '../../src/testing/virtual-clock.ts'
import { SECRET } from './auth-setup.ts'
import { createWorld, HOLD, type Scenario, scenario } from './interleavings-world.ts'

const RUNS = 300

async function live(given: Scenario) {
  let chance = given.chance
  vi.spyOn(Math, 'random').mockImplementation(() => {
    chance = (chance * 9_301 + 0.492_97) % 1
    return chance
  })
  const world = createWorld(given)
  const { auth, clock, outside, server, sent } = world
  try {
    for (const [action, pause] of given.steps) {
      world.perform(action)
      if (pause > 0) await world.pause(pause)
    }
    await world.pause(0)
    world.heal()
    // In steps, so that who waits for longer than allowed is seen waiting.
    for (let waited = 0; waited < 4 * HOLD; waited += 10_000) await world.pause(10_000)
    expect(
      sent.filter(({ settlements }) => settlements === 0),
      'I4: never settled',
    ).toEqual([])

    // With everything in order again, a session that is alive works.
    const alive = auth.session !== undefined
    world.perform({ do: 'request', after: 0, picky: false, abort: false })
    const request = sent.at(-1)
    for (let waited = 0; waited < 5; waited++) await world.pause(10_000)
    expect(request?.settlements, 'the last request settles').toBe(1)
    if (alive) expect(['authenticated', 'refreshing', 'expired']).toContain(auth.state)
    if (auth.state === 'expired') expect(server.fatalAnswers).toBeGreaterThan(0)

    const shown = JSON.stringify([
      world.events,
      auth.history,
      auth.actor.getPersistedSnapshot(),
      auth.session,
    ])
    expect(shown, 'I7').not.toContain(SECRET)
  } finally {
    auth.dispose()
    await settled()
  }
  await clock.advance(10_000)
  expect(clock.pending, 'I10: timers').toBe(0)
  expect(outside.listening, 'I10: listeners').toBe(0)
  expect(server.violations).toEqual([])
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('whatever happens, in whatever order', () => {
  it('the invariants hold', async () => {
    await fc.assert(fc.asyncProperty(scenario, live), { numRuns: RUNS })
  })
})
