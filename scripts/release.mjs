// Prepares a release: `npm run release`. Checks everything, raises the version, moves the changes of CHANGELOG.md under it, commits
// and tags. Pushing the tag is left to you, and publishing to a workflow, because npm signs where a package comes from only there.
// `--dry-run` builds, checks and packs, says what would follow, and changes nothing. `--version 1.0.0` sets the version.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { nextVersion, released, unreleased } from './changelog.mjs'

const { values: flags } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false }, version: { type: 'string' } },
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

const changelog = readFileSync('CHANGELOG.md', 'utf8')
const { version: current } = JSON.parse(readFileSync('package.json', 'utf8'))
const version = flags.version ?? nextVersion(changelog, current)

/** Reasons not to release. A dry run only prints them. */
function obstacles() {
  const branch = git('branch', '--show-current')
  return [
    ...(git('status', '--porcelain') === '' ? [] : ['there are changes that are not committed']),
    ...(branch === 'main' ? [] : [`the branch is ${branch || 'detached'}, not main`]),
    ...(git('tag', '--list', `v${version}`) === '' ? [] : [`the tag v${version} exists`]),
    ...(unreleased(changelog) === '' ? ['CHANGELOG.md has nothing under Unreleased'] : []),
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
  const date = new Date().toISOString().slice(0, 10)
  run('npm', 'version', version, '--no-git-tag-version', '--allow-same-version')
  writeFileSync('CHANGELOG.md', released(changelog, version, date))
}
run('npm', 'run', '--silent', 'build')
run('npm', 'run', '--silent', 'size')
// Packs, and checks the tarball instead of the working tree.
run('npm', 'run', '--silent', 'package')

if (dryRun) {
  console.log(
    `\nA release would raise ${current} to ${version}, commit, and set the tag v${version}. Its changes:\n`,
  )
  console.log(unreleased(changelog).replaceAll(/^/gm, '  '))
} else {
  run('git', 'commit', '--all', '--message', `release: ${version}`)
  run('git', 'tag', '--annotate', `v${version}`, '--message', version)
  console.log(`\nReady. Now: git push --follow-tags. The tag is published with npm publish, in a workflow.`)
}
