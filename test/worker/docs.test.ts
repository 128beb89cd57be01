import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, root, snippetsOf, tableUnder } from '../package/readme-source.ts'

const PAGE = readFileSync(new URL('docs/guides/worker.md', root), 'utf8')
const snippets = snippetsOf('docs/guides/worker.md')

describe('docs/guides/worker.md', () => {
  it('docs/guides/worker.md has at least three snippets', () => {
    expect(snippets.length).toBeGreaterThan(2)
  })

  it('docs/guides/worker.md lists exactly the existing options', () => {
    const options = [
      ...membersOf('src/worker/serve-auth.ts', 'ServeAuthOptions'),
      ...membersOf('src/worker/connect-auth.ts', 'ConnectAuthOptions'),
    ]
    expect(namesIn(tableUnder('Options', PAGE)).sort()).toEqual(options.sort())
  })

  it('docs/guides/worker.md lists every reason of a WorkerError', () => {
    const folder = new URL('src/worker/', root)
    const source = readdirSync(folder)
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\n')
    const reasons = new Set(
      [
        ...source.matchAll(/(?:(?:lose|fail)\(|WorkerError\(\{ reason: |'worker_failed', reason: )'(\w+)'/g),
      ].map(([, reason]) => reason),
    )
    expect(namesIn(tableUnder('When the worker fails', PAGE)).sort()).toEqual([...reasons].sort())
  })

  it('docs/guides/worker.md contains only links to existing pages and headings', () => {
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-')
    const headings = [...PAGE.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => slug(heading))
    const anchors = [...PAGE.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
    expect(anchors).toEqual(headings)
    for (const [, path = ''] of PAGE.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      expect(existsSync(new URL(path, new URL('docs/guides/worker.md', root))), path).toBe(true)
  })
})
