/** Runs the portable suite in one runtime, and judges the report. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundle } from './portable/bundle.ts'
import { GROUPS, type Group } from './portable/files.ts'
import type { Report } from './portable/run.ts'
import type { Result } from './results.ts'
import type { Difference, Runtime } from './runtimes.ts'

/** Inside the package, so that the bundles can import it by its name. */
const FOLDER = fileURLToPath(new URL('../../.matrix/', import.meta.url))

/** Minutes until a group is given up. */
const PATIENCE = 10

/** Starts a script, and returns the report on the last line of its output. */
async function reportOf({ name, launcher, run }: Runtime, script: string, group: Group): Promise<Report> {
  const child = spawn(launcher, run(script), {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE * 60_000,
  })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const last = output.stdout.trimEnd().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(last) as Report
  } catch {
    throw new Error(`${name}, ${group}: no report, exit ${code ?? signal}\n${output.stderr.slice(-3_000)}`)
  }
}

export interface Judged {
  readonly passed: number
  readonly failed: readonly string[]
  /** How many failures each difference explains. */
  readonly explained: ReadonlyMap<Difference, number>
}

/** Sorts the failures of a report into those that a known difference explains, and the others. */
export function judge({ passed, failures, skipped }: Report, differences: readonly Difference[]): Judged {
  const failed: string[] = skipped.map((title) => `${title}: skipped`)
  const explained = new Map<Difference, number>()
  for (const { title, message } of failures) {
    const difference = differences.find(({ tests }) => tests.test(title))
    if (difference) explained.set(difference, (explained.get(difference) ?? 0) + 1)
    else failed.push(`${title}: ${message.split('\n', 1)[0]}`)
  }
  if (passed === 0) failed.push('No test ran.')
  return { passed, failed, explained }
}

/**
 * Runs groups of the portable suite in a runtime.
 *
 * @param isWhole whether all groups run, so that each known difference must show
 */
export async function runIn(runtime: Runtime, groups: readonly Group[], isWhole: boolean): Promise<Result> {
  mkdirSync(FOLDER, { recursive: true })
  const passed: Record<string, number> = {}
  const failed: string[] = []
  const explained = new Map<Difference, number>()
  for (const group of groups.filter((group) => runtime.groups.includes(group))) {
    const script = `${FOLDER}${runtime.name.toLowerCase().replace(' ', '-')}-${group}.mjs`
    const files = GROUPS[group].filter((file) => !runtime.without.test(file))
    await bundle(files, runtime.starter, script, runtime.bundling)
    const judged = judge(await reportOf(runtime, script, group), runtime.differences)
    passed[group] = judged.passed
    failed.push(...judged.failed)
    for (const [difference, tests] of judged.explained)
      explained.set(difference, (explained.get(difference) ?? 0) + tests)
  }
  if (isWhole) {
    const gone = runtime.differences.filter((difference) => !explained.has(difference))
    failed.push(...gone.map(({ tests }) => `The known difference ${tests} does not exist any more.`))
  }
  return {
    name: runtime.name,
    version: runtime.version(),
    passed,
    failed,
    differences: [...explained].map(([{ reason, link }, tests]) => ({
      reason,
      ...(link && { link }),
      tests,
    })),
  }
}
