import type { AnyTransitionDefinition } from 'xstate'
import { chartStates, chartTransitions, pathOf, transitionName, triggerOf } from './chart-parts.ts'

/** One half of a coverage report. */
export interface Covered {
  readonly total: number
  readonly covered: readonly string[]
  readonly missed: readonly string[]
}

/** The states and transitions of the auth chart that were covered by paths that passed. */
export interface AuthCoverage {
  /** By path, such as `refreshing.gate.closed`. */
  readonly states: Covered
  /** By name, such as `refreshing.attempt.requesting error if isFatal`. */
  readonly transitions: Covered
  /** How many paths passed. */
  readonly paths: number
  /** How many steps those paths had. */
  readonly steps: number
  /** A table for the terminal: a line for each state, and one for each transition that was missed. */
  table(): string
  /** The chart as a Mermaid flowchart: what was covered is solid and green, what was missed is dotted and red. */
  mermaid(): string
}

/** A report that several models can share. */
export interface CoverageRecorder extends AuthCoverage {
  /** The model adds what a step showed that passed. */
  add(seen: {
    readonly states: Iterable<string>
    readonly transitions: Iterable<AnyTransitionDefinition>
  }): void
  /** The model adds a path that passed, with its number of steps. */
  addPath(steps: number): void
}

/**
 * Creates a report that several models can share.
 *
 * @returns an empty report; give it to `authTestModel` as `coverage`
 *
 * @example
 * ```ts
 * const coverage = createCoverage()
 * const online = authTestModel({ events, coverage })
 * const cookies = authTestModel({ events, start: 'cookie', coverage })
 * // … after their paths were tested:
 * console.log(coverage.table())
 * ```
 */
export function createCoverage(): CoverageRecorder {
  const states = new Set<string>()
  const transitions = new Set<string>()
  let paths = 0
  let steps = 0
  return {
    add(seen) {
      for (const state of seen.states) if (state !== '') states.add(state)
      for (const transition of seen.transitions) transitions.add(transitionName(transition))
    },
    addPath(length) {
      paths++
      steps += length
    },
    get states() {
      return report(chartStates, states)
    },
    get transitions() {
      return report(chartTransitions.map(transitionName), transitions)
    },
    get paths() {
      return paths
    },
    get steps() {
      return steps
    },
    table() {
      return tableOf(this)
    },
    mermaid: () => mermaidOf(states, transitions),
  }
}

const report = (all: readonly string[], seen: ReadonlySet<string>): Covered => ({
  total: all.length,
  covered: all.filter((name) => seen.has(name)),
  missed: all.filter((name) => !seen.has(name)),
})

const share = ({ total, covered }: Covered) =>
  `${covered.length}/${total} (${((covered.length / total) * 100).toFixed(0)} %)`

function tableOf({ states, transitions, paths, steps }: AuthCoverage): string {
  const width = Math.max(...chartStates.map(({ length }) => length))
  const rows = ['', ...chartStates].flatMap((state) => {
    const own = chartTransitions.filter(({ source }) => pathOf(source) === state)
    const missed = own.filter((transition) => transitions.missed.includes(transitionName(transition)))
    const entered = state === '' || states.covered.includes(state) ? 'yes' : 'NO '
    const taken = own.length === 0 ? '-' : `${own.length - missed.length}/${own.length}`
    return [
      `${(state || '(any state)').padEnd(width)}  ${entered}      ${taken}`,
      ...missed.map((transition) => `${' '.repeat(width + 11)}missed: ${triggerOf(transition)}`),
    ]
  })
  return [
    `${'state'.padEnd(width)}  entered  transitions`,
    ...rows,
    `${paths} paths, ${steps} steps: states ${share(states)}, transitions ${share(transitions)}`,
  ].join('\n')
}

const COVERED = 'stroke:#1a7f37,stroke-width:2px'
const MISSED = 'stroke:#cf222e,stroke-width:1px,stroke-dasharray:4'

function mermaidOf(states: ReadonlySet<string>, transitions: ReadonlySet<string>): string {
  const id = (state: string) => state.replaceAll('.', '_') || 'auth'
  const childrenOf = (parent: string) =>
    chartStates.filter((state) => state.slice(0, Math.max(0, state.lastIndexOf('.'))) === parent)
  const box = (state: string): string[] => {
    const label = `"${state.slice(state.lastIndexOf('.') + 1)}"`
    const children = childrenOf(state)
    if (children.length === 0) return [`${id(state)}(${label}):::${states.has(state) ? 'covered' : 'missed'}`]
    return [`subgraph ${id(state)} [${label}]`, ...children.flatMap(box).map((line) => `  ${line}`), 'end']
  }
  const arrows = chartTransitions.flatMap((transition) => {
    const from = pathOf(transition.source)
    const isCovered = transitions.has(transitionName(transition))
    return (transition.target?.map(pathOf) ?? [])
      .filter((to) => !`${to}.`.startsWith(`${from}.`) && !`${from}.`.startsWith(`${to}.`)) // Mermaid cannot draw these.
      .map((to) => ({ line: `${id(from)} -->|"${triggerOf(transition)}"| ${id(to)}`, isCovered }))
  })
  const style = (isCovered: boolean) => {
    const numbers = arrows.flatMap((arrow, index) => (arrow.isCovered === isCovered ? [index] : []))
    return numbers.length === 0 ? [] : [`linkStyle ${numbers} ${isCovered ? COVERED : MISSED}`]
  }
  return [
    'flowchart LR',
    ...[
      'auth(("any state")):::covered',
      ...childrenOf('').flatMap(box),
      ...arrows.map(({ line }) => line),
      `classDef covered ${COVERED}`,
      `classDef missed ${MISSED}`,
      ...style(true),
      ...style(false),
    ].map((line) => `  ${line}`),
    '',
  ].join('\n')
}
