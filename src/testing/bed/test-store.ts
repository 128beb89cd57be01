import type { Reason } from '../../../machines/index.ts'
import type { Coordinator, CoordinatorMessage, SessionRecord, SessionStorage } from '../../core/ports.ts'

/** A store in memory that can hold reads, fail, and change as if by another tab. */
export interface TestStore extends SessionStorage {
  /** The stored record. Set it to change the store as another tab would. */
  record: SessionRecord | undefined
  /** Whether every method throws. */
  broken: boolean
  /** Notifies the session that another tab changed the store. */
  notify(): void
  /** Another tab ends the stored session, and announces why: `'signed_out'`, or the reason of an expiry. */
  end(reason: Reason): void
  /** The channel of the tabs. Its lock is always free. */
  readonly coordinator: Coordinator
  /** Holds reads until `release()`. */
  hold(): void
  /** Answers the reads that `hold()` holds, with what is stored by then. Does nothing without `hold()`. */
  release(): void
}

export function createTestStore(): TestStore {
  const listeners = new Set<() => void>()
  const tabs = new Set<(message: CoordinatorMessage) => void>()
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
    end(reason) {
      if (!store.record) return
      const { id: session, rotation, startedAt } = store.record
      store.record = undefined
      for (const tab of tabs)
        tab({ type: 'ended', epoch: 0, generation: 0, reason, session, rotation, startedAt })
      store.notify()
    },
    coordinator: {
      exclusive: (_name, task) => task(),
      announce() {},
      subscribe(listener) {
        tabs.add(listener)
        return () => tabs.delete(listener)
      },
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
