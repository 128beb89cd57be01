// Runs a command that needs the other libraries: `node bench/peers/run.mjs ../scoreboard/main.ts`. Installs them first if they
// are missing. The repository does not depend on them, so `npm ci` in the root does not install them.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const [script = '', ...args] = process.argv.slice(2)

if (!existsSync(`${here}node_modules`)) {
  console.log('Installing the libraries to compare with, into bench/peers/node_modules …')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

// The package `node` pins the runtime. Its install script may be forbidden; then the current one has to be new enough.
const pinned = `${here}node_modules/node/bin/node`
const runtime = existsSync(pinned) ? pinned : process.execPath
const [major = 0] = process.versions.node.split('.').map(Number)
if (runtime !== pinned && major < 24) {
  console.error(`The libraries need Node 24. This is ${process.version}, and ${pinned} is missing.`)
  process.exit(1)
}
const { status } = spawnSync(runtime, ['--no-warnings', '--expose-gc', `${here}${script}`, ...args], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
