import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { type AnyStateMachine, type AnyStateNode, createMachine } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { descendants, transitionsOf } from '../../visualizations/tree.ts'
import { type Extracted, rowsOfExtracted, rowsOfMachine } from './chart-rows.ts'

const root = new URL('../../', import.meta.url)
const source = readFileSync(new URL('machines/auth.machine.ts', root), 'utf8')

/** The parser of Stately's editor extension. It needs XState 4, so it has a workspace of its own. */
const { extractMachinesFromFile } = createRequire(new URL('./stately/package.json', import.meta.url))(
  '@xstate/machine-extractor',
) as { extractMachinesFromFile(text: string): { machines: readonly { toConfig(): Extracted }[] } }

const extract = (text: string) => extractMachinesFromFile(text).machines.map((machine) => machine.toConfig())

/** Collects the keys of the machine syntax, at any depth. Names of states, events and delays are left out. */
function keywordsOf(chart: object): Set<string> {
  const words = new Set<string>()
  const visit = (value: unknown, named: boolean) => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, part] of Object.entries(value)) {
      if (!named && !Array.isArray(value) && part !== undefined) words.add(key)
      visit(part, !named && ['states', 'on', 'after'].includes(key))
    }
  }
  visit(chart, false)
  return words
}

describe("Stately's parser", () => {
  const charts = extract(source)

  it('finds one chart in the machine file', () => {
    expect(charts.map(({ id }) => id)).toEqual(['auth'])
  })

  it('reads exactly the states and transitions of the machine', () => {
    const read = rowsOfExtracted(charts[0]!)
    expect(read.filter((row) => row.startsWith('state'))).toHaveLength(
      descendants(authMachine.root).length + 1,
    )
    expect(read.filter((row) => row.startsWith('transition')).length).toBe(
      transitionsOf(authMachine.root).length,
    )
    expect([...read].sort()).toEqual([...rowsOfMachine(authMachine.root)].sort())
  })

  it('ignores only keys that are not part of the picture', () => {
    const spelled = new Map([['cond', 'guard']])
    const read = [...keywordsOf(charts[0]!)].map((word) => spelled.get(word) ?? word)
    const lost = [...keywordsOf(authMachine.config)].filter((word) => !read.includes(word))
    expect(lost.sort()).toEqual(['input', 'reenter'])
  })

  it.each([
    ['a state that is created by a call', /(anonymous:) (\{[\s\S]*?\n {4}\}),/, '$1 make($2),'],
    ['a transition that is created by a call', /('store.changed':) (\{[\s\S]*?\n {4}\}),/, '$1 make($2),'],
    ['an inline guard', /guard: 'isLastToken'/, 'guard: () => true'],
    ['a target that is not a literal', /target: '.authenticating'/, 'target: somewhere'],
  ])('would misread %s', (_, from, to) => {
    const changed = source.replace(from, to)
    expect(changed).not.toBe(source)
    const [chart = {}] = readOrNothing(changed)
    expect([...rowsOfExtracted(chart)].sort()).not.toEqual([...rowsOfMachine(authMachine.root)].sort())
  })
})

/** The parser throws for some syntax that it cannot read, and ignores the rest. */
function readOrNothing(text: string): Extracted[] {
  try {
    return extract(text)
  } catch {
    return []
  }
}

describe('the chart as JSON', () => {
  const file = readFileSync(new URL('visualizations/auth.machine.json', root), 'utf8')
  /** The text of a config. Tags are left out, because the file repeats inherited ones. */
  const text = (config: object) =>
    JSON.stringify(config, (key, value) => (key === 'tags' ? undefined : value))
  const again = createMachine(JSON.parse(file), authMachine.implementations as never)

  it('contains the chart without its functions, and creates the same states and transitions', () => {
    const rows = (machine: AnyStateMachine) => rowsOfMachine(machine.root).map(withoutTagsOfRow)
    const reentering = (machine: AnyStateMachine) => transitionsOf(machine.root).map(({ reenter }) => reenter)
    expect(rows(again)).toEqual(rows(authMachine))
    expect(rows(again).length).toBeGreaterThan(100)
    expect(reentering(again)).toEqual(reentering(authMachine))
    expect(text(again.config)).toBe(text(authMachine.config))
  })

  it('gives each state its own tags and those of its ancestors', () => {
    const inherited = (node: AnyStateNode): readonly string[] => [
      ...(node.parent ? inherited(node.parent) : []),
      ...node.tags,
    ]
    for (const node of descendants(again.root)) {
      const original = authMachine.getStateNodeById(node.id)
      expect(node.tags, node.id).toEqual(inherited(original))
      expect(new Set(node.tags).size, node.id).toBe(node.tags.length)
    }
  })

  it('says for each inner state, or for the gate beside it, what happens to requests', () => {
    const modes = ['pass', 'hold', 'anonymous', 'refuse']
    const leaves = descendants(again.root).filter(({ states }) => Object.keys(states).length === 0)
    const undecided = leaves.filter(({ tags }) => tags.filter((tag) => modes.includes(tag)).length !== 1)
    expect(new Set(undecided.map(({ parent }) => parent?.id))).toEqual(new Set(['auth.refreshing.attempt']))
  })

  it("is read by Stately's parser in a call of createMachine, so that it can be pasted", () => {
    const [chart = {}] = extract(`createMachine(${file})`)
    expect([...rowsOfExtracted(chart)].sort()).toEqual([...rowsOfMachine(again.root)].sort())
  })
})

/** Removes the tags of a state from its row. */
function withoutTagsOfRow(row: string): string {
  return row.replace(/"tags":\[.*?\],/, '')
}

describe('the descriptions of the chart', () => {
  const { root } = authMachine

  it.each(descendants(root).map((node) => [node.path.join('.'), node.description] as const))(
    'explain the state %s',
    (_, description) => {
      expect(description).toMatch(/^[A-Z`].*\.$/)
    },
  )

  it('explain each transition', () => {
    const silent = transitionsOf(root).filter(({ description }) => !/^[A-Z].*\.$/.test(description ?? ''))
    expect(silent.map(({ source, eventType }) => `${source.id} ${eventType}`)).toEqual([])
  })
})
