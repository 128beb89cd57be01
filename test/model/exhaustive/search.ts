/** Breadth-first search over states encoded as bytes, to a fixed point or to the first violation. */
import { createByteSet } from './byte-set.ts'
import { createEdges } from './edges.ts'

/**
 * Time limit of a test that searches or walks, in milliseconds. Such a test uses the CPU all the time, so on a busy
 * machine it takes many times longer than alone. The global limit is meant for tests that wait.
 */
export const SEARCH_TIMEOUT = 600_000

/** The states to search. */
export interface Space<Step> {
  /** Number of bytes of a state; a multiple of 4. */
  readonly width: number
  /** The states with which the search begins. */
  initial(): Iterable<Uint8Array>
  /**
   * Calls `visit` with every state that may follow; the bytes are valid until the call returns. Returns the violation
   * if the state at `at` is at rest and violates an invariant.
   */
  expand(
    states: Uint8Array,
    at: number,
    visit: (next: Uint8Array, step: Step, wrong?: string) => void,
  ): string | undefined
}

export interface Finding {
  readonly wrong: string
  /** The states on the way to the violation, as `expand` passed them to `visit`. */
  readonly path: readonly Uint8Array[]
}

export interface Result {
  readonly states: number
  readonly transitions: number
  /** The largest number of steps that a shortest way to any state has. */
  readonly deepest: number
  /** The first violation, with a shortest way to it. `undefined`: every reachable state was visited. */
  readonly finding: Finding | undefined
  /** Whether a run can have a cycle. If not, every run comes to rest, in whatever order its steps are taken. */
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
      if (index >= limit)
        throw new Error(`More than ${limit} states: reduce the budget of the setting, or raise \`limit\``)
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
