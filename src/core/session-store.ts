import { StorageError } from './errors.ts'
import type { PersistMode } from './options.ts'
import type { Clock, SessionRecord, SessionStorage } from './ports.ts'
import { isPromiseLike } from './promise-like.ts'
import { isHeaderSafe } from './token-response.ts'

/**
 * The user's store, made safe: operations run one after another, none takes longer than `timeout` milliseconds, and
 * none fails. What goes wrong is told to `onFailure`, and the session lives on in memory.
 */
export function createSessionStore(
  given: SessionStorage | undefined,
  {
    clock,
    timeout,
    persist = 'all',
    onFailure,
  }: {
    clock: Clock
    timeout: number
    persist?: PersistMode
    onFailure: (error: StorageError) => void
  },
) {
  const storage = persist === 'none' ? undefined : given
  /** The last operation, while one runs. A store that answers at once is used at once. */
  let tail: Promise<unknown> | undefined

  /** Whether it has this session's record, as far as is known: only then does it say something that it is empty. */
  let holds = false
  /** Whether it tells of changes, or ever gave a record back: there are stores that take everything and keep nothing. */
  let keeps = storage?.subscribe !== undefined
  let disposed = false
  const waiting = new Set<() => void>()

  function enqueue(operation: () => unknown, ...remedies: (() => unknown)[]): unknown {
    const result = tail ? tail.then(() => run(operation, remedies)) : run(operation, remedies)
    if (!isPromiseLike(result)) return result
    const turn: Promise<unknown> = Promise.resolve(result).finally(() => {
      if (tail === turn) tail = undefined
    })
    tail = turn
    return released(turn)
  }

  /** Who waits for its turn does not wait beyond `dispose`; the operation itself is done all the same, in its order. */
  function released(turn: Promise<unknown>): Promise<unknown> {
    if (disposed) return Promise.resolve(FAILED)
    return new Promise((resolve) => {
      const leave = () => resolve(FAILED)
      waiting.add(leave)
      void turn.then((result) => {
        waiting.delete(leave)
        resolve(result)
      })
    })
  }

  /** Where it fails, tries the remedies, one after the other; the app is told once. */
  function run(operation: () => unknown, remedies: readonly (() => unknown)[], told = false): unknown {
    const failed = (error: unknown) => {
      if (!told) fail(error)
      // A store that does not answer is not asked more than it must be.
      const [next, ...others] =
        error instanceof StorageError && error.reason === 'timeout' ? remedies.slice(-1) : remedies
      return next ? run(next, others, true) : FAILED
    }
    try {
      const result = operation()
      return isPromiseLike(result) ? bounded(Promise.resolve(result)).catch(failed) : result
    } catch (error) {
      return failed(error)
    }
  }

  /** Who waits for the store waits no longer than `timeout`, nor than `dispose`. */
  function bounded(result: Promise<unknown>): Promise<unknown> {
    if (disposed) return result
    return new Promise((resolve, reject) => {
      const leave = () => {
        clock.clearTimeout(timer)
        waiting.delete(leave)
        resolve(FAILED)
      }
      const timer = clock.setTimeout(() => {
        reject(new StorageError('', { reason: 'timeout' }))
        leave()
      }, timeout)
      waiting.add(leave)
      result.then(resolve, reject).finally(leave)
    })
  }

  /** What the app was told of since something was written last: that it goes on is no news. */
  const known = new Set<string | undefined>()

  function fail(error: unknown) {
    // What a store throws may quote what it holds, so only the kind of error is kept.
    const kind =
      error instanceof StorageError ? error.reason : error instanceof Error ? error.name : undefined
    if (known.has(kind)) return
    known.add(kind)
    onFailure(new StorageError('The session store failed; the session lives on in memory.', { reason: kind }))
  }

  /** Before anything else is done to the store: a write that comes next would look like a record that is gone. */
  function look(value: unknown): SessionRecord | 'gone' | undefined {
    if (isSessionRecord(value)) {
      holds = true
      keeps = true
      return value
    }
    // That it is gone stays news: who looks may find that his mark is out of date, and leave it at that.
    if (value === undefined || value === null) return holds ? 'gone' : undefined
    holds = false
    fail(new StorageError('', { reason: 'invalid_record' }))
    return undefined
  }

  if (given && !storage) void enqueue(() => given.clear())

  const empty = (): unknown => {
    holds = false
    return storage?.clear()
  }

  return {
    /** Whether sessions are kept at all, and so can be found by others, or later. */
    keepsSession: storage !== undefined,

    /** Whether it can be believed when a record is gone that nobody has told of. */
    get keeps() {
      return keeps
    },

    /** Gives the record; `'gone'` where there was one and somebody took it away; nothing where there is none to use. */
    async read(): Promise<SessionRecord | 'gone' | 'unreadable' | undefined> {
      if (!storage) return undefined
      const found = await enqueue(() => {
        const value = storage.read()
        return isPromiseLike(value) ? value.then(look) : look(value)
      })
      return found === FAILED ? 'unreadable' : (found as SessionRecord | 'gone' | undefined)
    },

    /**
     * Writes what `current` gives when its turn comes: nothing, where the session is over by then. A renewal, which others
     * may have overtaken, names `onOvertaken`: it is called instead of writing over a newer session, or where ours was taken away.
     */
    save(
      current: (lean?: boolean) => SessionRecord | undefined,
      onOvertaken?: (by: Overtaken) => void,
    ): unknown {
      if (!storage) return undefined
      const write = (lean?: boolean) => {
        const record = current(lean)
        if (!record) return undefined
        const written = storage.write(record)
        holds = true
        if (isPromiseLike(written)) return written.then(() => known.clear())
        known.clear()
        return undefined
      }
      return enqueue(
        () => {
          if (!onOvertaken || !current()) return write()
          const writeUnless = (stored: unknown) => {
            const record = current()
            const by = record && overtaken(record, stored, holds && keeps)
            return by ? onOvertaken(by) : write()
          }
          return afterReading(storage, writeUnless, () => write())
        },
        // Where there is little room, there may still be enough for what the next start cannot do without.
        () => write(true),
        // It may still hold a refresh token that is spent: presented again after a reload, that one would end the
        // session on the server. Better no record than that one.
        empty,
      )
    },

    /** Empties it; where a session is named, only of that one and of older ones. `onFound` is told what was there. */
    clear(
      ended?: Pick<SessionRecord, 'id' | 'startedAt'>,
      onFound?: (record: SessionRecord) => void,
    ): unknown {
      if (!storage) return undefined
      const emptyUnless = (stored: unknown) => {
        if (!isSessionRecord(stored)) return empty()
        onFound?.(stored)
        return ended && stored.id !== ended.id && stored.startedAt > ended.startedAt ? undefined : empty()
      }
      return enqueue(() => (ended || onFound ? afterReading(storage, emptyUnless, empty) : empty()))
    },

    /** The session it held is over here, too: that it is gone is no news any more. */
    forget() {
      holds = false
    },

    /** Resolves when all that was asked of it is done. */
    idle: async () => void (await tail),

    /** Lets go of who waits; what was asked of the store before is done all the same. */
    dispose() {
      disposed = true
      for (const leave of waiting) leave()
    },

    subscribe(onChange: () => void): () => void {
      try {
        const hear = () => {
          keeps = true
          onChange()
        }
        return storage?.subscribe?.(hear) ?? (() => {})
      } catch (error) {
        // A moment later, when who just called `createAuth` can listen.
        void Promise.resolve().then(() => fail(error))
        return () => {}
      }
    },
  }
}

export type SessionStore = ReturnType<typeof createSessionStore>

const FAILED = Symbol('failed')

/** Looks at what is there before it is changed; where that cannot be seen, it is changed all the same. */
function afterReading(
  storage: SessionStorage,
  seen: (stored: unknown) => unknown,
  unseen: () => unknown,
): unknown {
  let stored: unknown
  try {
    stored = storage.read()
  } catch {
    return unseen()
  }
  return isPromiseLike(stored) ? stored.then(seen, unseen) : seen(stored)
}

/** What happened to a session in the store while it was renewed here. */
export type Overtaken = 'gone' | 'newer'

function overtaken(record: SessionRecord, stored: unknown, held: boolean): Overtaken | undefined {
  if (isSessionRecord(stored)) {
    const older =
      stored.id === record.id ? stored.rotation <= record.rotation : stored.startedAt <= record.startedAt
    return older ? undefined : 'newer'
  }
  return held && (stored === undefined || stored === null) ? 'gone' : undefined
}

const optional = (value: unknown, type: 'string' | 'number') => value === undefined || typeof value === type

/** Whether a store gave back what was written there, and not another version's, another library's, or garbage. */
export function isSessionRecord(value: unknown): value is SessionRecord {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Record<string, unknown>
  return (
    record.version === 1 &&
    typeof record.id === 'string' &&
    // Left out on purpose, it is `null`: a record that lacks it was torn.
    (record.accessToken === null ||
      (typeof record.accessToken === 'string' && isHeaderSafe(record.accessToken))) &&
    Number.isFinite(record.rotation) &&
    Number.isFinite(record.startedAt) &&
    Number.isFinite(record.receivedAt) &&
    optional(record.refreshToken, 'string') &&
    optional(record.idToken, 'string') &&
    optional(record.scope, 'string') &&
    optional(record.subject, 'string') &&
    optional(record.expiresAt, 'number') &&
    optional(record.refreshTokenExpiresAt, 'number')
  )
}
