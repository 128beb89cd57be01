/**
 * `npm run test:matrix`: runs the portable suite in every runtime and the page suites in every browser, and writes the results.
 *
 * - `--only 'Bun,Node 26'`: these runtimes and browsers only; the results of the others are kept
 * - `--groups transports,stores`: these groups of the portable suite only; writes no results
 * - `--seconds 60`: how long eight tabs send requests in each browser. Default: 8
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { BROWSERS } from './browsers.ts'
import { GROUPS, type Group } from './portable/files.ts'
import { type Result, writeResults } from './results.ts'
import { runInBrowser } from './run-browser.ts'
import { runIn } from './run-runtime.ts'
import { isInstalled, RUNTIMES } from './runtimes.ts'
import { writeTables } from './tables.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const order = [...RUNTIMES, ...BROWSERS].map(({ name }) => name)

const { values } = parseArgs({
  options: { only: { type: 'string' }, groups: { type: 'string' }, seconds: { type: 'string' } },
})
const only = values.only?.split(',').map((name) => name.trim().toLowerCase())
const groups = (values.groups?.split(',') ?? Object.keys(GROUPS)) as Group[]
const unknown = [
  ...(only?.filter((name) => !order.some((each) => each.toLowerCase() === name)) ?? []),
  ...groups.filter((group) => !(group in GROUPS)),
]
if (unknown.length > 0) throw new TypeError(`Unknown: ${unknown.join(', ')}`)

const isChosen = ({ name }: { readonly name: string }) => !only || only.includes(name.toLowerCase())
const chosen = RUNTIMES.filter(isChosen)
/** They run suites of their own, no groups. */
const browsers = values.groups ? [] : BROWSERS.filter(isChosen)

const npm = (...args: string[]) => execFileSync('npm', args, { cwd: ROOT, stdio: 'inherit', shell: true })
if (!chosen.every(isInstalled)) npm('ci', '--prefix', 'test/matrix', '--no-audit', '--no-fund')
if (!existsSync(`${ROOT}dist/index.js`)) npm('run', 'build')

const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string }

function print({ name, version, passed, failed, differences }: Result, seconds: number): void {
  const total = Object.values(passed).reduce((sum, count) => sum + count, 0)
  console.log(`${name} ${version}: ${total} passed, ${failed.length} failed, ${seconds.toFixed(0)} s`)
  for (const title of failed) console.log(`  ${title}`)
  for (const { reason, tests } of differences) console.log(`  different in ${tests} tests: ${reason}`)
  if (failed.length > 0) process.exitCode = 1
}

const runs = [
  ...chosen.map((runtime) => () => runIn(runtime, groups, !values.groups)),
  ...browsers.map((browser) => () => runInBrowser(browser, Number(values.seconds ?? 8))),
]
for (const run of runs) {
  const begin = performance.now()
  const result = await run()
  print(result, (performance.now() - begin) / 1_000)
  if (!values.groups) writeTables(writeResults(result, order, version))
}
