import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { root } from './readme-source.ts'

interface Changelog {
  unreleased(text: string): string
  nextVersion(text: string, current: string): string
  released(text: string, version: string, date: string): string
}

const script = new URL('scripts/changelog.mjs', root).href
const { nextVersion, released, unreleased } = (await import(script)) as Changelog

const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const manifest = JSON.parse(read('package.json'))

const changelog = (...headings: string[]) =>
  `# Changelog\n\n## Unreleased\n${headings.map((one) => `\n### ${one}\n\n- A line.\n`).join('')}\n## 0.2.0 - 2026-01-01\n`

describe('a release', () => {
  it('raises the middle number before 1.0, and the last one if there are only fixes', () => {
    expect(nextVersion(changelog('Added', 'Fixed'), '0.2.0')).toBe('0.3.0')
    expect(nextVersion(changelog('Removed'), '0.2.3')).toBe('0.3.0')
    expect(nextVersion(changelog('Fixed'), '0.2.0')).toBe('0.2.1')
  })

  it('raises the first number from 1.0 on if something was removed', () => {
    expect(nextVersion(changelog('Removed', 'Added'), '1.4.2')).toBe('2.0.0')
    expect(nextVersion(changelog('Added'), '1.4.2')).toBe('1.5.0')
    expect(nextVersion(changelog('Fixed'), '1.4.2')).toBe('1.4.3')
  })

  it('is refused if nothing changed', () => {
    expect(() => nextVersion(changelog(), '0.2.0')).toThrow('nothing to release')
  })

  it('moves the changes under the version and its date, and leaves an empty part for the next ones', () => {
    const after = released(changelog('Fixed'), '0.2.1', '2026-02-03')
    expect(unreleased(after)).toBe('')
    expect(after).toContain('## 0.2.1 - 2026-02-03\n\n### Fixed\n\n- A line.\n\n## 0.2.0')
  })

  it('the changelog of this package has a part for the next release, with the headings of Keep a Changelog', () => {
    const text = read('CHANGELOG.md')
    expect(text).toMatch(/^## Unreleased$/m)
    const headings = [...unreleased(text).matchAll(/^### (.*)$/gm)].map(([, heading]) => heading)
    const known = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']
    expect(headings.filter((heading = '') => !known.includes(heading))).toEqual([])
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
