import type { SessionRecord, SessionStorage } from '../../core/ports.ts'

/** A store that ends with the scenario, and what it holds. */
export interface MemoryStore extends SessionStorage {
  read(): SessionRecord | undefined
}

export const createMemoryStore = (record?: SessionRecord): MemoryStore => {
  let held = record
  return {
    read: () => held,
    write(next) {
      held = next
    },
    clear() {
      held = undefined
    },
  }
}

/** A store with the session of the given one, its record changed. */
export const aged = (store: MemoryStore, change: Partial<SessionRecord>): MemoryStore => {
  const record = store.read()
  if (!record) throw new Error('There is no session in the store')
  return createMemoryStore({ ...record, ...change })
}
