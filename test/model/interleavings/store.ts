import type { SessionRecord, SessionStorage } from '../../../src/core/ports.ts'
import { type Page, runs } from './clock.ts'
import type { Edges } from './edges.ts'

export type Fault =
  | 'none'
  /** Everything throws. */
  | 'throws'
  /** Nothing is done, and nothing answers. */
  | 'hangs'
  /** Reads give what nobody wrote. */
  | 'garbage'
  /** Writes leave half a record, and say that all is well. */
  | 'torn'
  /** Writes throw, all else works. */
  | 'quota'
  /** Writes do nothing, and say that all is well. */
  | 'forgets'

/** One write, as it is asked for: what the page wants kept, and what is there. */
export interface Write {
  readonly page: Page
  readonly record: SessionRecord
  readonly over: SessionRecord | undefined
  /** It will not be kept, or what is there cannot be seen. */
  readonly blind: boolean
  /** The page has seen that this store keeps records, so that it can tell one that was taken away. */
  readonly trusts: boolean
}

/** One record taken away by who is done with its session. */
export interface Clearing {
  readonly page: Page
  readonly record: SessionRecord | undefined
  /** It has never seen that this record took the place of its own. */
  readonly unseen: boolean
}

/**
 * A place to keep a session that pages share, as `localStorage` (at once) or as a database (an edge for each operation).
 */
export function createStore({
  edges,
  pages,
  slow,
  tells,
  onRead,
  onWrite,
  onClear,
}: {
  edges: Edges
  /** Who is told of changes, where `tells` is set: everybody but who made them. */
  pages: () => readonly { readonly page: Page; hear(): void }[]
  slow: boolean
  tells: boolean
  /** A record was found. */
  onRead: (page: Page, found: SessionRecord) => void
  onWrite: (write: Write) => void
  onClear: (clearing: Clearing) => void
}) {
  let record: SessionRecord | undefined
  let torn: object | undefined
  let fault: Fault = 'none'
  /** How often something went wrong. */
  let failures = 0
  /** How often a record was taken away. */
  let removals = 0
  /** A sign-in took its time, and was written over a later one. */
  let disordered = false
  const listeners = new Map<Page, () => void>()
  /** Pages that got a record from here. */
  const trusting = new Set<Page>()
  /** Which session each page saw here last. */
  const seen = new Map<Page, string | undefined>()

  function set(by: Page | undefined, next: SessionRecord | undefined) {
    if (!next && record) removals++
    record = next
    torn = undefined
    if (!tells) return
    for (const { page, hear } of pages()) {
      if (page !== by)
        edges.add({
          label: `${page.name} sees that the store changed`,
          to: page,
          deliver: hear,
          lose: undefined,
        })
    }
  }

  function operate<T>(page: Page, what: string, apply: () => T): T | Promise<T> {
    const faulty = (): T => {
      if (fault === 'throws' || (fault === 'quota' && what === 'write')) {
        failures++
        throw new RangeError('the store is broken')
      }
      return apply()
    }
    if (fault === 'hangs') {
      failures++
      return new Promise<T>(() => {})
    }
    // What was asked of a database is done even where the page that asked is gone by then.
    return slow ? edges.travel(`the ${what} of ${page.name}`, page.gone ? undefined : page, faulty) : faulty()
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
    /** Somebody empties it by hand. */
    wipe: () => set(undefined, undefined),
    get listening() {
      return listeners.size
    },
    hear: (page: Page) => runs(page) && listeners.get(page)?.(),

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
        onWrite({ page, record: next, over: record, blind: slow || fault !== 'none', trusts })
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
      ...(tells && {
        subscribe(onChange: () => void) {
          listeners.set(page, onChange)
          return () => void listeners.delete(page)
        },
      }),
    }),
    listens: (page: Page) => listeners.has(page),
  }
}

export type Store = ReturnType<typeof createStore>
