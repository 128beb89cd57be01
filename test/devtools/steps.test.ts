import { describe, expect, it } from 'vitest'
import type { AuthEmitted } from '../../machines/index.ts'
import { statePaths } from '../../machines/index.ts'
import { mapLayout, overviewLayout } from '../../src/devtools/chart/layouts.ts'
import { firedEdges } from '../../src/devtools/panel/fired-edges.ts'
import { entered } from '../../src/devtools/recording/active-states.ts'
import { record } from '../../src/devtools/recording/recorder.ts'
import type { Recording } from '../../src/devtools/recording/recording.ts'
import { authTestModel, createTestBed, type TestBed, testBedDrivers } from '../../src/testing/index.ts'
import { scenarios } from '../model/scenarios.ts'

/** Only every eighth path of the model is tested, because neighbours share most of their steps. */
const EVERY = 8

describe.each(scenarios)('a recording of $name', ({ name: _, happens, ...settings }) => {
  it('contains the active states of the chart and the arrows between them', async () => {
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
      expect.soft(recorder.latest.active).toEqual(statePaths(bed.auth.actor.getSnapshot().value))
      compareArrows(recorder, active)
      await bed.close()
    }
    expect(paths.length).toBeGreaterThan(0)
  }, 180_000)
})

/** Compares the states derived from emitted events with those of the chart, after each step. */
function compareStates({ auth }: TestBed): () => void {
  let active: readonly string[] = []
  const receive = (event: AuthEmitted) => {
    if (event.type === 'transition') active = entered(active, event.to)
  }
  const compare = () => {
    const { value } = auth.actor.getSnapshot()
    expect.soft([...active].sort()).toEqual(statePaths(value).sort())
  }
  auth.history.forEach(receive)
  compare()
  const stop = auth.on('*', receive)
  const subscription = auth.actor.subscribe(compare)
  return () => {
    stop()
    subscription.unsubscribe()
  }
}

/** Checks that each arrow connects the states before and after its step, and that each change of state has an arrow. */
function compareArrows({ moments }: Recording, begun: readonly string[]) {
  let before = begun
  let targets: string[] = []
  moments.forEach(({ source, type, active, facts, step, transitions }, index) => {
    if (step === undefined) return
    if (source === 'emitted') {
      if (type === 'transition') targets.push(String(facts.to))
      return
    }
    for (const layout of [mapLayout, overviewLayout]) {
      const fired = firedEdges(layout, moments, index)
      // One step may contain several transitions, each from the target of the last one or from a child of it. The chart does
      // not emit the states that it only passes through.
      const passed = (transitions ?? []).map(({ target }) => target)
      const states = [...before, ...targets, ...active, ...passed]
      const wasActive = (path: string) =>
        path === '' || states.includes(path) || passed.some((target) => path.startsWith(`${target}.`))
      for (const id of fired) {
        const transitions = layout.edges.find((edge) => edge.id === id)?.transitions ?? []
        const fits = transitions.some(({ source, target }) => wasActive(source) && states.includes(target))
        expect.soft(fits, `${type}: ${id}`).toBe(true)
      }
      // The overview leaves out where a failed sign-in returns to.
      const isDrawn = layout === mapLayout || type !== 'xstate.error.actor.0.auth.authenticating'
      if (isDrawn && before[0] !== active[0])
        expect.soft(fired.length, `${type}: ${before} → ${active}`).toBeGreaterThan(0)
      if (transitions?.length === 0) expect.soft(fired, type).toEqual([])
    }
    before = active
    targets = []
  })
}
