import type { SessionRecord, SessionStorage } from '../../core/ports.ts'

/** A store in memory that can hold reads, fail, and change as if by another tab. */
export interface TestStore extends SessionStorage {
  /** The stored record. Set it to change the store as another tab would. */
  record: SessionRecord | undefined
  /** Whether every method throws. */
  broken: boolean
  /** Notifies the session that another tab changed the store. */
  notify(): void
  /** Holds reads until `release()`. */
  hold(): void
  release(): void
}

export function createTestStore(): TestStore {
  const listeners = new Set<() => void>()
  let waits: Promise<void> | undefined
  let release = () => {}
  const check = () => {
    if (store.broken) throw new Error('The store is broken')
  }
  const store: TestStore = {
    record: undefined,
    broken: false,
    read() {
      check()
      return waits ? waits.then(() => store.record) : store.record
    },
    write(record) {
      check()
      store.record = record
    },
    clear() {
      check()
      store.record = undefined
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    notify() {
      for (const listener of listeners) listener()
    },
    hold() {
      waits ??= new Promise((resolve) => {
        release = resolve
      })
    },
    release() {
      waits = undefined
      release()
    },
  }
  return store
}
