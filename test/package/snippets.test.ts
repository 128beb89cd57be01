import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { problemsIn, root, type Snippet, snippetsOf } from './readme-source.ts'

const PAGES = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.md'))
const read = (page: string) => readFileSync(new URL(`docs/${page}`, root), 'utf8')

/** Code that must not compile, with its error. */
const WRONG: readonly (readonly [code: string, problem: string])[] = [
  [
    "import { createAuth } from 'authchart'; createAuth({ refresh: () => ({}), retries: 3 })",
    "'retries' does not exist",
  ],
  [
    "import { createAuthFetch } from 'authchart'; createAuthFetch",
    "no exported member named 'createAuthFetch'",
  ],
  ["import { oauth1 } from 'authchart/oauth1'; oauth1", "Cannot find module 'authchart/oauth1'"],
  [
    "import { authTestModel } from 'authchart/testing'; authTestModel({ events: { signsIn: () => {} } })",
    "'signsIn' does not exist",
  ],
  [
    "import { inState } from 'authchart/testing'; await inState('expired', { lifeTime: 3 })",
    "'lifeTime' does not exist",
  ],
  [
    "import { connectAuth } from 'authchart/worker'; connectAuth(new Worker('x'), { patience: 1 })",
    "'patience' does not exist",
  ],
  [
    "import { inspectAuth } from 'authchart/inspect'; declare const auth: import('authchart').Auth; inspectAuth(auth, () => {}, { nam: 'x' })",
    "'nam' does not exist",
  ],
]

const controls = WRONG.map(
  ([code], index): Snippet => ({
    page: `control ${index}`,
    name: '',
    heading: '',
    line: 1,
    language: 'ts',
    prelude: '',
    code,
  }),
)

describe('the snippets of the README, of docs/ and of visualizations/', () => {
  const pages = ['README.md', 'visualizations/README.md', ...PAGES.map((page) => `docs/${page}`)]

  it.each(pages)('every snippet of %s is found', (page) => {
    const text = readFileSync(new URL(page, root), 'utf8')
    expect(snippetsOf(page)).toHaveLength(text.match(/^```tsx?$/gm)?.length ?? 0)
  })

  it('the snippets compile with the options of this repository, which reject wrong code', () => {
    const snippets = pages.flatMap((page) => snippetsOf(page))
    expect(snippets.length).toBeGreaterThan(80)
    expect(problemsIn([...snippets, ...controls])).toEqual(
      WRONG.map(([, problem], index) =>
        expect.stringMatching(new RegExp(`^control ${index}:2 .*${problem}`)),
      ),
    )
  }, 120_000)
})

describe('the pages of docs/', () => {
  it.each(PAGES)('%s links only to existing pages and headings', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false
      const [path = '', anchor] = link.split('#')
      try {
        const text = readFileSync(new URL(path, new URL(`docs/${page}`, root)), 'utf8')
        return anchor !== undefined && !anchorsOf(text).includes(anchor)
      } catch {
        return true
      }
    })
    expect(broken).toEqual([])
  })
})

/** The anchors that GitHub creates from headings. */
const anchorsOf = (text: string) =>
  (text.match(/^#+ .*$/gm) ?? []).map((heading) =>
    heading
      .replace(/^#+ /, '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
