import { describe, expect, it } from 'vitest'
import { API_PAGES, aboutEntry } from '../../site/.vitepress/api-pages.ts'
import { llmsText } from '../../site/.vitepress/llms.ts'
import * as site from '../../site/.vitepress/pages.ts'
import { DOCS, PAGES, read, SOURCES } from './readme-source.ts'

describe('the site', () => {
  it('has every page of the repository, each at a route of its own', () => {
    expect([...site.PAGES].sort()).toEqual([...PAGES].sort())
    expect(new Set(site.PAGES.map(site.routeOf)).size).toBe(site.PAGES.length)
    expect(site.routeOf('README.md')).toBe('/')
    expect(site.routeOf('docs/start/quick-start.md')).toBe('/start/quick-start')
    expect(site.routeOf('docs/decisions/README.md')).toBe('/decisions')
  })

  it('lists the pages of docs/ in four parts', () => {
    const parts = site.parts()
    expect(parts.map(({ text }) => text)).toEqual(['Start', 'Frameworks', 'Guides', 'Reference'])
    const listed = parts.flatMap(({ items }) => items.map(({ page }) => page))
    const pages = DOCS.filter((page) => !/^docs\/(?:README|decisions\/\d)/.test(page))
    expect(listed).toEqual(expect.arrayContaining(pages))
  })

  it('finds the files that links lead to, and nothing outside of the repository', () => {
    expect(site.targetOf('docs/frameworks/react.md', '../../examples/react/app.tsx')).toBe(
      'examples/react/app.tsx',
    )
    expect(site.targetOf('docs/README.md', 'decisions')).toBe('docs/decisions/README.md')
    expect(site.targetOf('docs/README.md', 'none.md')).toBeUndefined()
    expect(site.targetOf('docs/README.md', '../../etc/passwd')).toBeUndefined()
  })

  it('has a page of the API for each entry of the package, listed with what its source says of it', () => {
    expect(Object.fromEntries(API_PAGES.map(({ entry, source }) => [entry, source]))).toEqual(SOURCES)
    const page = read('docs/reference/api.md')
    for (const api of API_PAGES) {
      expect(aboutEntry(api)).toMatch(/^[A-Z`].{15,}\.$/)
      expect(page).toContain(`| [\`${api.entry}\`](../../${api.source}) | ${aboutEntry(api)} |`)
    }
  })

  it('llms.txt has a line with a summary for each page of the index', () => {
    const lines = llmsText()
      .split('\n')
      .filter((line) => line.startsWith('- '))
    expect(lines.length).toBeGreaterThan(70)
    for (const line of lines) expect(line).toMatch(/^- \[.+\]\(\/[\w./-]+\.md\): \S.{15,}$/)
  })
})
