// Runs what CI runs. The last line is the verdict: `N passed, N failed`. It counts each test, the size check and the package
// check. A step that fails without a failing test counts as one failure, so the verdict and the exit code always agree.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const totals = { passed: 0, failed: 0, skipped: 0 }

/** Runs one command, and prints its name and duration. Returns whether it exited with 0. */
function step(name, command, ...args) {
  console.log(`\n=== ${name}`)
  const start = performance.now()
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) console.error(error.message)
  const verdict = status === 0 ? 'ok' : 'FAILED'
  console.log(`=== ${name}: ${verdict} in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return status === 0
}

const script = (name, ...args) => step(name, 'npm', 'run', '--silent', name, ...args)

/** Runs the steps that the verdict does not count, up to the first that fails. */
function prepare() {
  return (
    script('typecheck') &&
    script('lint') &&
    script('build') &&
    (!existsSync('visualizations/generate.ts') || script('visualize', '--', '--check'))
  )
}

function check(name) {
  if (script(name)) totals.passed += 1
  else totals.failed += 1
}

/** Runs the tests of some projects of `vitest.config.ts`. */
function runVitest(name, ...options) {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  const reportFile = join(directory, `${name}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const ok = step(name, process.execPath, vitest, 'run', ...options, ...reporters)
  const before = totals.failed
  const passedBefore = totals.passed
  count(existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, 'utf8')).testResults : [])
  // Unhandled errors, a missed coverage threshold, a crash: the run failed, although no test did.
  if (!ok && totals.failed === before) fail('vitest failed outside the tests: see above')
  if (totals.passed === passedBefore && totals.failed === before) fail('no test ran')
}

function count(testFiles) {
  for (const { status, assertionResults } of testFiles) {
    const failed = assertionResults.filter((result) => result.status === 'failed').length
    totals.passed += assertionResults.filter((result) => result.status === 'passed').length
    // A file that fails to load, or whose hooks fail, has no failed test.
    totals.failed += status === 'failed' ? Math.max(failed, 1) : failed
    totals.skipped += assertionResults.filter(
      ({ status }) => status !== 'passed' && status !== 'failed',
    ).length
  }
}

function fail(reason) {
  console.error(reason)
  totals.failed += 1
}

const directory = mkdtempSync(join(tmpdir(), 'authchart-test-'))
try {
  if (prepare()) {
    runVitest('test-unit', '--coverage', '--project=unit', '--project=ports')
    runVitest('test-system', '--project=system')
    if (process.env.CI && totals.skipped > 0) fail('skipped tests are not accepted in CI')
    check('size')
    check('package')
  } else {
    totals.failed += 1
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}

const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
console.log(`\n${totals.passed} passed, ${totals.failed} failed${skipped}`)
process.exitCode = totals.failed > 0 ? 1 : 0
