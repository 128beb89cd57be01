import { endsSession } from '../../machines/policies.ts'
import type { EndedSession } from '../core/ports.ts'
import { compareStored, widerEnd } from './compare.ts'
import {
  type Acquired,
  DEFAULT_LEASE,
  type Fleet,
  type Holder,
  SHORTEST_MEMORY,
  type StoredSession,
} from './fleet.ts'
import { Messages } from './messages.ts'

/** Options of `memoryFleet`. */
export interface MemoryFleetOptions {
  /** How long a turn lasts, in milliseconds. Default: 3,000. */
  readonly lease?: number
  /** Milliseconds since the Unix epoch. Default: `Date.now`. */
  readonly now?: () => number
}

/** The least number of changes between two removals of entries whose time has passed. */
const SWEEP_LEAST = 1_000

interface Entry {
  session: StoredSession | undefined
  writtenAt: number
  ended: (EndedSession & { readonly until: number }) | undefined
  lastUse: number | undefined
  fence: number
  owner: string
  leaseEnd: number
  mark: { readonly rotation: number; readonly owner: string; readonly at: number } | undefined
}

/**
 * A fleet of one process, for development and tests: sessions are lost when it ends. In production, processes share a
 * `redisFleet` or a `postgresFleet`.
 *
 * @returns the value of the option `fleet`
 *
 * @example
 * ```ts
 * const pool = createAuthPool({ fleet: memoryFleet(), keys: keyRing({ dev: secret }), refresh })
 * ```
 */
export function memoryFleet(options: MemoryFleetOptions = {}): Fleet {
  const { lease = DEFAULT_LEASE, now = Date.now } = options
  const entries = new Map<string, Entry>()
  const messages = new Messages()
  let markedAt = 0
  /** After how many changes those entries are removed whose time has passed. */
  let changesLeft = SWEEP_LEAST

  function entryOf(key: string): Entry {
    if (--changesLeft <= 0) sweep()
    const entry = look(key)
    entries.set(key, entry)
    return entry
  }
  function sweep(): void {
    for (const key of entries.keys()) {
      const { session, ended, leaseEnd, lastUse = 0 } = look(key)
      const usedUntil = Math.max(leaseEnd, lastUse + SHORTEST_MEMORY)
      if (!session && !ended && usedUntil <= now()) entries.delete(key)
    }
    changesLeft = Math.max(SWEEP_LEAST, entries.size)
  }
  /** What is known of a key. Nothing is kept of one that is only looked at: anyone may invent keys. */
  function look(key: string): Entry {
    const found = entries.get(key)
    if (found?.session && found.session.until <= now()) found.session = undefined
    if (found?.ended && found.ended.until <= now()) found.ended = undefined
    return (
      found ?? {
        session: undefined,
        writtenAt: 0,
        ended: undefined,
        lastUse: undefined,
        fence: 0,
        owner: '',
        leaseEnd: 0,
        mark: undefined,
      }
    )
  }
  const isHolder = (entry: Entry, { fence, owner }: Holder) => entry.fence === fence && entry.owner === owner
  /** Later, as from a database. */
  const notify = (key: string, message: string) => queueMicrotask(() => messages.deliver(key, message))

  return {
    lease,
    notifies: true,
    async read(key) {
      const { session, writtenAt } = look(key)
      return session && { ...session, age: now() - writtenAt }
    },

    async readStart(key) {
      const { session, ended } = look(key)
      return (session ?? ended)?.startedAt
    },

    async replace(key, next, expected) {
      const entry = entryOf(key)
      const result = compareStored(entry.session, entry.ended, next, expected)
      if (result !== 'written') return result
      const isAnother = entry.session !== undefined && entry.session.id !== next.id
      if (entry.mark && (isAnother || entry.mark.rotation < next.rotation)) entry.mark = undefined
      entry.session = next
      entry.writtenAt = now()
      entry.ended = undefined
      notify(key, `${next.id} ${next.rotation}`)
      return result
    },

    async remove(key, ended) {
      const entry = entryOf(key)
      const { session } = entry
      if (session && ended && !endsSession(ended, session, false)) return undefined
      const remembered = ended ?? session
      if (remembered) {
        const { id, rotation, startedAt } = remembered
        const covered = ended ? { id, rotation, startedAt } : { id, rotation: Infinity, startedAt: Infinity }
        const until = Math.max(session?.until ?? 0, entry.ended?.until ?? 0, now() + SHORTEST_MEMORY)
        entry.ended = { ...widerEnd(entry.ended, covered), until }
      }
      entry.session = undefined
      entry.mark = undefined
      entry.lastUse = undefined
      notify(key, '')
      return session
    },

    async find(tag) {
      const keys = [...entries.keys()].filter((key) => look(key).session?.tags.includes(tag))
      return { keys, cursor: undefined }
    },

    async readLastUse(key) {
      const { lastUse } = look(key)
      return lastUse === undefined ? undefined : now() - lastUse
    },
    async writeLastUse(key, ago) {
      entryOf(key).lastUse = now() - ago
    },

    async acquire(key, owner, awaited, time = lease): Promise<Acquired> {
      const entry = entryOf(key)
      const { mark } = entry
      const isForeign = mark !== undefined && mark.owner !== owner
      const isHeld = entry.leaseEnd > now() && entry.owner !== owner
      if (isHeld || (isForeign && mark.at !== awaited))
        return { result: 'held', markedAt: isForeign ? mark.at : undefined }
      entry.fence++
      entry.owner = owner
      entry.leaseEnd = now() + time
      const interrupted = isForeign ? mark.rotation : undefined
      return { result: 'granted', fence: entry.fence, interrupted, isSuspect: false }
    },

    async present(key, holder, { id, rotation }, time = lease) {
      const entry = look(key)
      const { session, ended } = entry
      const isOutdated = session
        ? session.id !== id || session.rotation > rotation
        : ended && (ended.id !== '' || ended.startedAt === Infinity)
      if (!isHolder(entry, holder) || isOutdated) return false
      // No two marks have the same number.
      markedAt = Math.max(now(), markedAt + 1)
      entry.mark = { rotation, owner: holder.owner, at: markedAt }
      entry.leaseEnd = now() + time
      return true
    },

    async release(key, holder, isSettled) {
      const entry = look(key)
      if (!isHolder(entry, holder)) return
      entry.leaseEnd = 0
      entry.owner = ''
      if (isSettled && entry.mark?.owner === holder.owner) entry.mark = undefined
      notify(key, 'free')
    },

    async publish(key, message) {
      notify(key, message)
    },
    subscribe: messages.subscribe,
  }
}
