import type { AdjacencyMap } from 'xstate/graph'
import { transitionName } from './chart-parts.ts'
import type { ModelEventName } from './model-events.ts'
import { type ModelState, placeOf, serializeModelState } from './model-state.ts'
import type { WorldEvent, WorldSnapshot } from './walk.ts'

export interface ModelStep {
  readonly event: ModelEventName
  readonly from: ModelState
  readonly to: ModelState
}

/** What happens, one thing after the other, from the start. */
export type Steps = readonly ModelStep[]

/** The worlds that can be reached, and the ways between them. */
export interface Graph {
  readonly start: ModelState
  stepsFrom(state: ModelState): Steps
  /** The shortest way to every world, the nearest first. */
  readonly shortest: readonly (readonly [state: ModelState, steps: Steps])[]
}

export function graphOf(start: ModelState, map: AdjacencyMap<WorldSnapshot, WorldEvent>): Graph {
  const stepsFrom = (from: ModelState): Steps =>
    Object.values(map[serializeModelState(from) as keyof typeof map]?.transitions ?? {}).map(
      ({ event, state }) => ({ event: event.type, from, to: state.world }),
    )
  const shortest: [ModelState, Steps][] = [[start, []]]
  const seen = new Set([serializeModelState(start)])
  for (const [state, steps] of shortest) {
    for (const step of stepsFrom(state)) {
      const key = serializeModelState(step.to)
      if (seen.has(key)) continue
      seen.add(key)
      shortest.push([step.to, [...steps, step]])
    }
  }
  return { start, stepsFrom, shortest }
}

/** What a step shows that another may not: the event, where it happens, where it leads, and by which transitions. */
function kindOf({ event, from, to }: ModelStep): string {
  const taken = to.taken.map(transitionName)
  return JSON.stringify([placeOf(from.chart.value), event, placeOf(to.chart.value), taken, to.outcomes])
}

/** Paths that between them take every kind of step there is, each kind for the first time on the shortest way to it. */
export function shortestPaths({ shortest, stepsFrom }: Graph): Steps[] {
  const seen = new Set<string>()
  const paths: Steps[] = []
  for (const [state, steps] of shortest) {
    for (const step of stepsFrom(state)) {
      if (seen.has(kindOf(step))) continue
      const path = [...steps, step]
      for (const one of path) seen.add(kindOf(one))
      paths.push(path)
    }
  }
  return withoutPrefixes(paths)
}

/** Paths of at most `length` steps that come to no world twice. */
export function simplePaths({ start, stepsFrom }: Graph, length: number): Steps[] {
  const paths: Steps[] = []
  const on = new Set<string>()
  const walk = (state: ModelState, steps: Steps) => {
    const key = serializeModelState(state)
    on.add(key)
    const next =
      steps.length < length ? stepsFrom(state).filter(({ to }) => !on.has(serializeModelState(to))) : []
    if (next.length === 0 && steps.length > 0) paths.push(steps)
    for (const step of next) walk(step.to, [...steps, step])
    on.delete(key)
  }
  walk(start, [])
  return paths
}

/** A path that another one begins with shows nothing of its own. */
function withoutPrefixes(paths: readonly Steps[]): Steps[] {
  const names = (steps: Steps) => steps.map(({ event }) => event).join(' ')
  const begun = new Set<string>()
  for (const steps of paths)
    for (let length = 1; length < steps.length; length++) begun.add(names(steps.slice(0, length)))
  return paths.filter((steps) => !begun.has(names(steps)))
}
