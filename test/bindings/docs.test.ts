import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, root, snippetsOf, tableUnder } from '../package/readme-source.ts'

/** The pages about bindings: those that are called as one is. */
const bindings = readdirSync(new URL('src/bindings/', root)).map((file) => file.replace('.ts', ''))
const PAGES = readdirSync(new URL('docs/', root))
  .map((file) => file.replace('.md', ''))
  .filter((name) => bindings.includes(name))

describe.each(PAGES)('docs/%s.md', (name) => {
  const page = readFileSync(new URL(`docs/${name}.md`, root), 'utf8')
  const snippets = snippetsOf(`docs/${name}.md`)

  it('has snippets', () => {
    expect(snippets.length).toBeGreaterThan(5)
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
