// Runs the tests of each peer dependency with the lowest and with the highest version of its range: `npm run test:peers`.
// `-- --end lowest` and `-- --only vue,axios` choose. The highest is the newest version that supports this Node.
//
// Each end gets a copy of the repository with other packages in it, so that everything resolves as in an app. CI tests the
// oldest axios, ofetch and React in every run (test/transports/oldest, test/bindings/react-18), and the others as installed.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

const { values: flags } = parseArgs({
  options: { end: { type: 'string' }, only: { type: 'string' } },
})
const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))

/** The tests of each peer, and the packages that have to have the same version. */
const TESTS = {
  '@angular/core': {
    with: ['@angular/common', '@angular/compiler', '@angular/platform-browser', '@angular/router'],
    files: ['test/bindings/angular-http.test.ts', 'test/bindings/angular-signals.test.ts'],
  },
  '@connectrpc/connect': { with: ['@connectrpc/connect-node'], files: ['test/transports/connect.test.ts'] },
  '@grpc/grpc-js': { files: ['test/transports/grpc.test.ts'] },
  '@opentelemetry/api': { files: ['test/inspect/open-telemetry.test.ts'] },
  '@statelyai/inspect': { files: ['test/inspect/stately.test.ts'] },
  axios: { files: ['test/conformance/axios-http.test.ts', 'test/conformance/axios-fetch.test.ts'] },
  jose: { files: ['test/oauth2/logout.test.ts'] },
  oauth4webapi: { files: ['test/oauth2/code-flow.test.ts', 'test/oauth2/grants.test.ts'] },
  ofetch: { files: ['test/conformance/ofetch.test.ts'] },
  react: { with: ['react-dom'], files: ['test/bindings/react.test.ts'] },
  rxjs: { files: ['test/bindings/angular-interceptor.test.ts'] },
  'solid-js': { files: ['test/bindings/solid.test.ts'] },
  svelte: { files: ['test/bindings/svelte.test.ts'] },
  undici: { files: ['test/conformance/undici.test.ts', 'test/transports/undici.test.ts'] },
  vue: { files: ['test/bindings/vue.test.ts'] },
  xstate: { files: ['test/core', 'test/conformance/fetch.test.ts'] },
}

/** Peers that are tested with another one. */
const TOGETHER = { '@angular/common': '@angular/core', '@angular/router': '@angular/core' }

/** The published versions of a range, in order. Not every number that a range begins with was published. */
function versionsOf(name, range) {
  const output = execFileSync('npm', ['view', `${name}@${range}`, 'version', 'engines.node', '--json'], {
    encoding: 'utf8',
  })
  const parts = ({ version }) => version.split('.').map(Number)
  // npm leaves out a field that no version has, and then the object around the other one.
  const listed = [JSON.parse(output)].flat().map((one) => (typeof one === 'string' ? { version: one } : one))
  return listed.sort((one, other) => {
    const [a, b] = [parts(one), parts(other)]
    return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
  })
}

/** The first version, or the last one that this Node can run. */
function versionAt(end, name, range) {
  const versions = versionsOf(name, range)
  const found =
    end === 'lowest' ? versions[0] : versions.findLast((one) => supports(one['engines.node'] ?? '*'))
  if (!found) throw new Error(`No version of ${name}@${range} runs on Node ${process.version}`)
  return found.version
}

/** Whether this Node is in a range of alternatives, such as `^20.19.0 || >=22.12.0`. */
function supports(engines) {
  const [own = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
  return engines.split('||').some((clause) => {
    const [, sign = '', major = '0', minor = '0'] = /([\^>=]*)\s*v?(\d+)(?:\.(\d+))?/.exec(clause) ?? []
    if (clause.trim() === '*') return true
    if (own === Number(major)) return ownMinor >= Number(minor)
    return sign.startsWith('>') && own > Number(major)
  })
}

const only = flags.only?.split(',')
const chosen = Object.keys(peerDependencies).filter((name) => name in TESTS && (!only || only.includes(name)))
const untested = Object.keys(peerDependencies).filter((name) => !(name in TESTS) && !(name in TOGETHER))
if (untested.length > 0) throw new Error(`No tests for ${untested.join(', ')}: add them to TESTS.`)

/** A copy of the tracked and new files, with links to the installed packages. */
function copyTo(directory) {
  rmSync(directory, { recursive: true, force: true })
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  for (const file of files.trim().split('\n')) {
    mkdirSync(dirname(join(directory, file)), { recursive: true })
    cpSync(file, join(directory, file))
  }
  execFileSync('cp', ['-al', 'node_modules', join(directory, 'node_modules')])
}

const problems = []
for (const end of flags.end ? [flags.end] : ['lowest', 'highest']) {
  const directory = join('.peers', end)
  const packages = chosen.flatMap((name) => {
    const range = peerDependencies[name]
    const version = versionAt(end, name, range)
    return [name, ...(TESTS[name].with ?? [])].map((one) => `${one}@${version}`)
  })
  console.log(`\n=== ${end}: ${packages.join(' ')}`)
  copyTo(directory)
  const install = [
    'install',
    '--no-save',
    '--legacy-peer-deps',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]
  const installed = spawnSync('npm', [...install, ...packages], { cwd: directory, stdio: 'inherit' })
  if (installed.status !== 0) throw new Error('npm cannot install these versions')
  for (const name of chosen) {
    const vitest = join('node_modules', 'vitest', 'vitest.mjs')
    const { status } = spawnSync(process.execPath, [vitest, 'run', '--reporter=dot', ...TESTS[name].files], {
      cwd: directory,
      stdio: 'inherit',
    })
    console.log(`${end} ${name}: ${status === 0 ? 'ok' : 'FAILED'}`)
    if (status !== 0) problems.push(`${end} ${name}`)
  }
}
console.log(problems.length > 0 ? `\nFailed: ${problems.join(', ')}` : '\nAll ranges pass.')
process.exitCode = problems.length > 0 ? 1 : 0
