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
    const snippets = PAGES.flatMap((page) => snippetsOf(page))
    expect(snippets.length).toBeGreaterThan(80)
    expect(problemsIn([...snippets, ...controls])).toEqual(
      WRONG.map(([, problem], index) =>
        expect.stringMatching(new RegExp(`^control ${index}:2 .*${problem}`)),
      ),
    )
  }, 120_000)
})
