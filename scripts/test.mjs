// Runs what CI runs. The last lines name what failed, and the very last one is the verdict: `N passed, N failed`. It counts each
// test, the size check, the package check and the build of the site. A step that fails without a failing test counts as one
// failure, so the verdict and the exit code always agree.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

const totals = { passed: 0, skipped: 0 }
/** What failed, each with its reason. */
const failures = []

/** Runs one command, and prints its output and duration. Returns whether it exited with 0. */
async function step(name, command, ...args) {
  console.log(`\n=== ${name}`)
  return finish(name, performance.now(), run('inherit', command, args))
}

/** Runs a script of `package.json`. Its output follows when it ends, so that scripts can run at the same time. */
async function script(name, ...args) {
  return finish(name, performance.now(), run('pipe', 'npm', ['run', '--silent', name, ...args]))
}

function run(output, command, args) {
  const child = spawn(command, args, { stdio: ['ignore', output, output] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
  }
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ status: 1, text: message }))
    child.on('close', (status) => resolve({ status, text }))
  })
}

async function finish(name, start, running) {
  const { status, text } = await running
  if (text !== '') console.log(`\n=== ${name}\n${text.trimEnd()}`)
  const verdict = status === 0 ? 'ok' : 'FAILED'
  console.log(`=== ${name}: ${verdict} in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return status === 0
}

/** Runs the steps that the verdict does not count. The type check takes as long as the others together. */
async function prepare() {
  const others = async () =>
    (await script('lint')) &&
    (await script('build')) &&
    (!existsSync('visualizations/generate.ts') || (await script('visualize', '--', '--check')))
  const results = await Promise.all([script('typecheck'), others()])
  return results.every(Boolean)
}

async function check(name) {
  if (await script(name)) totals.passed += 1
  else fail(`${name} failed: see above`)
}

/** Runs the tests of some projects of `vitest.config.ts`. */
async function runVitest(name, ...options) {
  const vitest = join('node_modules', 'vitest', 'vitest.mjs')
  const reportFile = join(directory, `${name}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  const ok = await step(name, process.execPath, vitest, 'run', ...options, ...reporters)
  const before = failures.length
  const passedBefore = totals.passed
  count(existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, 'utf8')).testResults : [])
  // Unhandled errors, a missed coverage threshold, a crash: the run failed, although no test did.
  if (!ok && failures.length === before) fail('vitest failed outside the tests: see above')
  if (totals.passed === passedBefore && failures.length === before) fail('no test ran')
}

function count(testFiles) {
  for (const { name, status, message, assertionResults } of testFiles) {
    const failed = assertionResults.filter((result) => result.status === 'failed')
    const reasons = failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]}`)
    totals.passed += assertionResults.filter((result) => result.status === 'passed').length
    // A file that fails to load, or whose hooks fail, has no failed test.
    if (status === 'failed' && reasons.length === 0) reasons.push(message)
    for (const reason of reasons) fail(`${relative('.', name)}: ${reason.split('\n', 1)[0]}`)
    totals.skipped += assertionResults.filter(
      ({ status }) => status !== 'passed' && status !== 'failed',
    ).length
  }
}

function fail(reason) {
  failures.push(reason)
}

const directory = mkdtempSync(join(tmpdir(), 'authchart-test-'))
try {
  if (await prepare()) {
    // A suite of `system` opens the built site.
    const unit = runVitest('test-unit', '--coverage', '--project=unit', '--project=ports')
    await Promise.all([check('size'), check('package'), check('docs'), unit])
    await runVitest('test-system', '--project=system')
    if (process.env.CI && totals.skipped > 0) fail('skipped tests are not accepted in CI')
  } else fail('the type check, lint, build or drawings failed: see above')
} finally {
  rmSync(directory, { recursive: true, force: true })
}

const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''
for (const failure of failures) console.log(`FAILED ${failure.slice(0, 500)}`)
console.log(`\n${totals.passed} passed, ${failures.length} failed${skipped}`)
process.exitCode = failures.length > 0 ? 1 : 0
