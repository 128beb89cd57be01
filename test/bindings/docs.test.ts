import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, root, snippetsOf, tableUnder } from '../package/readme-source.ts'

/** The pages about bindings, which have the same names as the bindings. */
const bindings = readdirSync(new URL('src/bindings/', root)).map((file) => file.replace('.ts', ''))
const PAGES = readdirSync(new URL('docs/', root))
  .map((file) => file.replace('.md', ''))
  .filter((name) => bindings.includes(name))

describe.each(PAGES)('docs/%s.md', (name) => {
  const page = readFileSync(new URL(`docs/${name}.md`, root), 'utf8')
  const snippets = snippetsOf(`docs/${name}.md`)

  it('has more than five snippets', () => {
    expect(snippets.length).toBeGreaterThan(5)
  })

  it('has no line longer than 150 characters', () => {
    expect(page.split('\n').filter((line) => line.length > 150 && !/^[<|]/.test(line))).toEqual([])
  })
})

describe('the tables of docs/react.md', () => {
  const page = readFileSync(new URL('docs/react.md', root), 'utf8')
  const documented = [...namesIn(tableUnder('Hooks', page)), ...namesIn(tableUnder('Components', page))]
  const components = [...page.matchAll(/^\| `<(\w+)>`/gm)].map(([, name = '']) => name)

  it('list every hook and component, and every field of AuthSnapshot', () => {
    const members = new Set(membersOf('src/bindings/react/types.ts', 'AuthHooks'))
    members.delete('AuthProvider')
    const snapshot = membersOf('src/bindings/snapshot.ts', 'AuthSnapshot')
    expect([...documented, ...components].sort()).toEqual([...members, ...snapshot].sort())
  })
})
