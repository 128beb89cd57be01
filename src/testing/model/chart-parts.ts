import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { authMachine, statePaths } from '../../../machines/index.ts'

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

/** What takes a transition: `error if isFatal`, `after untilRetry`, `always if hasSession`. */
export function triggerOf({ eventType, guard }: AnyTransitionDefinition): string {
  const trigger = eventType
    .replace(/^xstate\.after\.(\w+)\..*$/, 'after $1')
    .replace(/^xstate\.(done|error)\.actor\..*$/, '$1')
  return `${trigger || 'always'}${guard === undefined ? '' : ` if ${String(guard)}`}`
}

/** A transition by its source, its trigger and its guard. */
export function transitionName(transition: AnyTransitionDefinition): string {
  return `${pathOf(transition.source) || '(root)'} ${triggerOf(transition)}`
}

/** The paths of all states of the auth chart, without the root. */
export const chartStates: readonly string[] = statesOf(authMachine.root).map(pathOf).filter(Boolean)

/** The transitions of the auth chart. */
export const chartTransitions: readonly AnyTransitionDefinition[] = transitionsOf(authMachine.root)

type StateTree = Parameters<typeof statePaths>[0]

/** Whether a state value of the chart includes the state of a path, such as `refreshing.gate.closed`. */
export const isInState = (value: unknown, path: string): boolean =>
  statePaths(value as StateTree).includes(path)

/** A state value as one path: `authenticated.lastToken`. In `refreshing`: attempt and gate, `refreshing.offline.closed`. */
export const placeOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'refreshing' in value
    ? `refreshing.${Object.values(value.refreshing as object).join('.')}`
    : (statePaths(value as StateTree).at(-1) ?? '')

/** @throws TypeError if the chart has no state of that path */
export function assertState(where: string, state: string) {
  if (chartStates.includes(state)) return
  throw new TypeError(`${where}: the chart has no state ${state}. It has ${chartStates.join(', ')}.`)
}
