import { describe, expect, it } from 'vitest'
import { FRAMEWORKS } from '../frameworks/frameworks.ts'
import { guideOf } from '../start/pages.ts'
import { DOCS, read, snippetsOf } from './readme-source.ts'

/** The pages about frameworks that render on a server. `npm run test:frameworks` follows them. */
const PAGES = DOCS.filter((page) => page.startsWith('docs/frameworks/') && read(page).includes('createBff'))

const headingsOf = (page: string) => [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)

/** The first snippet without the comment that names its file. */
const backendOf = (page: string) => snippetsOf(page)[0]?.code.replace(/^.*\n/, '')

describe('the pages about frameworks that render on a server', () => {
  it('are all followed by test:frameworks', () => {
    expect(PAGES).toEqual(FRAMEWORKS.map(({ name }) => `docs/frameworks/${name}.md`).sort())
  })

  it.each(PAGES)('%s has the order of the others', (page) => {
    expect(headingsOf(page)).toEqual([
      'Set up',
      'Show the user',
      'Sign in and out',
      'Guard pages',
      'When the session ends',
      'Data',
      'The server',
      'Test',
      'In the browser only',
      'If it does not work',
    ])
  })

  it.each(PAGES)('%s begins with the same backend as the others', (page) => {
    expect(backendOf(page)).toContain('createBff')
    expect(backendOf(page)).toBe(backendOf(PAGES[0]!))
  })

  it.each(FRAMEWORKS)('$name: the page names each file of the app once, and is short', ({ name }) => {
    const text = read(`docs/frameworks/${name}.md`)
    const named = text.match(/^```\w+\n(?:\/\/|<!--) \S+\/\S+\.\w+(?:$| -->)/gm) ?? []
    expect([...guideOf(`frameworks/${name}`).files]).toHaveLength(named.length)
    expect(named.length).toBeGreaterThanOrEqual(6)
    expect(text.split('\n').length).toBeLessThan(280)
  })
})
