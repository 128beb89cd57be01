import { mapLayout } from '../chart/layouts.ts'

/** The paths of all states of a state value, outer ones first: `{ refreshing: { gate: 'open' } }`. */
export function pathsOf(value: unknown, parent = ''): string[] {
  const below = (name: string) => (parent === '' ? name : `${parent}.${name}`)
  if (typeof value === 'string') return [below(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [below(name), ...pathsOf(inner, below(name))])
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('.')))

/** States whose children are active together. */
const PARALLEL = new Set(
  mapLayout.states.filter(({ kind }) => kind === 'region').map(({ id }) => parentOf(id)),
)

/** The states after one was entered: those around it, and those that stand beside it. */
export function entered(active: readonly string[], to: string): readonly string[] {
  const around = to.split('.').map((_, index, names) => names.slice(0, index + 1).join('.'))
  const beside = active.filter((path) => !around.includes(path) && PARALLEL.has(commonParent(path, to)))
  return [...around, ...beside]
}

function commonParent(one: string, other: string): string {
  let parent = parentOf(one)
  while (parent !== '' && !other.startsWith(`${parent}.`)) parent = parentOf(parent)
  return parent
}
