/** All suites of the matrix can be bundled for other runtimes, also those that CI does not run there. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { bundle } from './portable/bundle.ts'
import { GROUPS } from './portable/files.ts'

it.each(Object.entries(GROUPS))(
  'the tests of %s use only what the package exports',
  async (_, files) => {
    const folder = mkdtempSync(join(tmpdir(), 'authchart-bundles-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await expect(bundle(files, { start: 'start.ts' }, join(folder, 'tests.mjs'))).resolves.toBeUndefined()
  },
  60_000,
)
