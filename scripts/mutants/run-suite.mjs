import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

/** The timeout of tests that set none themselves, in milliseconds. */
const TEST_TIMEOUT = 10_000

const running = new Set()

/** Ends all running suites, with their workers. */
export function killAll() {
  for (const child of running) kill(child)
}

function kill({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The process has already ended.
  }
}

/**
 * Runs one suite in a directory, up to the first test that fails.
 *
 * @param limit milliseconds after which the suite counts as hanging
 * @returns seconds, and `failure` with its `file` and `title` if a test failed
 * @throws Error if the run failed without a failing test
 */
export async function runSuite(directory, { files, env = {}, finding }, limit) {
  const report = join(directory, 'report.json')
  rmSync(report, { force: true })
  const start = performance.now()
  const { code, output } = await vitest(directory, limit, env, [
    ...files,
    '--bail=1',
    '--maxWorkers=1',
    '--cache=false',
    `--testTimeout=${TEST_TIMEOUT}`,
    '--reporter=dot',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  const seconds = (performance.now() - start) / 1_000
  if (code === 0) return { seconds, failure: undefined }
  if (code === 'hangs') {
    return { seconds, failure: { file: files[0], title: `does not end within ${limit / 1_000} s` } }
  }
  const { testResults = [] } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
  const failure = testFailure(testResults, finding) ?? fileFailure(testResults) ?? strayError(output)
  if (!failure) throw new Error(`Vitest ended with ${code}, and no test failed:\n${output}`)
  return { seconds, failure: { ...failure, file: relative(directory, resolve(directory, failure.file)) } }
}

function vitest(directory, limit, env, args) {
  const child = spawn(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...args], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: it is killed as a whole, because a worker that hangs handles no signals.
    detached: true,
  })
  running.add(child)
  let output = ''
  let hangs = false
  const collect = (chunk) => {
    output += chunk
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const timer = setTimeout(() => {
    hangs = true
    kill(child)
  }, limit)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ code: hangs ? 'hangs' : code, output })
    })
  })
}

function testFailure(testResults, finding) {
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed')
    if (!failed) continue
    const { ancestorTitles, title, failureMessages } = failed
    const found = finding?.exec(failureMessages[0] ?? '')?.[1]
    return { file: name, title: [...ancestorTitles, title, ...(found ? [found] : [])].join(' > ') }
  }
  return undefined
}

/** A file that failed while it was loaded, or in its hooks. */
function fileFailure(testResults) {
  const failed = testResults.find(({ status }) => status === 'failed')
  return failed && { file: failed.name, title: failed.message.split('\n', 1)[0] }
}

/** An unhandled rejection. Vitest can only guess the test that caused it. */
function strayError(output) {
  const [, error] = /Unhandled [^\n]*\n(\w*Error: [^\n]*)/.exec(output) ?? []
  if (error === undefined) return undefined
  const [, file = ''] = /originated in "([^"]*)"/.exec(output) ?? []
  const [, title = ''] = /latest test that might've caused the error is "([^"]*)"/.exec(output) ?? []
  return { file, title: `${title} > unhandled: ${error}` }
}
