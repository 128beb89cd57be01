// Prepares a release: `npm run release`. Checks everything, raises the version as the changesets say, moves their texts to
// CHANGELOG.md, commits and tags. Pushing the tag is left to you, and publishing to a workflow, because npm signs where a package
// comes from only there. `--dry-run` builds, checks and packs, says what would follow, and changes nothing.
import { execFileSync, spawnSync } from 'node:child_process'
import { cwd } from 'node:process'
import { parseArgs } from 'node:util'
import { nextVersion } from './next-version.mjs'

const { values: flags } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false } },
})
const dryRun = flags['dry-run']

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()

function run(command, ...args) {
  console.log(`\n> ${command} ${args.join(' ')}`)
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status === 0) return
  console.error(`\nNot released: ${command} ${args.join(' ')} failed.`)
  process.exit(1)
}

const { version, apply } = await nextVersion(cwd())

/** Reasons not to release. A dry run only prints them. */
function obstacles() {
  const branch = git('branch', '--show-current')
  return [
    ...(git('status', '--porcelain') === '' ? [] : ['there are changes that are not committed']),
    ...(branch === 'main' ? [] : [`the branch is ${branch || 'detached'}, not main`]),
    ...(version ? [] : ['.changeset has nothing to release']),
    ...(version && git('tag', '--list', `v${version}`) !== '' ? [`the tag v${version} exists`] : []),
  ]
}

const found = obstacles()
for (const obstacle of found) console.log(`${dryRun ? 'note' : 'Not released'}: ${obstacle}.`)
if (found.length > 0 && !dryRun) process.exit(1)

if (dryRun) {
  run('npm', 'run', '--silent', 'typecheck')
  run('npm', 'run', '--silent', 'lint')
} else {
  // Includes types, lint and build.
  run('npm', 'test')
  await apply()
  run('npm', 'install', '--package-lock-only', '--ignore-scripts')
}
run('npm', 'run', '--silent', 'build')
run('npm', 'run', '--silent', 'size')
// Packs, and checks the tarball instead of the working tree.
run('npm', 'run', '--silent', 'package')

if (dryRun) run('npm', 'run', '--silent', 'changes')
else {
  run('git', 'commit', '--all', '--message', `release: ${version}`)
  run('git', 'tag', '--annotate', `v${version}`, '--message', version)
  console.log(`\nReady. Now: git push --follow-tags. The tag is published with npm publish, in a workflow.`)
}
