/** The part of the matrix that CI runs in browsers: the most important tests in Firefox and WebKit. */
import { describe, expect, it } from 'vitest'
import { hasEngine } from '../support/browsers/engine.ts'
import { BROWSERS } from './browsers.ts'
import { reportIn } from './run-browser.ts'

const SUITES = ['storage-faults', 'tabs', 'transports'].map((name) => `test/browser/${name}.test.ts`)

const TESTS =
  /refresh once for all of them|is closed another tab|when one of them signs out|all switch to another user|parallel 401s|form part for part|after a reload|sandboxed page/

describe.each(BROWSERS.filter(({ engine }) => engine !== 'chromium'))('a session in $name', (browser) => {
  it.skipIf(!hasEngine(browser.engine))(
    'passes the tests of transports, tabs, and blocked stores',
    async () => {
      const { passed, failures } = await reportIn(browser, { suites: SUITES, tests: TESTS, seconds: 5 })
      expect(failures).toEqual([])
      expect(passed).toBeGreaterThan(10)
    },
    600_000,
  )
})
