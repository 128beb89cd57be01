import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { snippetsOf } from '../package/readme-source.ts'
import { componentProblems, componentsIn } from './vue-components.ts'

describe('the types of components in .vue files', () => {
  it('are correct in the example and in the components of the tests', () => {
    const components = { ...componentsIn('examples/vue'), ...componentsIn('test/bindings/vue') }
    expect(Object.keys(components).length).toBeGreaterThan(10)
    expect(componentProblems(components)).toEqual([])
  }, 180_000)

  it('are correct in docs/frameworks/vue.md', () => {
    const page = readFileSync(new URL('../../docs/frameworks/vue.md', import.meta.url), 'utf8')
    const blocks = [...page.matchAll(/```vue\n(.*?)```/gs)].map(([, code = '']) => code)
    expect(blocks.length).toBeGreaterThan(3)
    const components = Object.fromEntries(blocks.map((code, index) => [`docs/block-${index + 1}.vue`, code]))
    const [setUp] = snippetsOf('docs/frameworks/vue.md')
    const auth = `${setUp?.code}\nexport const { Expired } = createAuthContext<typeof auth>()`
    expect(componentProblems(components, { 'docs/auth.ts': auth })).toEqual([])
  }, 180_000)

  it('are checked in scripts and in templates', () => {
    const component = (script: string, template: string) =>
      `<script setup lang="ts">\n${script}\n</script>\n<template>${template}</template>`
    const session = "import { useSession } from './auth.ts'\nconst session = useSession()"
    const problems = componentProblems({
      'examples/vue/a.vue': component(`${session}\nconsole.log(session.value?.claims?.role)`, '<p />'),
      'examples/vue/b.vue': component(session, '<p>{{ session?.claims?.role }}</p>'),
    })
    expect(problems).toEqual([
      expect.stringMatching(/^a\.vue: Property 'role' does not exist on type 'Claims'/),
      expect.stringMatching(/^b\.vue: Property 'role' does not exist on type 'Claims'/),
    ])
  }, 180_000)
})
