// Packs the package as npm would publish it, and checks the tarball, not the working tree.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const TEST_FILE = /(^|\/)(tests?|__tests__|coverage|bench|examples)\/|\.(test|spec|bench)\.[cm]?[jt]sx?$/

/** Runs a tool from node_modules/.bin. Returns whether it succeeded. */
function passes(tool, ...args) {
  console.log(`\n> ${tool}`)
  const { status } = spawnSync(join('node_modules', '.bin', tool), args, {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return status === 0
}

/** Every file that an entry of the export map refers to, without the leading `./`. */
function targets(entry) {
  return typeof entry === 'string' ? [entry.replace('./', '')] : Object.values(entry).flatMap(targets)
}

function contentProblems(files) {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
  const exported = new Set(Object.values(exports).flatMap(targets))
  const entries = files.filter((file) => /^dist\/[^/]+\.(js|d\.ts)$/.test(file))
  return [
    ...[...exported]
      .filter((file) => !files.includes(file))
      .map((file) => `${file} is exported but not packed`),
    ...entries.filter((file) => !exported.has(file)).map((file) => `${file} is packed but not exported`),
    ...files.filter((file) => TEST_FILE.test(file)).map((file) => `${file} does not belong in the package`),
    ...['LICENSE', 'README.md'].filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
  ]
}

const directory = mkdtempSync(join(tmpdir(), 'authchart-package-'))
try {
  const packed = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', directory], {
    encoding: 'utf8',
  })
  const [{ filename, files, size }] = JSON.parse(packed)
  const tarball = join(directory, filename)
  console.log(`${filename}: ${files.length} files, ${size} bytes`)

  const problems = contentProblems(files.map(({ path }) => path))
  if (!passes('publint', 'run', tarball, '--strict')) problems.push('publint found problems')
  if (!passes('attw', tarball, '--profile', 'esm-only', '--no-emoji')) problems.push('attw found problems')

  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
} finally {
  rmSync(directory, { recursive: true, force: true })
}
