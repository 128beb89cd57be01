import { describe, expect, it } from 'vitest'
import { DOCS, membersOf, namesIn, read, snippetsOf, tableUnder } from '../package/readme-source.ts'

/** The pages about bindings. */
const PAGES = DOCS.filter((path) => path.startsWith('docs/frameworks/') || path === 'docs/guides/realtime.md')

it('there are pages about at least seven bindings', () => {
  expect(PAGES.length).toBeGreaterThanOrEqual(7)
})

describe.each(PAGES)('%s', (path) => {
  const page = read(path)
  const snippets = snippetsOf(path)

  it('has more than five snippets', () => {
    expect(snippets.length).toBeGreaterThan(5)
  })

  it('has no line longer than 150 characters', () => {
    expect(page.split('\n').filter((line) => line.length > 150 && !/^[<|]/.test(line))).toEqual([])
  })
})

describe('the tables of docs/frameworks/react.md', () => {
  const page = read('docs/frameworks/react.md')
  const documented = [...namesIn(tableUnder('Hooks', page)), ...namesIn(tableUnder('Components', page))]
  const components = [...page.matchAll(/^\| `<(\w+)>`/gm)].map(([, name = '']) => name)

  it('list every hook and component, and every field of AuthSnapshot', () => {
    const members = new Set(membersOf('src/bindings/react/types.ts', 'AuthHooks'))
    members.delete('AuthProvider')
    const snapshot = membersOf('src/bindings/snapshot.ts', 'AuthSnapshot')
    expect([...documented, ...components].sort()).toEqual([...members, ...snapshot].sort())
  })
})
