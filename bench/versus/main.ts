/**
 * Compares costs with other libraries, in one process, and writes docs/benchmarks.md. It only measures; it never fails because of
 * a figure. `--quick` runs a few rounds, and prints without writing.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { environment } from '../scoreboard/versions.ts'
import { withoutNetwork } from './contestants.ts'
import { benchmarksPage, type Measured } from './page.ts'
import { measureRequests } from './requests.ts'
import { measureSessions } from './sessions.ts'
import { measureSizes } from './sizes.ts'
import { measureStorms } from './storms.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const rounds = values.quick ? { requests: 20, storms: 1 } : { requests: 300, storms: 5 }

await withoutNetwork()
// Some libraries leave rejections behind when a storm goes wrong. The scoreboard counts that; here it costs no figure.
process.on('unhandledRejection', () => {})
// Libraries explain themselves on the console; a burst of thousands of lines does not count as their cost.
const { log, error } = console
for (const name of ['warn', 'error', 'info', 'debug', 'log'] as const) console[name] = () => {}

const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
  log(`${title} …`)
  return work()
}
try {
  const measured: Measured = {
    sizes: await step('sizes', measureSizes),
    requests: await step('requests', () => measureRequests(rounds.requests)),
    storms: await step('storms', () => measureStorms(rounds.storms)),
    sessions: await step('sessions', measureSessions),
  }
  const page = benchmarksPage(measured, environment())
  log(page)
  if (!values.quick) writeFileSync('docs/benchmarks.md', page)
} catch (problem) {
  error(problem)
  process.exitCode = 1
}
// Timers of libraries may go on.
process.exit()
