/** The part of the matrix that CI runs: the built package on the newest Node. */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runIn } from './run-runtime.ts'
import { isInstalled, NEWEST_NODE } from './runtimes.ts'

const canRun = isInstalled(NEWEST_NODE) || process.env.CI === 'true'
if (!canRun)
  console.warn(
    'SKIPPED: the newest Node, which is not installed. Install it with `npm ci --prefix test/matrix`.',
  )

describe.skipIf(!canRun)('the built package on the newest Node', () => {
  it('passes the tests of transports, of locks between processes and of servers', async () => {
    const isBuilt = existsSync(new URL('../../dist/index.js', import.meta.url))
    expect(isBuilt, 'whether `npm run build` ran').toBe(true)
    const { passed, failed } = await runIn(NEWEST_NODE, ['transports', 'processes', 'servers'], false)
    expect(failed).toEqual([])
    expect(Object.values(passed).every((count) => count > 0)).toBe(true)
  }, 300_000)
})
