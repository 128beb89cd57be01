import { afterAll, describe, expect, it } from 'vitest'
import type { TransportFactory } from '../../src/testing/index.ts'
import {
  authTestModel,
  createCoverage,
  createTestBed,
  type TestBed,
  testBedDrivers,
} from '../../src/testing/index.ts'
import { scenarios } from './scenarios.ts'

/** The outcomes and events of one step have no guaranteed order. */
const sorted = <Seen extends { outcomes: readonly string[]; emitted: readonly string[] }>(seen: Seen) => ({
  ...seen,
  outcomes: [...seen.outcomes].sort(),
  emitted: [...seen.emitted].sort(),
})

/** Tests every path of every scenario: over real HTTP with a transport, in process without one. */
export function describeModel(how: string, transport?: TransportFactory) {
  const coverage = createCoverage()

  describe.each(scenarios)('$name', ({ name: _, happens, ...settings }) => {
    const model = authTestModel<TestBed>({
      ...settings,
      coverage,
      events: Object.fromEntries(happens.map((event) => [event, testBedDrivers[event]])),
      states: {
        '*': ({ look }, { value: _, matches: __, ...expected }) =>
          expect(sorted(look())).toEqual(sorted(expected)),
      },
    })
    it.each(model.shortestPaths().map((path) => [path.description, path] as const))('%s', async (_, path) => {
      const bed = await createTestBed({ ...settings, ...(transport && { transport }) })
      try {
        await path.test(bed)
      } finally {
        await bed.close()
      }
    })
  })

  afterAll(() => {
    console.log(`The paths of the model, ${how}:\n${coverage.table()}`)
    expect([coverage.states.missed, coverage.transitions.missed]).toEqual([[], []])
  })
}
