import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createMeters } from '../../src/inspect/meters.ts'
import { membersOf, namesIn, root, snippetsOf, tableUnder } from '../package/readme-source.ts'

const PAGE = readFileSync(new URL('docs/guides/inspect.md', root), 'utf8')
const snippets = snippetsOf('docs/guides/inspect.md')
const source = (path: string) => readFileSync(new URL(`src/inspect/${path}`, root), 'utf8')

describe('docs/guides/inspect.md', () => {
  it('contains snippets', () => {
    expect(snippets.length).toBeGreaterThan(3)
  })

  it('lists exactly the options of inspectAuth', () => {
    expect(namesIn(tableUnder('Options', PAGE)).sort()).toEqual(
      membersOf('src/inspect/inspect-auth.ts', 'InspectOptions').sort(),
    )
  })

  it('lists exactly the types of inspection frames', () => {
    const frames = [...source('frames.ts').matchAll(/readonly type: '(\w+)'/g)].map(([, type = '']) => type)
    expect(namesIn(tableUnder('An observer of your own', PAGE)).sort()).toEqual(frames.sort())
  })

  it('lists exactly the types of request frames', () => {
    const types = [...source('request-frames.ts').matchAll(/readonly type: ([^;\n]+)/g)]
    const frames = types.flatMap(([, union = '']) => union.match(/\w+/g) ?? [])
    expect(namesIn(tableUnder('Requests', PAGE)).sort()).toEqual(frames.sort())
  })

  it('lists every metric with its kind and its unit', () => {
    const made: string[][] = []
    const note =
      (kind: string) =>
      (name: string, { unit }: { unit: string }) => {
        made.push([`\`${name}\``, kind, unit])
        return { add() {}, record() {} }
      }
    createMeters({ createCounter: note('counter'), createHistogram: note('histogram') })
    const documented = tableUnder('OpenTelemetry', PAGE).filter(([name]) =>
      /^`authchart\.\w+\.\w+`$/.test(name ?? ''),
    )
    expect(documented.map((row) => row.slice(0, 3)).sort()).toEqual(made.sort())
  })

  it('mentions every attribute and every outcome', () => {
    const code = source('open-telemetry.ts')
    const attributes = [...code.matchAll(/'(authchart\.[\w.]+|error\.type|http\.[\w.]+)'/g)]
    const outcomes = [...code.matchAll(/^type Outcome = (.*)$/gm)].flatMap(
      ([, union = '']) => union.match(/\w+/g) ?? [],
    )
    expect(attributes.length).toBeGreaterThan(5)
    expect(outcomes.length).toBeGreaterThan(4)
    for (const name of [...attributes.map(([, name]) => name), ...outcomes])
      expect(PAGE).toContain(`\`${name}\``)
  })

  it('contains no dead links', () => {
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-')
    const headings = [...PAGE.matchAll(/^## (.*)$/gm)].map(([, heading = '']) => slug(heading))
    const anchors = [...PAGE.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
    expect(anchors).toEqual(headings)
    for (const [, path = ''] of PAGE.matchAll(/\]\((?!https?:|#)([^)#]+)/g))
      expect(existsSync(new URL(path, new URL('docs/guides/inspect.md', root))), path).toBe(true)
  })
})
