import type { AnyTransitionDefinition } from 'xstate'
import { chartStates, chartTransitions, pathOf, transitionName, triggerOf } from './chart-parts.ts'

/** One half of a coverage report. */
export interface Covered {
  /** How many there are in all. */
  readonly total: number
  /** Those that a step showed that passed. */
  readonly covered: readonly string[]
  /** Those that no step has shown yet. */
  readonly missed: readonly string[]
}

/** What was covered by paths that passed: what users can see, and the states and transitions of the auth chart. */
export interface AuthCoverage {
  /** What users can see, such as `the session has ended`. Cover each of them that your app shows in its own way. */
  readonly situations: Covered
  /** By path, such as `refreshing.gate.closed`. */
  readonly states: Covered
  /** By name, such as `refreshing.attempt.requesting error if isFatal`. */
  readonly transitions: Covered
  /** How many paths passed. */
  readonly paths: number
  /** How many steps those paths had. */
  readonly steps: number
  /**
   * A table for the terminal: what users can see, then a line for each state, and one for each transition that was missed.
   */
  table(): string
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

/** What users can see, and the state of the chart in which they do. */
const SITUATIONS: readonly (readonly [name: string, state: string])[] = [
  ['the app starts', 'restoring'],
  ['no user is signed in', 'anonymous'],
  ['a sign-in is running', 'authenticating'],
  ['a user is signed in', 'authenticated'],
  ['requests wait for a refresh', 'refreshing.gate.closed'],
  ['the server does not answer', 'refreshing.attempt.backingOff'],
  ['there is no network', 'refreshing.attempt.offline'],
  ['the session has ended', 'expired'],
  ['a sign-out is running', 'signingOut'],
  ['the user has signed out', 'loggedOut'],
]

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
    get situations() {
      const names = SITUATIONS.map(([name]) => name)
      return report(names, new Set(SITUATIONS.flatMap(([name, state]) => (states.has(state) ? name : []))))
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
  }
}

const report = (all: readonly string[], seen: ReadonlySet<string>): Covered => ({
  total: all.length,
  covered: all.filter((name) => seen.has(name)),
  missed: all.filter((name) => !seen.has(name)),
})

const share = ({ total, covered }: Covered) =>
  `${covered.length}/${total} (${((covered.length / total) * 100).toFixed(0)} %)`

function tableOf({ situations, states, transitions, paths, steps }: AuthCoverage): string {
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
  const shown = SITUATIONS.map(
    ([name, state]) =>
      `${name.padEnd(width)}  ${situations.covered.includes(name) ? 'yes' : `NO       ${state}`}`,
  )
  return [
    `${'what users can see'.padEnd(width)}  tested   state`,
    ...shown,
    `${paths} paths, ${steps} steps: ${share(situations)} of what users can see`,
    '',
    `${'state'.padEnd(width)}  entered  transitions`,
    ...rows,
    `states ${share(states)}, transitions ${share(transitions)}`,
  ].join('\n')
}
