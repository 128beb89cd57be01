import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, problemsIn, root, snippetsOf, tableUnder } from '../package/readme-source.ts'

/** The pages about bindings: those that are called as one is. */
const bindings = readdirSync(new URL('src/bindings/', root)).map((file) => file.replace('.ts', ''))
const PAGES = readdirSync(new URL('docs/', root))
  .map((file) => file.replace('.md', ''))
  .filter((name) => bindings.includes(name))

describe.each(PAGES)('docs/%s.md', (name) => {
  const page = readFileSync(new URL(`docs/${name}.md`, root), 'utf8')
  const snippets = snippetsOf(page)

  it('has snippets that compile under the rules of this repository', () => {
    expect(snippets.length).toBeGreaterThan(5)
    expect(snippets).toHaveLength(page.match(/^```tsx?$/gm)?.length ?? 0)
    expect(problemsIn(snippets).map((problem) => problem.replace('README', name))).toEqual([])
  }, 60_000)

  it('leads to headings and files that are there', () => {
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('#')) expect(anchors).toContain(target.slice(1))
      else if (!target.startsWith('http'))
        expect(() => readFileSync(new URL(target, new URL('docs/', root))), target).not.toThrow()
    }
  })

  it('is as wide as every other text here', () => {
    expect(page.split('\n').filter((line) => line.length > 150 && !/^[<|]/.test(line))).toEqual([])
  })
})

describe('the tables of docs/react.md', () => {
  const page = readFileSync(new URL('docs/react.md', root), 'utf8')
  const told = [...namesIn(tableUnder('Hooks', page)), ...namesIn(tableUnder('Components', page))]
  const components = [...page.matchAll(/^\| `<(\w+)>`/gm)].map(([, name = '']) => name)

  it('name every hook and component, and what useAuthState selects from', () => {
    const members = new Set(membersOf('src/bindings/react/types.ts', 'AuthContext'))
    members.delete('AuthProvider')
    const snapshot = membersOf('src/bindings/snapshot.ts', 'AuthSnapshot')
    expect([...told, ...components].sort()).toEqual([...members, ...snapshot].sort())
  })
})
