import { readFileSync } from 'node:fs'
import { compile } from 'svelte/compiler'
import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, tableUnder } from '../package/readme-source.ts'

const page = readFileSync(new URL('../../docs/frameworks/svelte.md', import.meta.url), 'utf8')
const components = [...page.matchAll(/```svelte\n([\s\S]*?)```/g)].map(([, code = '']) => code)

describe('the components of docs/frameworks/svelte.md', () => {
  it.each(components)('compile without a warning: %#', (code) => {
    const { warnings } = compile(code, { generate: 'client', dev: true })
    expect(warnings.map(({ message }) => message)).toEqual([])
  })

  it('are all found by this test', () => {
    expect(components.length).toBeGreaterThan(3)
  })
})

describe('the tables of docs/frameworks/svelte.md', () => {
  const TYPES = 'src/bindings/svelte/types.ts'

  it('list every function, and every field of AuthSnapshot', () => {
    const snapshot = membersOf('src/bindings/snapshot.ts', 'AuthSnapshot')
    const members = [...new Set(membersOf(TYPES, 'AuthHooks')), ...snapshot]
    expect(namesIn(tableUnder('What components call', page)).sort()).toEqual(members.sort())
  })

  it('list every view', () => {
    expect(namesIn(tableUnder('Views', page)).sort()).toEqual(
      membersOf('src/bindings/svelte/reactive.ts', 'ReactiveView').sort(),
    )
  })
})
