/** The tables of supported runtimes follow from the results of `npm run test:matrix`. */
import { describe, expect, it } from 'vitest'
import { BROWSERS } from '../matrix/browsers.ts'
import { readResults } from '../matrix/results.ts'
import { RUNTIMES } from '../matrix/runtimes.ts'
import { withTables } from '../matrix/tables.ts'

const results = readResults()
const all = [...RUNTIMES, ...BROWSERS]

describe('the table of supported runtimes', () => {
  it.each([...withTables(results)])('in %s is current', (_, { is, be }) => {
    expect(is).toBe(be)
  })

  it('has a row for every runtime and browser of the matrix, and no failure', () => {
    expect(results.results.map(({ name }) => name)).toEqual(all.map(({ name }) => name))
    expect(results.results.flatMap(({ failed }) => failed)).toEqual([])
  })

  it('explains every difference by which a test fails', () => {
    for (const { name, differences } of results.results) {
      const known = all.find((each) => each.name === name)?.differences ?? []
      expect(differences.map(({ reason }) => reason).sort(), name).toEqual(
        known.map(({ reason }) => reason).sort(),
      )
    }
  })
})
