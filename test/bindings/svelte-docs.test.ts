import { readFileSync } from 'node:fs'
import { compile } from 'svelte/compiler'
import { describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../../docs/svelte.md', import.meta.url), 'utf8')
const components = [...page.matchAll(/```svelte\n([\s\S]*?)```/g)].map(([, code = '']) => code)

describe('the components of docs/svelte.md', () => {
  it.each(components)('compile without a warning: %#', (code) => {
    const { warnings } = compile(code, { generate: 'client', dev: true })
    expect(warnings.map(({ message }) => message)).toEqual([])
  })

  it('are all looked at', () => {
    expect(components.length).toBeGreaterThan(3)
  })
})
