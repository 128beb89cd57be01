/** Runs the suites for all browsers in one of them, and judges the report. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BROWSER_SUITES, type MatrixBrowser } from './browsers.ts'
import type { Report } from './portable/run.ts'
import type { Result } from './results.ts'
import { judge } from './run-runtime.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface BrowserRunOptions {
  /** Default: all suites. */
  readonly suites?: readonly string[]
  /** Only tests whose names match. */
  readonly tests?: RegExp
  /** How long eight tabs send requests, in seconds. */
  readonly seconds?: number
}

/** What the JSON reporter of Vitest writes about one file. */
interface FileResult {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly fullName: string
    readonly failureMessages: readonly string[]
  }[]
}

function reportOn(files: readonly FileResult[]): Report {
  const failures = files.flatMap(({ name, status, message, assertionResults }) => {
    const file = name.slice(ROOT.length)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    // A file that fails to load, or whose hooks fail, has no failed test.
    if (status === 'failed' && failed.length === 0) return [{ title: file, message }]
    return failed.map(({ fullName, failureMessages }) => ({
      title: `${file}: ${fullName}`,
      message: failureMessages[0] ?? '',
    }))
  })
  const passed = files.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'passed'),
  ).length
  // What the driver of a browser cannot do is skipped there.
  return { passed, failures, skipped: [] }
}

/** Runs suites with Vitest. Their output is that of this process. */
export async function reportIn(
  { engine }: MatrixBrowser,
  { suites = BROWSER_SUITES, tests, seconds = 8 }: BrowserRunOptions,
): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'authchart-matrix-'))
  const outputFile = join(folder, 'report.json')
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VITEST|CI$)/.test(name))
  const child = spawn(
    process.execPath,
    [
      ...['node_modules/vitest/vitest.mjs', 'run', '--maxWorkers=2'],
      ...['--reporter=json', `--outputFile=${outputFile}`, ...suites],
      ...(tests ? ['--testNamePattern', tests.source] : []),
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...Object.fromEntries(inherited), AUTHCHART_ENGINE: engine, AUTHCHART_SECONDS: `${seconds}` },
    },
  )
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  try {
    await once(child, 'close')
    return reportOn(
      (JSON.parse(readFileSync(outputFile, 'utf8')) as { testResults: FileResult[] }).testResults,
    )
  } catch (cause) {
    throw new Error(`${engine}: no report\n${errors.slice(-3_000)}`, { cause })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs all suites in a browser. Each known difference must show. */
export async function runInBrowser(browser: MatrixBrowser, seconds: number): Promise<Result> {
  const { passed, failed, explained } = judge(await reportIn(browser, { seconds }), browser.differences)
  const gone = browser.differences.filter((difference) => !explained.has(difference))
  return {
    name: browser.name,
    version: browser.version(),
    passed: { browser: passed },
    failed: [...failed, ...gone.map(({ tests }) => `The known difference ${tests} does not exist any more.`)],
    differences: [...explained].map(([{ reason, link }, tests]) => ({
      reason,
      ...(link && { link }),
      tests,
    })),
  }
}
