import { mapLayout } from '../chart/layouts.ts'

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('.')))

/** Parallel states: their children are active together. */
const PARALLEL = new Set(
  mapLayout.states.filter(({ kind }) => kind === 'region').map(({ id }) => parentOf(id)),
)

/** Returns the active states after a state was entered: the state, its ancestors, and the states of the other regions. */
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
