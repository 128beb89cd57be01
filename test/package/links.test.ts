import { existsSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { anchorOf, PAGES, read, root } from './readme-source.ts'

/** The text without code: a snippet has no links. */
const proseOf = (text: string) =>
  text.replace(/^([ ]*)(```+)[\s\S]*?^\1\2/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/\]\(/g, ''))

const anchorsOf = (text: string) =>
  new Set(
    [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      anchorOf(heading),
    ),
  )

/** The targets of links and pictures. */
const targetsOf = (text: string) => [
  ...[...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
  ...[...proseOf(text).matchAll(/\b(?:href|src|srcset)="([^"]+)"/g)].map(([, target = '']) => target),
]

/** Why a link of a page leads nowhere, if it does not. */
function problemOf(page: string, target: string): string | undefined {
  if (/^(?:https?|mailto):/.test(target)) return undefined
  const [path = '', anchor] = target.split('#')
  const url = new URL(path, new URL(page, root))
  if (path !== '' && !url.href.startsWith(root.href)) return `${target} leaves the repository`
  const file = path === '' ? new URL(page, root) : url
  if (!existsSync(file)) return `${target}: there is no such file`
  if (anchor === undefined) return path === '' ? `${target} is empty` : undefined
  const isPage = statSync(file).isFile() && file.pathname.endsWith('.md')
  return isPage && anchorsOf(readFileSync(file, 'utf8')).has(anchor)
    ? undefined
    : `${target}: there is no such heading`
}

const problemsOf = (page: string, text = read(page)) =>
  targetsOf(text).flatMap((target) => problemOf(page, target) ?? [])

describe('the links of the pages', () => {
  it.each(PAGES)('%s links only to files and headings that exist', (page) => {
    expect(problemsOf(page)).toEqual([])
  })

  it('the check finds links, pictures and anchors that lead nowhere', () => {
    const text =
      '[a](#start) [b](#b) [c](none.md) [d](README.md#none) [e](../../../../etc/passwd)\n<img src="no.svg">'
    expect(problemsOf('docs/README.md', text)).toHaveLength(5)
    expect(PAGES.flatMap((page) => targetsOf(read(page))).length).toBeGreaterThan(300)
  })
})

describe('the index of docs/', () => {
  const reached = targetsOf(read('docs/README.md')).map(
    (target) => new URL(target.split('#')[0]!, new URL('docs/README.md', root)).href,
  )
  const pages = PAGES.filter(
    (page) => page.startsWith('docs/') && !/^docs\/(?:README|decisions\/\d)/.test(page),
  )

  it.each(pages)('the index lists %s', (page) => {
    expect(reached).toContain(new URL(page, root).href)
  })
})

describe('the pages to follow', () => {
  const pages = PAGES.filter((page) => /^docs\/(?:start|frameworks|guides)\//.test(page))

  it.each(pages)('%s begins with a snippet to copy and ends with what to do if it does not work', (page) => {
    const text = read(page)
    const first = text.split('\n').findIndex((line) => /^```(?:tsx?|vue|svelte)$/.test(line))
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(40)
    expect(text.match(/^## .*$/gm)?.at(-1)).toBe('## If it does not work')
  })

  it('there are pages in each part', () => {
    expect(pages.length).toBeGreaterThan(20)
  })
})
