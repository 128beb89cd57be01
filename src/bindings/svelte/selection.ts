import { onMount, untrack } from 'svelte'
import { createSubscriber } from 'svelte/reactivity'
import type { Select, SnapshotSelector } from '../selectors.ts'
import { type AnyAuth, type AuthSnapshot, type AuthStore, RESTORING, storeOf } from '../snapshot.ts'
import type { IsEqual, Reactive } from './reactive.ts'

const identity: Select = (from) => from

/** Returns the store of the auth in a browser. On a server, which renders for many users, the store is always restoring. */
export const browserStore = (auth: AnyAuth): AuthStore<unknown> =>
  typeof document === 'object'
    ? storeOf(auth)
    : { initial: RESTORING, read: () => RESTORING, subscribe: () => () => {} }

/** Returns a store that is initial until the current component is mounted, so that hydration matches the server's page. */
export function mountedStore({ initial, read, subscribe }: AuthStore<unknown>): AuthStore<unknown> {
  const listeners = new Set<() => void>()
  let mounted = false
  onMount(() => {
    mounted = true
    for (const listener of [...listeners]) listener()
  })
  return {
    initial,
    read: () => (mounted ? read() : initial),
    subscribe(listener) {
      // A function of its own, because the same listener may subscribe twice.
      const notify = () => listener()
      listeners.add(notify)
      const stop = subscribe(notify)
      return () => {
        listeners.delete(notify)
        stop()
      }
    },
  }
}

/** Selects from a part of the snapshot, and calls back when the selection has changed. */
export function createSelector(
  store: AuthStore<unknown>,
  part: SnapshotSelector,
  select = identity,
  isEqual: IsEqual = Object.is,
) {
  const readPart = () => part(store.read() as AuthSnapshot)
  /** Returns a function that selects, and returns the same value again until it is not equal. */
  const createSelect = () => {
    let last: { readonly selected: unknown } | undefined
    return (from: unknown): unknown => {
      const selected = select(from)
      if (!last || !isEqual(last.selected, selected)) last = { selected }
      return last.selected
    }
  }
  const selectToRead = createSelect()

  return {
    read: () => selectToRead(readPart()),
    /** Does not compare with the last read: a listener of an event reads earlier than this is notified. */
    watch(update: () => void): () => void {
      const selectToCompare = createSelect()
      let from = readPart()
      selectToCompare(from)
      return store.subscribe(() => {
        const before = from
        from = readPart()
        if (from === before) return
        // Select from both, because other state that `select` reads may have changed in the meantime.
        if (selectToCompare(before) !== selectToCompare(from)) update()
      })
    },
  }
}

/** Creates a selection that templates and effects can track. */
export function createSelection(
  store: AuthStore<unknown>,
  part: SnapshotSelector,
  select?: Select,
  isEqual?: IsEqual,
): Reactive<unknown> {
  const { read, watch } = createSelector(
    // A listener may be called inside a `$derived`, which must not write state or depend on what the listener reads.
    { ...store, subscribe: (listener) => store.subscribe(() => untrack(listener)) },
    part,
    select,
    isEqual,
  )
  const track = createSubscriber(watch)
  return {
    get current() {
      track()
      return read()
    },
  }
}
