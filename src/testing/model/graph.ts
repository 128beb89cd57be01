import { placeOf, transitionName } from './chart-parts.ts'
import { type ModelEventName, modelEvents } from './model-events.ts'
import { type ModelState, serializeModelState } from './model-state.ts'
import type { ModelWorld } from './model-world.ts'

export interface ModelStep {
  readonly event: ModelEventName
  readonly from: ModelState
  readonly to: ModelState
}

/** The steps of a path, from the start. */
export type Steps = readonly ModelStep[]

/** The worlds that can be reached, the nearest first, with the shortest path to each and the steps that can follow. */
export interface Graph {
  readonly start: ModelState
  readonly nodes: readonly { readonly state: ModelState; readonly path: Steps; readonly next: Steps }[]
  stepsFrom(state: ModelState): Steps
}

/** Calls that the token endpoint holds could pile up for ever, and more of them show nothing new. */
const MOST_CALLS = 2

/** Finds every world that the events lead to. */
export function exploreWorld(
  world: ModelWorld,
  events: readonly ModelEventName[],
  isOffered: (event: ModelEventName, state: ModelState) => boolean,
): Graph {
  const stepsFrom = (from: ModelState): Steps =>
    events
      .filter((event) => from.calls.length < MOST_CALLS || event.startsWith('endpoint'))
      .filter((event) => modelEvents[event].enabled(from) && isOffered(event, from))
      .map((event) => ({ event, from, to: world.after(from, modelEvents[event].apply) }))
  const start = world.start()
  const nodes = [{ state: start, path: [] as Steps, next: stepsFrom(start) }]
  const seen = new Set([serializeModelState(start)])
  for (const { path, next } of nodes) {
    for (const step of next) {
      const key = serializeModelState(step.to)
      if (!seen.has(key)) nodes.push({ state: step.to, path: [...path, step], next: stepsFrom(step.to) })
      seen.add(key)
    }
  }
  return { start, nodes, stepsFrom }
}

/** What a step can show: the event, from where to where it leads, and by which transitions and results. */
function kindOf({ event, from, to }: ModelStep): string {
  const taken = to.taken.map(transitionName)
  return JSON.stringify([placeOf(from.chart.value), event, placeOf(to.chart.value), taken, to.outcomes])
}

/** Paths that together take every kind of step, each kind first on the shortest path to it. */
export function shortestPaths({ nodes }: Graph): Steps[] {
  const seen = new Set<string>()
  const paths: Steps[] = []
  for (const { path, next } of nodes) {
    for (const step of next) {
      if (seen.has(kindOf(step))) continue
      const steps = [...path, step]
      for (const one of steps) seen.add(kindOf(one))
      paths.push(steps)
    }
  }
  return withoutPrefixes(paths)
}

/** Paths of at most `length` steps that reach no world twice. */
export function simplePaths({ start, stepsFrom }: Graph, length: number): Steps[] {
  const paths: Steps[] = []
  const onPath = new Set<string>()
  function walk(state: ModelState, steps: Steps) {
    const key = serializeModelState(state)
    onPath.add(key)
    const possible = steps.length < length ? stepsFrom(state) : []
    const next = possible.filter(({ to }) => !onPath.has(serializeModelState(to)))
    if (next.length === 0 && steps.length > 0) paths.push(steps)
    for (const step of next) walk(step.to, [...steps, step])
    onPath.delete(key)
  }
  walk(start, [])
  return paths
}

/** Drops paths that another path begins with: they show nothing more. */
function withoutPrefixes(paths: readonly Steps[]): Steps[] {
  const names = (steps: Steps) => steps.map(({ event }) => event).join(' ')
  const prefixes = new Set(
    paths.flatMap((steps) => steps.slice(1).map((_, index) => names(steps.slice(0, index + 1)))),
  )
  return paths.filter((steps) => !prefixes.has(names(steps)))
}
