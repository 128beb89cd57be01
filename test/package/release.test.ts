import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { REQUEST_GATE } from '../../src/core/auth.ts'
import { temporaryFolder } from '../storage/child.ts'
import { read, root } from './readme-source.ts'

const manifest = JSON.parse(read('package.json'))

interface Next {
  readonly version: string | undefined
  apply(): Promise<unknown>
}

const script = new URL('scripts/next-version.mjs', root).href
const { nextVersion } = (await import(script)) as { nextVersion(folder: string): Promise<Next> }

/** Releases a package with these changesets. Returns its version and its changelog. */
async function release(...changes: readonly (readonly [kind: string, text: string])[]) {
  const folder = temporaryFolder()
  const write = (path: string, text: string) => writeFileSync(join(folder, path), text)
  mkdirSync(join(folder, '.changeset'))
  mkdirSync(join(folder, 'scripts'))
  write('package.json', JSON.stringify({ name: 'authchart', version: '0.2.0' }))
  write('package-lock.json', '{}')
  write('CHANGELOG.md', '# Changelog\n\nAll notable changes.\n\n## 0.2.0 - 2026-01-01\n\n- Older.\n')
  for (const path of ['.changeset/config.json', '.changeset/README.md', 'scripts/changelog.cjs'])
    write(path, read(path))
  for (const [index, [kind, text]] of changes.entries())
    write(`.changeset/${index}.md`, `---\n'authchart': ${kind}\n---\n\n${text}\n`)
  const next = await nextVersion(folder)
  await next.apply()
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return { version, next: next.version, changelog: readFileSync(join(folder, 'CHANGELOG.md'), 'utf8') }
}

describe('a release', () => {
  it('raises the version by the largest change, and moves the texts as they are written', async () => {
    const { version, next, changelog } = await release(
      ['patch', '- One fault.\n- Another one.'],
      ['minor', 'A [page](../docs/a.md).'],
    )
    expect([version, next]).toEqual(['0.3.0', '0.3.0'])
    expect(changelog).toContain('## 0.3.0')
    expect(changelog).toContain('- One fault.\n- Another one.\n')
    expect(changelog).toContain('- A [page](docs/a.md).\n')
    expect(changelog.indexOf('0.3.0')).toBeLessThan(changelog.indexOf('0.2.0'))
  })

  it('raises the last number if there are only fixes', async () => {
    expect((await release(['patch', 'A fault.'])).version).toBe('0.2.1')
  })

  it('has no version without changesets', async () => {
    expect((await release()).next).toBeUndefined()
  })

  it('lets copies of one minor version of the package work together, and of no other', async () => {
    const { version = manifest.version } = await nextVersion(fileURLToPath(root))
    const [, minor] = version.split('.')
    expect(REQUEST_GATE.description).toBe(`authchart.gate/${minor}`)
  })

  it('has changesets that name this package and a kind of change', () => {
    const names = readdirSync(new URL('.changeset', root)).filter((name) => name.endsWith('.md'))
    for (const name of names.filter((one) => one !== 'README.md'))
      expect(read(`.changeset/${name}`), name).toMatch(/^---\n'authchart': (major|minor|patch)\n---\n\n\S/)
  })
})

describe('package.json', () => {
  it('names the repository, its issues and its home page, and is published with provenance', () => {
    const url = 'https://github.com/authchart/authchart'
    expect(manifest.repository).toEqual({ type: 'git', url: `git+${url}.git` })
    expect(manifest.bugs).toBe(`${url}/issues`)
    expect(manifest.homepage).toBe(`${url}#readme`)
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true })
  })
})

describe.each(readdirSync(new URL('.github/workflows', root)))('the workflow %s', (name) => {
  const text = read(`.github/workflows/${name}`)
  const commands = [...text.matchAll(/- run: (.+)/g)].map(([, command = '']) => command)

  it('runs what the repository has', () => {
    expect(commands.length).toBeGreaterThan(0)
    for (const command of commands) {
      const [, script] = /^npm run (\S+)/.exec(command) ?? []
      if (script) expect(manifest.scripts, command).toHaveProperty(script)
      else if (!command.startsWith('npm ')) expect(existsSync(new URL(command, root)), command).toBe(true)
    }
  })

  it('may only read the repository, and keeps no credentials', () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m)
    expect(text.split('persist-credentials: false').length).toBe(text.split('actions/checkout@').length)
    expect(text).not.toMatch(/secrets\./)
  })
})
