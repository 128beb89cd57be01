/** The portable suite inside a page: the life of a session, and its stores, on the built package. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { bundle } from '../matrix/portable/bundle.ts'
import { GROUPS } from '../matrix/portable/files.ts'
import type { Report } from '../matrix/portable/run.ts'
import { hasBrowser } from '../support/browsers/engine.ts'
import { launchBrowser } from '../support/browsers/launch.ts'
import { openTab } from '../support/browsers/until.ts'
import { createSite } from '../support/site.ts'

/** They look into a process of Node, use its file system, listen for connections, or use a store as if there were no page. */
const NODE_ONLY = /core\/(listeners|secrets)|storage\/(encrypted|unstorage|web)|conformance/
const FILES = [...GROUPS.session, ...GROUPS.stores].filter((file) => !NODE_ONLY.test(file))

async function script(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'authchart-portable-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const outfile = join(folder, 'page.js')
  await bundle(FILES, { start: 'start-in-page.ts' }, outfile, {
    packages: 'bundle',
    platform: 'browser',
    conditions: ['module', 'import', 'browser'],
    alias: { undici: fileURLToPath(new URL('../matrix/portable/no-undici.ts', import.meta.url)) },
  })
  return readFile(outfile, 'utf8')
}

describe.skipIf(!hasBrowser)('the portable suite in a page', () => {
  it('passes: the life of a session on virtual time, and all stores', async () => {
    const site = await createSite(await script())
    onTestFinished(site.close)
    const browser = await launchBrowser()
    onTestFinished(() => browser.close())
    const tab = await openTab(await browser.newContext(), site.origin, () => location.protocol === 'http:')
    await vi.waitUntil(() => tab.evaluate(() => 'report' in globalThis), { interval: 500, timeout: 280_000 })
    const report = await tab.evaluate(() => (globalThis as unknown as { report: Report }).report)
    expect(report.failures).toEqual([])
    expect(report.skipped).toEqual([])
    expect(report.passed).toBeGreaterThan(1_000)
  }, 300_000)
})
