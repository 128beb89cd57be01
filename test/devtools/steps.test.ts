import { describe, expect, it } from 'vitest'
import type { AuthEmitted } from '../../machines/index.ts'
import { mapLayout, overviewLayout } from '../../src/devtools/chart/layouts.ts'
import { firedEdges } from '../../src/devtools/panel/fired-edges.ts'
import { entered, pathsOf } from '../../src/devtools/recording/active-states.ts'
import { record } from '../../src/devtools/recording/recorder.ts'
import type { Recording } from '../../src/devtools/recording/recording.ts'
import { authTestModel, createTestBed, type TestBed, testBedDrivers } from '../../src/testing/index.ts'
import { scenarios } from '../model/scenarios.ts'

/** States that tell nobody when they are entered: what is within `restoring`, and the limits, which are always watched. */
const UNTOLD = /^(restoring\.|refreshing\.limits)/

const toldOf = (paths: readonly string[]) => paths.filter((path) => !UNTOLD.test(path)).sort()

/** Of the ways of the model, each has many steps in common with the next. */
const EVERY = 8

describe.each(scenarios)('a recording of $name', ({ name: _, happens, ...settings }) => {
  it('has the states that the chart was in, and the arrows between them', async () => {
    const model = authTestModel<TestBed>({
      ...settings,
      events: Object.fromEntries(happens.map((event) => [event, testBedDrivers[event]])),
    })
    const paths = model.shortestPaths().filter((_, index) => index % EVERY === 0)
    for (const path of paths) {
      const bed = await createTestBed(settings)
      const stop = compareStates(bed)
      const recorder = record(bed.auth, { name: 'bed', now: () => bed.clock.now(), onChange() {} })
      const { active } = recorder.latest
      await path.test(bed)
      recorder.stop()
      stop()
      expect.soft(recorder.latest.active).toEqual(pathsOf(bed.auth.actor.getSnapshot().value))
      compareArrows(recorder, active)
      await bed.close()
    }
    expect(paths.length).toBeGreaterThan(0)
  }, 60_000)
})

/** What follows from the history is where the chart is, each time it comes to rest. */
function compareStates({ auth }: TestBed): () => void {
  let active: readonly string[] = []
  const hear = (event: AuthEmitted) => {
    if (event.type === 'transition') active = entered(active, event.to)
  }
  const compare = () => {
    const { value } = auth.actor.getSnapshot()
    expect.soft(toldOf(active)).toEqual(toldOf(pathsOf(value)))
  }
  auth.history.forEach(hear)
  compare()
  const stop = auth.on('*', hear)
  const subscription = auth.actor.subscribe(compare)
  return () => {
    stop()
    subscription.unsubscribe()
  }
}

/** An arrow begins where the chart was and leads to where it came; where it moved there is one, and nowhere else. */
function compareArrows({ moments }: Recording, begun: readonly string[]) {
  let before = begun
  let told: string[] = []
  moments.forEach(({ source, type, active, facts, step }, index) => {
    if (step === undefined) return
    if (source === 'told') {
      if (type === 'transition') told.push(String(facts.to))
      return
    }
    for (const layout of [mapLayout, overviewLayout]) {
      const fired = firedEdges(layout, moments, index)
      // Within one step the chart may go on from where it has just come to.
      const places = [...before, ...told, ...active]
      for (const id of fired) {
        const transitions = layout.edges.find((edge) => edge.id === id)?.transitions ?? []
        const fits = transitions.some(
          ({ source, target }) => (source === '' || places.includes(source)) && places.includes(target),
        )
        expect.soft(fits, `${type}: ${id}`).toBe(true)
      }
      // Where a sign-in that failed leads back to is not in the overview.
      const isDrawn = layout === mapLayout || type !== 'xstate.error.actor.0.auth.authenticating'
      if (isDrawn && before[0] !== active[0])
        expect.soft(fired.length, `${type}: ${before} → ${active}`).toBeGreaterThan(0)
      if (told.length === 0 && before.join() === active.join()) expect.soft(fired, type).toEqual([])
    }
    before = active
    told = []
  })
}
