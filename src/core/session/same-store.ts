import type { Coordinator, SessionStorage, TurnWait } from '../ports.ts'

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

/** The turns of sessions that share a store. */
interface Turns {
  last: Promise<unknown>
  /** How many turns have not ended. */
  pending: number
}

/** Under a name that another copy of this package finds, too. */
const TURNS = Symbol.for('authchart.turns')

type World = { [TURNS]?: WeakMap<object, Map<string, Turns>> }

/**
 * The lock of a session that names no coordinator: sessions of one page or process on the same store take turns. A replaced
 * module and a second entry point leave such sessions behind.
 */
export class SameStoreTurns implements Pick<Coordinator, 'exclusive'> {
  readonly #storage: SessionStorage & Placed

  constructor(storage: SessionStorage) {
    this.#storage = storage
  }

  exclusive<T>(_name: string, task: () => Promise<T>, { signal }: Pick<TurnWait, 'signal'>): Promise<T> {
    const world = globalThis as World
    world[TURNS] ??= new WeakMap()
    const [owner, name] = this.#place
    const names = world[TURNS].get(owner) ?? new Map<string, Turns>()
    world[TURNS].set(owner, names)
    const turns = names.get(name) ?? { last: Promise.resolve(), pending: 0 }
    names.set(name, turns)
    turns.pending++
    const turn = turns.last.then(() => {
      if (signal.aborted) throw signal.reason
      return task()
    })
    turns.last = turn
      .catch(() => {})
      .then(() => {
        if (--turns.pending === 0) names.delete(name)
      })
    return turn
  }

  /** Reading `localStorage` throws if the browser blocks storage. */
  get #place(): readonly [object, string] {
    try {
      return this.#storage[PLACE]?.() ?? [this.#storage, '']
    } catch {
      return [this.#storage, '']
    }
  }
}
