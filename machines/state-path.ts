/**
 * Formats a state value in one line: `authenticated.refreshable`, `refreshing: attempt.requesting, gate.open`.
 *
 * @param value the `value` of a snapshot, as XState has it
 * @returns the path of the active state; the paths of parallel regions are separated by commas
 *
 * @example
 * ```ts
 * statePath(auth.actor.getSnapshot().value) // 'authenticated.refreshable'
 * ```
 */
export function statePath(value: unknown): string {
  if (typeof value === 'string') return value
  const [[top, inner] = ['', ''], ...others] = Object.entries(value as object) as [string, unknown][]
  if (others.length > 0) return regionPaths(value)
  if (typeof inner === 'string') return `${top}.${inner}`
  return Object.keys(inner as object).length > 1
    ? `${top}: ${regionPaths(inner)}`
    : `${top}.${statePath(inner)}`
}

function regionPaths(regions: unknown): string {
  return Object.entries(regions as object)
    .map(([region, inner]) => `${region}.${statePath(inner)}`)
    .join(', ')
}

/**
 * The top-level state of a value: `'refreshing'` for `{ refreshing: { gate: 'open' } }`.
 *
 * @param value the `value` of a snapshot, as XState has it
 * @returns its name; an empty string for an empty object
 *
 * @example
 * ```ts
 * topState({ refreshing: { gate: 'open', attempt: 'requesting' } }) // 'refreshing'
 * ```
 */
export const topState = (value: unknown): string =>
  typeof value === 'string' ? value : (Object.keys(value as object)[0] ?? '')

/**
 * Lists the paths of all active states of a state value, outer states first: `{ refreshing: { gate: 'open' } }` gives
 * `refreshing`, `refreshing.gate` and `refreshing.gate.open`.
 *
 * @param value the `value` of a snapshot; anything else gives an empty list
 * @param parent what each path begins with. Default: nothing
 *
 * @example
 * ```ts
 * statePaths(auth.actor.getSnapshot().value).includes('refreshing.gate.closed')
 * ```
 */
export function statePaths(value: unknown, parent = ''): string[] {
  const below = (name: string) => (parent === '' ? name : `${parent}.${name}`)
  if (typeof value === 'string') return [below(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [below(name), ...statePaths(inner, below(name))])
}

/**
 * Paths of the active states without the regions in between: `['refreshing', 'refreshing.gate.open']`.
 *
 * @param value the `value` of a snapshot, as XState has it
 * @returns the top-level state, then one path for each innermost state that is active
 *
 * @example
 * ```ts
 * enteredStates({ refreshing: { gate: 'open', attempt: 'requesting' } })
 * // ['refreshing', 'refreshing.gate.open', 'refreshing.attempt.requesting']
 * ```
 */
export function enteredStates(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  const [[top, inner] = ['', '']] = Object.entries(value as object)
  return [top, ...leaves(inner, top)]
}

const leaves = (value: unknown, path: string): string[] =>
  typeof value === 'string'
    ? [`${path}.${value}`]
    : Object.entries(value as object).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`))
