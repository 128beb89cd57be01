import { afterAll, describe, expect, it } from 'vitest'
import type { TransportFactory } from '../../src/testing/index.ts'
import {
  authTestModel,
  createCoverage,
  createTestBed,
  type TestBed,
  type TestPath,
  testBedDrivers,
} from '../../src/testing/index.ts'
import { triedHere } from '../support/code-seed.ts'
import { scenarios } from './scenarios.ts'

/** The outcomes and events of one step have no guaranteed order. */
const sorted = <Seen extends { outcomes: readonly string[]; emitted: readonly string[] }>(seen: Seen) => ({
  ...seen,
  outcomes: [...seen.outcomes].sort(),
  emitted: [...seen.emitted].sort(),
})

/** The transports, over each of which the suite runs. */
const TRANSPORTS = ['HttpClient', 'axios-fetch', 'axios-http', 'fetch', 'ofetch'] as const

/** `EVERY_PATH=true npx vitest run test/model` runs every path over every transport. */
const runsEveryPath = process.env.EVERY_PATH === 'true'

/** CI takes half of the paths over HTTP, and other ones for other code. Each path runs in process. */
const SHARES = process.env.CI ? 2 * TRANSPORTS.length : TRANSPORTS.length
const OFFSET = triedHere([0, TRANSPORTS.length], 2)[0] ?? 0

/** Tests every path of every scenario in process. */
export const describeModelInProcess = () => describeModel('in process', () => true)

/**
 * Tests paths of every scenario over real HTTP. Each transport takes every transition of the chart, and at least one path of
 * each scenario. The other paths are distributed, so that all transports together take every path outside CI.
 */
export function describeModelOver(name: (typeof TRANSPORTS)[number], transport: TransportFactory) {
  const share = TRANSPORTS.indexOf(name) + OFFSET
  const seen = new Set<string>()
  let count = 0
  function isChosen({ transitions }: TestPath<TestBed>, index: number) {
    const isNew = transitions.some((transition) => !seen.has(transition))
    for (const transition of transitions) seen.add(transition)
    return isNew || index === 0 || count++ % SHARES === share || runsEveryPath
  }
  describeModel(`over ${name}`, isChosen, transport)
}

function describeModel(
  how: string,
  isChosen: (path: TestPath<TestBed>, index: number) => boolean,
  transport?: TransportFactory,
) {
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
    const paths = model.shortestPaths().filter(isChosen)
    it.each(paths.map((path) => [path.description, path] as const))('%s', async (_, path) => {
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
