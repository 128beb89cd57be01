import type { SessionStorage } from '../ports.ts'
import type { Turns } from './sharing.ts'

/** The key under which a store says where it stores: an object, and a name within it. */
export const PLACE: unique symbol = Symbol.for('authchart.place')

/** The key under which a store makes refreshes wait. */
export const WAIT: unique symbol = Symbol.for('authchart.wait')

export interface Placed {
  readonly [PLACE]?: () => readonly [owner: object, name: string]
  readonly [WAIT]?: () => Promise<unknown> | undefined
}

/** The key under which an asynchronous store removes its record at once: the page may be left before `clear` gets its turn. */
export const REMOVE: unique symbol = Symbol.for('authchart.remove')

export interface Removable {
  readonly [REMOVE]?: () => unknown
}

/** The sessions of one store that wait for their turn. */
interface Line {
  last: Promise<unknown>
  /** How many turns have not ended. */
  pending: number
}

/** Under a name that another copy of this package finds, too. */
const LINES = Symbol.for('authchart.turns')

type World = { [LINES]?: WeakMap<object, Map<string, Line>> }

/**
 * The lock of a session that names no coordinator: sessions of one page or process on the same store take turns. A replaced
 * module and a second entry point leave such sessions behind.
 */
export const sameStoreTurns = (storage: SessionStorage & Placed): Turns => ({
  exclusive(_name, task, { signal }) {
    const world = globalThis as World
    world[LINES] ??= new WeakMap()
    const [owner, name] = placeOf(storage)
    const lines = world[LINES].get(owner) ?? new Map<string, Line>()
    world[LINES].set(owner, lines)
    const line = lines.get(name) ?? { last: Promise.resolve(), pending: 0 }
    lines.set(name, line)
    line.pending++
    const turn = line.last.then(() => {
      if (signal.aborted) throw signal.reason
      return task()
    })
    line.last = turn
      .catch(() => {})
      .then(() => {
        if (--line.pending === 0) lines.delete(name)
      })
    return turn
  },
})

/** Where a store stores. Reading `localStorage` throws if the browser blocks storage. */
function placeOf(storage: SessionStorage & Placed): readonly [owner: object, name: string] {
  try {
    return storage[PLACE]?.() ?? [storage, '']
  } catch {
    return [storage, '']
  }
}
