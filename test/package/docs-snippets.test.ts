import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { problemsIn, root, type Snippet, snippetsOf } from './readme-source.ts'

const PAGES = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'))
const read = (page: string) => readFileSync(new URL(`docs/${page}`, root), 'utf8')

describe('the pages of docs/', () => {
  it('have snippets that compile under the rules of this repository', () => {
    // All in one program: that is what takes the time.
    const snippets = PAGES.flatMap((page, index) =>
      snippetsOf(read(page)).map(
        (snippet): Snippet => ({ ...snippet, line: (index + 1) * 10_000 + snippet.line }),
      ),
    )
    const named = problemsIn(snippets).map((problem) =>
      problem.replace(
        /README\.md:(\d+)/,
        (_, line) => `docs/${PAGES[Math.floor(line / 10_000) - 1]}:${line % 10_000}`,
      ),
    )
    expect(snippets.length).toBeGreaterThan(PAGES.length)
    expect(named).toEqual([])
  }, 120_000)

  it.each(PAGES)('%s leads to pages and headings that are there', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : path
      try {
        const text = readFileSync(new URL(target, new URL('docs/', root)), 'utf8')
        return anchor !== undefined && !anchorsOf(text).includes(anchor)
      } catch {
        return true
      }
    })
    expect(broken).toEqual([])
  })
})

/** As GitHub makes them of headings. */
const anchorsOf = (text: string) =>
  (text.match(/^#+ .*$/gm) ?? []).map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
