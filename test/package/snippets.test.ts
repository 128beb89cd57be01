import { describe, expect, it } from 'vitest'
import { PAGES, problemsIn, read, type Snippet, snippetsOf } from './readme-source.ts'

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

/**
 * Pages of whole apps, and why the files that they name cannot be compiled here: they need types that this repository does not
 * install, or that a framework generates. `npm run test:frameworks` checks their types. The backend of each is compiled here, too.
 */
const APPS: Readonly<Record<string, string>> = {
  'docs/frameworks/next.md': 'types of next, and the alias @/',
  'docs/frameworks/react-router.md': 'types of @react-router/dev, and ./+types that it generates',
  'docs/frameworks/tanstack-start.md':
    'types of @tanstack/react-start, and the tree of routes that it generates',
  'docs/frameworks/nuxt.md': 'global functions, which Nuxt generates',
  'docs/frameworks/sveltekit.md': 'types of @sveltejs/kit, and ./$types that it generates',
}
const FILE = /^\/\/ \S+\/\S+\.tsx?\n/
const BACKEND = /^\/\/ \S+\/bff(?:\.server)?\.ts\n/
const isCompiled = ({ page, code }: Snippet) => !(page in APPS) || !FILE.test(code) || BACKEND.test(code)

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

describe('the snippets of the pages', () => {
  it.each(PAGES)('every snippet of %s is found', (page) => {
    expect(snippetsOf(page)).toHaveLength(read(page).match(/^```tsx?$/gm)?.length ?? 0)
  })

  it('the snippets compile with the options of this repository, which reject wrong code', () => {
    const snippets = PAGES.flatMap((page) => snippetsOf(page)).filter(isCompiled)
    expect(snippets.length).toBeGreaterThan(80)
    expect(problemsIn([...snippets, ...controls])).toEqual(
      WRONG.map(([, problem], index) =>
        expect.stringMatching(new RegExp(`^control ${index}:2 .*${problem}`)),
      ),
    )
  }, 300_000)
})
