import type { AnyTransitionDefinition } from 'xstate'
import { chartStates, chartTransitions, pathOf, transitionName, triggerOf } from './chart-parts.ts'

/** One half of a coverage report. */
export interface Covered {
  readonly total: number
  readonly covered: readonly string[]
  readonly missed: readonly string[]
}

/** Which states and transitions of the auth chart were seen to behave, by paths that passed. */
export interface AuthCoverage {
  /** By path, such as `refreshing.gate.closed`. */
  readonly states: Covered
  /** In words, such as `refreshing.exchange.requesting error if isFatal`. */
  readonly transitions: Covered
  /** How many paths passed, and how many steps they had. */
  readonly paths: number
  readonly steps: number
  /** A table for the terminal: a line for each state, with its transitions; what was missed is named. */
  table(): string
  /** The chart as a Mermaid flowchart, in which what was covered is drawn solid and green, what was missed dotted and red. */
  mermaid(): string
}

/** Where several models write what their paths covered. */
export interface CoverageRecorder extends AuthCoverage {
  /** For the model: a look at the app that passed. */
  add(seen: {
    readonly states: Iterable<string>
    readonly transitions: Iterable<AnyTransitionDefinition>
  }): void
  /** For the model: a path that passed, and how many steps it had. */
  addPath(steps: number): void
}

/**
 * Makes a report that several models can share.
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

  const report = (all: readonly string[], seen: ReadonlySet<string>): Covered => ({
    total: all.length,
    covered: all.filter((name) => seen.has(name)),
    missed: all.filter((name) => !seen.has(name)),
  })

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
    mermaid() {
      return mermaidOf(states, transitions)
    },
  }
}

const share = ({ total, covered }: Covered) =>
  `${covered.length}/${total} (${((covered.length / total) * 100).toFixed(0)} %)`

function tableOf({ states, transitions, paths, steps }: AuthCoverage): string {
  const seen = new Set(transitions.covered)
  const rows = ['', ...chartStates].map((state) => {
    const own = chartTransitions.filter(({ source }) => pathOf(source) === state)
    const missed = own.filter((transition) => !seen.has(transitionName(transition)))
    return {
      state: state || '(any state)',
      entered: state === '' || states.covered.includes(state),
      taken: own.length === 0 ? '-' : `${own.length - missed.length}/${own.length}`,
      missed: missed.map(triggerOf),
    }
  })
  const width = Math.max(...rows.map(({ state }) => state.length))
  return [
    `${'state'.padEnd(width)}  entered  transitions`,
    ...rows.flatMap(({ state, entered, taken, missed }) => [
      `${state.padEnd(width)}  ${entered ? 'yes' : 'NO '}      ${taken}`,
      ...missed.map((name) => `${' '.repeat(width + 11)}missed: ${name}`),
    ]),
    `${paths} paths, ${steps} steps: states ${share(states)}, transitions ${share(transitions)}`,
  ].join('\n')
}

const COVERED = 'stroke:#1a7f37,stroke-width:2px'
const MISSED = 'stroke:#cf222e,stroke-width:1px,stroke-dasharray:4'

function mermaidOf(states: ReadonlySet<string>, transitions: ReadonlySet<string>): string {
  const id = (state: string) => (state === '' ? 'auth' : state.replaceAll('.', '_'))
  const inside = (parent: string) =>
    chartStates.filter((state) => state.slice(0, Math.max(0, state.lastIndexOf('.'))) === parent)
  const box = (state: string): string[] => {
    const children = inside(state)
    const label = `"${state.slice(state.lastIndexOf('.') + 1) || 'any state'}"`
    const marked = states.has(state) || state === '' ? 'covered' : 'missed'
    if (children.length === 0) return [`${id(state)}(${label}):::${marked}`]
    return [`subgraph ${id(state)} [${label}]`, ...children.flatMap(box).map((line) => `  ${line}`), 'end']
  }
  const arrows = chartTransitions.flatMap((transition) => {
    const from = pathOf(transition.source)
    const targets = transition.target?.map(pathOf) ?? [from]
    // Mermaid cannot draw an arrow from a box into itself.
    return targets
      .filter((to) => to !== from && !to.startsWith(`${from}.`) && !from.startsWith(`${to}.`))
      .map((to) => ({
        line: `${id(from)} -->|"${triggerOf(transition)}"| ${id(to)}`,
        covered: transitions.has(transitionName(transition)),
      }))
  })
  const numbers = (covered: boolean) =>
    arrows.flatMap((arrow, index) => (arrow.covered === covered ? [index] : [])).join(',')
  return [
    'flowchart LR',
    '  auth(("any state")):::covered',
    ...inside('')
      .flatMap(box)
      .map((line) => `  ${line}`),
    ...arrows.map(({ line }) => `  ${line}`),
    `  classDef covered ${COVERED}`,
    `  classDef missed ${MISSED}`,
    ...(numbers(true) ? [`  linkStyle ${numbers(true)} ${COVERED}`] : []),
    ...(numbers(false) ? [`  linkStyle ${numbers(false)} ${MISSED}`] : []),
    '',
  ].join('\n')
}
