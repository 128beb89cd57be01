import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { authMachine } from '../../../machines/index.ts'

/** Every state of a chart, parents first. */
export function statesOf(root: AnyStateNode): AnyStateNode[] {
  return [root, ...Object.values(root.states).flatMap(statesOf)]
}

/** Every transition of a chart: by events, by delays, by invoked actors, and those that need no event. */
export function transitionsOf(root: AnyStateNode): AnyTransitionDefinition[] {
  return statesOf(root).flatMap((node) => [...[...node.transitions.values()].flat(), ...(node.always ?? [])])
}

/** A state by its path: `refreshing.gate.open`. */
export const pathOf = ({ path }: AnyStateNode): string => path.join('.')

/** What takes a transition, in words: `error if isFatal`, `after untilRetry`, `always if hasSession`. */
export function triggerOf({ eventType, guard }: AnyTransitionDefinition): string {
  const what = eventType
    .replace(/^xstate\.after\.(\w+)\..*$/, 'after $1')
    .replace(/^xstate\.(done|error)\.actor\..*$/, '$1')
  return `${what || 'always'}${guard === undefined ? '' : ` if ${String(guard)}`}`
}

/** A transition in words: where it is, what takes it, under which guard. */
export function transitionName(transition: AnyTransitionDefinition): string {
  return `${pathOf(transition.source) || '(root)'} ${triggerOf(transition)}`
}

/** The states of the auth chart by their paths, the root left out. */
export const chartStates: readonly string[] = statesOf(authMachine.root).map(pathOf).filter(Boolean)

/** The transitions of the auth chart. */
export const chartTransitions: readonly AnyTransitionDefinition[] = transitionsOf(authMachine.root)

/** Whether the chart is in the state of that path, whatever else it is in: `refreshing.gate.closed`. */
export function isInState(value: unknown, path: string): boolean {
  const [first = '', ...rest] = path.split('.')
  if (typeof value === 'string') return value === first && rest.length === 0
  if (typeof value !== 'object' || value === null || !(first in value)) return false
  return rest.length === 0 || isInState((value as Record<string, unknown>)[first], rest.join('.'))
}

/** @throws TypeError where the chart has no state of that path */
export function assertState(where: string, state: string) {
  if (chartStates.includes(state)) return
  throw new TypeError(`${where}: the chart has no state ${state}. It has ${chartStates.join(', ')}.`)
}
