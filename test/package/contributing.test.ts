import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { root } from './readme-source.ts'

const PAGE = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8')
const [, tables = ''] = PAGE.split(/<!-- \/?files -->/)

/** The files that one of the tables lists, by the folder in its first line. */
const listed = new Map(
  tables
    .split('\n\n')
    .filter((table) => table.startsWith('| file of'))
    .map((table) => {
      const [head = '', , ...rows] = table.split('\n')
      const cells = rows.map((row) => row.slice(1, -1).split('|'))
      return [/`(.*)\/`/.exec(head)?.[1] ?? '', cells] as const
    }),
)

const filesOf = (folder: string) =>
  readdirSync(new URL(`${folder}/`, root)).filter((name) => name.endsWith('.ts'))

describe('the files that CONTRIBUTING.md lists', () => {
  it.each([
    ['machines', 'machines'],
    ['src/core', 'src/core'],
    ['session', 'src/core/session'],
    ['requests', 'src/core/requests'],
    ['features', 'src/core/features'],
    ['platform', 'src/core/platform'],
  ])('the table of %s names every file of the folder, and nothing else', (name, folder) => {
    const names = (listed.get(name) ?? []).map(([cell = '']) => cell.trim().replaceAll('`', ''))
    expect(names.sort()).toEqual(filesOf(folder).sort())
  })

  it('every file has one sentence', () => {
    for (const [, sentence = ''] of [...listed.values()].flat()) expect(sentence.trim()).toMatch(/\.$/)
  })

  it('every link leads to an existing file', () => {
    const links = [...PAGE.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path)
    expect(links.length).toBeGreaterThan(2)
    for (const path of links) expect(readFileSync(new URL(path, root), 'utf8')).not.toBe('')
  })
})
