/**
 * Formats a state value in one line: `authenticated.refreshable`, `refreshing: attempt.requesting, gate.open`.
 *
 * @param value the `value` of a snapshot, as XState has it
 * @returns the path of the active state; the paths of parallel regions are separated by commas. An empty string for anything else
 *
 * @example
 * ```ts
 * statePath(auth.actor.getSnapshot().value) // 'authenticated.refreshable'
 * ```
 */
export function statePath(value: unknown): string {
  if (typeof value === 'string') return value
  const [first, ...others] = entriesOf(value)
  if (!first) return ''
  if (others.length > 0) return regionPaths(value)
  const [top, inner] = first
  if (entriesOf(inner).length > 1) return `${top}: ${regionPaths(inner)}`
  return [top, statePath(inner)].filter(Boolean).join('.')
}

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : []

function regionPaths(regions: unknown): string {
  return entriesOf(regions)
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
  return entriesOf(value).flatMap(([name, inner]) => [below(name), ...statePaths(inner, below(name))])
}

/**
 * Paths of the active states without the regions in between: `['refreshing', 'refreshing.gate.open']`.
 *
 * @param value the `value` of a snapshot, as XState has it
 * @returns the top-level state, then one path for each innermost state that is active; nothing for anything else
 *
 * @example
 * ```ts
 * enteredStates({ refreshing: { gate: 'open', attempt: 'requesting' } })
 * // ['refreshing', 'refreshing.gate.open', 'refreshing.attempt.requesting']
 * ```
 */
export function enteredStates(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  const [first] = entriesOf(value)
  return first ? [first[0], ...leaves(first[1], first[0])] : []
}

const leaves = (value: unknown, path: string): string[] =>
  typeof value === 'string'
    ? [`${path}.${value}`]
    : entriesOf(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`))
