// Builds the documentation as a site into site/.vitepress/dist, and fails if the build warns of anything. `--serve` shows it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { writeApi } from '../site/api.ts'

const vitepress = (...args) =>
  spawnSync(process.execPath, [join('node_modules', 'vitepress', 'bin', 'vitepress.js'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })

await writeApi()
const { status, stdout, stderr } = vitepress('build', 'site')
process.stdout.write(stdout)
process.stderr.write(stderr)
const warnings = `${stdout}${stderr}`
  .split('\n')
  .filter((line) => /warn|deprecat|not loaded|falling back/i.test(line))
if (status === 0 && warnings.length > 0)
  console.error(`The build warns ${warnings.length} times. Warnings are errors.`)
process.exitCode = status || (warnings.length > 0 ? 1 : 0)
if (process.exitCode === 0 && process.argv.includes('--serve')) {
  const { status } = spawnSync(
    process.execPath,
    [join('node_modules', 'vitepress', 'bin', 'vitepress.js'), 'preview', 'site'],
    { stdio: 'inherit' },
  )
  process.exitCode = status
}
