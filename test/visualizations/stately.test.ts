import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { type AnyStateMachine, createMachine } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { descendants, transitionsOf } from '../../visualizations/tree.ts'
import { type Extracted, rowsOfExtracted, rowsOfMachine } from './chart-rows.ts'

const root = new URL('../../', import.meta.url)
const source = readFileSync(new URL('machines/auth.machine.ts', root), 'utf8')

/** The parser of Stately's editor extension, in a workspace of its own: it wants XState 4 beside it. */
const { extractMachinesFromFile } = createRequire(new URL('./stately/package.json', import.meta.url))(
  '@xstate/machine-extractor',
) as { extractMachinesFromFile(text: string): { machines: readonly { toConfig(): Extracted }[] } }

const extract = (text: string) => extractMachinesFromFile(text).machines.map((machine) => machine.toConfig())

/** Every key of the chart's own words, wherever it stands. Names of states, events and delays are none. */
function wordsOf(chart: object): Set<string> {
  const words = new Set<string>()
  const visit = (value: unknown, named: boolean) => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, part] of Object.entries(value)) {
      if (!named && !Array.isArray(value) && part !== undefined) words.add(key)
      if (key !== 'params' && key !== 'meta') visit(part, !named && ['states', 'on', 'after'].includes(key))
    }
  }
  visit(chart, false)
  return words
}

describe("what Stately's parser reads of the machine file", () => {
  const charts = extract(source)

  it('is one chart', () => {
    expect(charts.map(({ id }) => id)).toEqual(['auth'])
  })

  it('is every state and every transition of the machine that runs, and nothing else', () => {
    const read = rowsOfExtracted(charts[0]!)
    expect(read.filter((row) => row.startsWith('state'))).toHaveLength(
      descendants(authMachine.root).length + 1,
    )
    expect(read.filter((row) => row.startsWith('transition')).length).toBe(
      transitionsOf(authMachine.root).length,
    )
    expect([...read].sort()).toEqual([...rowsOfMachine(authMachine.root)].sort())
  })

  it('leaves out only what is no part of the picture', () => {
    const spelled = new Map([['cond', 'guard']])
    const read = [...wordsOf(charts[0]!)].map((word) => spelled.get(word) ?? word)
    const lost = [...wordsOf(authMachine.config)].filter((word) => !read.includes(word))
    expect(lost.sort()).toEqual(['input', 'meta', 'reenter'])
  })

  it.each([
    ['a state made by a call', /(anonymous:) (\{[\s\S]*?\n {4}\}),/, '$1 make($2),'],
    ['a transition made by a call', /('session.sync':) (\{[\s\S]*?\n {4}\}),/, '$1 make($2),'],
    ['a guard written in place', /guard: 'isLastToken'/, 'guard: () => true'],
    ['a target that is no literal', /target: '.authenticating'/, 'target: somewhere'],
  ])('would not be so with %s', (_, from, to) => {
    const changed = source.replace(from, to)
    expect(changed).not.toBe(source)
    const [chart = {}] = readOrNothing(changed)
    expect([...rowsOfExtracted(chart)].sort()).not.toEqual([...rowsOfMachine(authMachine.root)].sort())
  })
})

/** The parser throws at some of what it cannot read, and is silent about the rest. */
function readOrNothing(text: string): Extracted[] {
  try {
    return extract(text)
  } catch {
    return []
  }
}

describe('the chart as JSON', () => {
  const file = readFileSync(new URL('visualizations/auth.machine.json', root), 'utf8')
  const facts = (machine: AnyStateMachine) => ({
    rows: rowsOfMachine(machine.root),
    metas: descendants(machine.root).map(({ path, meta }) => [path.join('.'), meta]),
    reentering: transitionsOf(machine.root).map(({ reenter }) => reenter),
  })

  it('is the chart without its three functions, and gives the same one again', () => {
    const again = createMachine(JSON.parse(file), authMachine.implementations as never)
    expect(facts(again)).toEqual(facts(authMachine))
    expect(facts(again).rows.length).toBeGreaterThan(110)
    expect(JSON.stringify(again.config)).toBe(JSON.stringify(authMachine.config))
  })
})

describe('what the chart says of itself', () => {
  const { root } = authMachine

  it.each(descendants(root).map((node) => [node.path.join('.'), node] as const))(
    'tells what %s is, what becomes of requests there, and how it stands with the session',
    (_, { description, meta, tags }) => {
      expect(description).toMatch(/^[A-Z`].*\.$/)
      expect(meta).toEqual({ requests: expect.any(String) })
      expect(tags.length).toBeGreaterThan(0)
    },
  )

  it('tells why each transition is taken', () => {
    const silent = transitionsOf(root).filter(({ description }) => !/^[A-Z].*\.$/.test(description ?? ''))
    expect(silent.map(({ source, eventType }) => `${source.id} ${eventType}`)).toEqual([])
  })
})
