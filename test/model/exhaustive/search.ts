/** Breadth-first search over states kept as bytes: to a fixed point, or to the first thing that is wrong. */
import { createByteSet } from './byte-set.ts'
import { createEdges } from './edges.ts'

/** What is searched. */
export interface Space<Step> {
  /** Bytes of a state; a multiple of 4. */
  readonly width: number
  /** The states to begin with. */
  initial(): Iterable<Uint8Array>
  /**
   * Every state that may follow, its bytes good until the call returns; then tells what is wrong where there is nothing
   * more to come.
   */
  expand(
    states: Uint8Array,
    at: number,
    visit: (next: Uint8Array, step: Step, wrong?: string) => void,
  ): string | undefined
}

export interface Finding {
  readonly wrong: string
  /** The states that lead there, as `expand` gave them. */
  readonly path: readonly Uint8Array[]
}

export interface Result {
  readonly states: number
  readonly transitions: number
  /** Steps on the shortest way to the state that is farthest away. */
  readonly deepest: number
  /** The first thing that is wrong, on a shortest way to it; `undefined`: every state there is was looked at. */
  readonly finding: Finding | undefined
  /** Whether a run can go in circles. Where none can, each of them comes to rest, whatever the order of its steps. */
  readonly endless: boolean
  readonly seconds: number
}

export function search<Step>(space: Space<Step>, { limit = 20_000_000 } = {}): Result {
  const started = performance.now()
  const seen = createByteSet(space.width)
  let parents = new Int32Array(1 << 16)
  const edges = createEdges()
  let finding: Finding | undefined
  let transitions = 0

  const pathTo = (index: number): Uint8Array[] => {
    const path: Uint8Array[] = []
    for (let at = index; at >= 0; at = parents[at]!) path.unshift(seen.get(at))
    return path
  }

  const add = (bytes: Uint8Array, parent: number): number => {
    const before = seen.size
    const index = seen.add(bytes)
    if (index === before) {
      if (index >= limit) throw new Error(`More than ${limit} states`)
      if (index === parents.length) {
        const grown = new Int32Array(parents.length * 2)
        grown.set(parents)
        parents = grown
      }
      parents[index] = parent
    }
    return index
  }

  for (const bytes of space.initial()) add(bytes, -1)
  let deepest = 0
  let levelEnd = seen.size
  let current = 0
  const visit = (next: Uint8Array, _step: Step, wrong?: string) => {
    transitions++
    if (finding) return
    if (wrong) finding = { wrong, path: [...pathTo(current), next.slice()] }
    else edges.add(add(next, current))
  }
  for (; current < seen.size && !finding; current++) {
    if (current === levelEnd) {
      deepest++
      levelEnd = seen.size
    }
    edges.open(current)
    const wrong = space.expand(seen.bytes(current), seen.offset(current), visit)
    if (wrong && !finding) finding = { wrong, path: pathTo(current) }
  }
  edges.open(current)
  return {
    states: seen.size,
    transitions,
    deepest,
    finding,
    endless: !finding && edges.hasCycle(seen.size),
    seconds: (performance.now() - started) / 1000,
  }
}
