import type { StorageFeature } from '../../core/features/feature.ts'
import { defineStorage } from '../../core/features/share.ts'
import type { SessionRecord } from '../../core/ports.ts'

/** A store in memory, with a synchronous `read`. */
export interface MemoryStore extends StorageFeature {
  read(): SessionRecord | undefined
}

export const createMemoryStore = (record?: SessionRecord): MemoryStore => {
  let stored = record
  const read = () => stored
  const storage = defineStorage({
    read,
    write(next) {
      stored = next
    },
    clear() {
      stored = undefined
    },
  })
  return { ...storage, read }
}

/** A new store with a changed copy of the record in `store`. */
export const aged = (store: MemoryStore, change: Partial<SessionRecord>): MemoryStore => {
  const record = store.read()
  if (!record) throw new Error('The store has no session')
  return createMemoryStore({ ...record, ...change })
}
