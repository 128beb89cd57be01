// What the changesets of `.changeset` make of the package in a folder. `npm run changes` prints it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { argv, cwd } from 'node:process'
import { fileURLToPath } from 'node:url'

// CommonJS, whose default exports bundlers and Node name differently.
const require = createRequire(import.meta.url)
const { default: apply } = require('@changesets/apply-release-plan')
const { default: assemble } = require('@changesets/assemble-release-plan')
const { read: readConfig } = require('@changesets/config')
const { default: read } = require('@changesets/read')

/**
 * @returns the version that follows, or `undefined` if nothing changed; the texts of the changes; and `apply`, which moves them to
 * CHANGELOG.md, and writes the version
 */
export async function nextVersion(folder) {
  const root = { dir: folder, packageJson: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }
  // The workspaces are for tests and are never published.
  const packages = { tool: 'root', root, packages: [root] }
  const config = await readConfig(folder, packages)
  const plan = assemble(await read(folder), packages, config, undefined)
  return {
    version: plan.releases[0]?.newVersion,
    texts: plan.changesets.map(({ summary }) => summary),
    apply: () => apply(plan, packages, config),
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { version, texts } = await nextVersion(cwd())
  console.log(version ? `The next version is ${version}. Its changes:\n` : 'There is nothing to release.')
  for (const text of texts) console.log(`${text}\n`)
}
