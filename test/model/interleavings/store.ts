import type { SessionRecord, SessionStorage } from '../../../src/core/ports.ts'
import { type Page, runs, type WorldClock } from './clock.ts'
import type { Edges } from './edges.ts'

export type Fault =
  | 'none'
  /** Every operation throws. */
  | 'throws'
  /** No operation has an effect or ever settles. */
  | 'hangs'
  /** Reads return a record that was never written. */
  | 'garbage'
  /** Writes leave half a record, and report success. */
  | 'torn'
  /** Writes throw; other operations work. */
  | 'quota'
  /** Writes do nothing, and report success. */
  | 'forgets'

/** One write: the record to be stored, and the record that it overwrites. */
export interface Write {
  readonly page: Page
  readonly record: SessionRecord
  readonly overwritten: SessionRecord | undefined
  /** The record will not be stored, or the one that is stored cannot be seen. */
  readonly blind: boolean
  /** The page has seen that this store keeps records, so it can notice a record that was cleared. */
  readonly trusts: boolean
}

/** One record that a page cleared because it has ended the session. */
export interface Clearing {
  readonly page: Page
  readonly record: SessionRecord | undefined
  /** The page has not seen that this record replaced its own. */
  readonly unseen: boolean
}

/**
 * A store that pages share: synchronous like `localStorage`, or like a database, with an edge for each operation.
 */
export function createStore({
  clock,
  edges,
  pages,
  slow,
  notifies,
  sharesLastUse,
  onRead,
  onWrite,
  onClear,
}: {
  clock: WorldClock
  edges: Edges
  /** The pages that are notified of changes if `notifies` is set. The page that made a change is skipped. */
  pages: () => readonly { readonly page: Page; notify(): void }[]
  slow: boolean
  notifies: boolean
  /** Whether it also holds when the session was last used. */
  sharesLastUse: boolean
  /** Called when a page has read a record. */
  onRead: (page: Page, found: SessionRecord) => void
  onWrite: (write: Write) => void
  onClear: (clearing: Clearing) => void
}) {
  let record: SessionRecord | undefined
  let torn: object | undefined
  let lastUse: number | undefined
  let fault: Fault = 'none'
  /** How often an operation failed. */
  let failures = 0
  /** How often a record was cleared. */
  let removals = 0
  /** Whether a slow sign-in has overwritten a later one. */
  let disordered = false
  const listeners = new Map<Page, () => void>()
  /** The uptime of the last operation of each page that will never settle. */
  const hungAt = new Map<Page, number>()
  /** Pages that have read a record from this store. */
  const trusting = new Set<Page>()
  /** The session that each page last saw in this store. */
  const seen = new Map<Page, string | undefined>()

  function set(by: Page | undefined, next: SessionRecord | undefined) {
    if (!next && record) removals++
    if (!next) lastUse = undefined
    record = next
    torn = undefined
    if (!notifies) return
    for (const { page, notify } of pages()) {
      if (page !== by)
        edges.add({
          label: `${page.name} sees that the store changed`,
          to: page,
          deliver: notify,
          lose: undefined,
        })
    }
  }

  function operate<T>(page: Page, what: string, apply: () => T): T | Promise<T> {
    const faulty = (): T => {
      if (fault === 'throws' || (fault === 'quota' && what.startsWith('write'))) {
        failures++
        throw new RangeError('the store is broken')
      }
      return apply()
    }
    if (fault === 'hangs') {
      failures++
      hungAt.set(page, clock.uptime)
      return new Promise<T>(() => {})
    }
    // A database completes an operation even if the page has been closed.
    return slow
      ? edges.travel(`the ${what} of ${page.name}`, page.closed ? undefined : page, faulty)
      : faulty()
  }

  return {
    get record() {
      return record
    },
    get fault() {
      return fault
    },
    get failures() {
      return failures
    },
    get removals() {
      return removals
    },
    get disordered() {
      return disordered
    },
    breaks(how: Fault) {
      fault = how
    },
    /** Empties the store from outside, as a user can. */
    wipe: () => set(undefined, undefined),
    get listening() {
      return listeners.size
    },
    notify: (page: Page) => runs(page) && listeners.get(page)?.(),

    storageOf: (page: Page): SessionStorage => ({
      read: () =>
        operate(page, 'read', () => {
          seen.set(page, record?.id)
          if (record) {
            trusting.add(page)
            onRead(page, record)
          }
          if (fault !== 'garbage') return torn ?? record
          failures++
          return { version: 1, garbage: true }
        }),
      write(next) {
        const trusts = trusting.has(page)
        onWrite({ page, record: next, overwritten: record, blind: slow || fault !== 'none', trusts })
        return operate(page, 'write', () => {
          seen.set(page, next.id)
          if (slow && next.rotation === 0 && record && next.startedAt < record.startedAt) disordered = true
          if (fault !== 'torn' && fault !== 'forgets') return set(page, next)
          failures++
          if (fault === 'forgets') return
          set(page, undefined)
          torn = { ...next, accessToken: undefined }
        })
      },
      clear() {
        onClear({ page, record, unseen: record !== undefined && seen.get(page) !== record.id })
        return operate(page, 'clear', () => set(page, undefined))
      },
      ...(sharesLastUse && {
        readLastUse: () =>
          operate(page, 'read of the last use', () => {
            if (fault !== 'garbage') return lastUse
            failures++
            return 'garbage'
          }),
        writeLastUse: (at: number) =>
          operate(page, 'write of the last use', () => {
            if (fault === 'forgets') failures++
            else lastUse = at
          }),
      }),
      ...(notifies && {
        subscribe(onChange: () => void) {
          listeners.set(page, onChange)
          return () => void listeners.delete(page)
        },
      }),
    }),
    listens: (page: Page) => listeners.has(page),
    /** The uptime at which a page last began an operation that will never settle. */
    hungAt: (page: Page) => hungAt.get(page) ?? Number.NEGATIVE_INFINITY,
  }
}
