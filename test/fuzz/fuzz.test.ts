import { expect, onTestFinished, test } from 'vitest'
import fc from '../support/property.ts'
import { search } from './fuzz.ts'

/** Lets a rejection without a handler reach the search only, and not the test runner. */
function hideFromRunner() {
  const listeners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  onTestFinished(() => {
    for (const listener of listeners) process.on('unhandledRejection', listener)
  })
}

test.each([
  ['first', 0],
  ['last', 2],
])(
  'a promise that is rejected without a handler in the %s run of a search makes that run fail',
  async (_, bad) => {
    hideFromRunner()
    let run = -1
    const attack = async () => {
      if (++run === bad) void Promise.reject(new Error('Nothing handles it'))
    }
    const error = await search(fc.constant('x'), attack, { numRuns: 3, endOnFailure: true }).catch(
      (reason) => reason,
    )
    expect(String(error?.cause)).toMatch(/without a handler/)
    expect(run).toBe(bad)
  },
)
