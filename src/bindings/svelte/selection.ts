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

/** Selects from a part of the snapshot, and detects whether the selection has changed since it was last read. */
export function createSelector(
  store: AuthStore<unknown>,
  part: SnapshotSelector,
  select = identity,
  isEqual: IsEqual = Object.is,
) {
  let last: { readonly from: unknown; readonly selected: unknown } | undefined

  function read(): unknown {
    const from = part(store.read() as AuthSnapshot)
    const selected = select(from)
    last = { from, selected: last && isEqual(last.selected, selected) ? last.selected : selected }
    return last.selected
  }

  return {
    read,
    hasChanged() {
      const before = last
      if (before && part(store.read() as AuthSnapshot) === before.from) return false
      return !before || read() !== before.selected
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
  const { read, hasChanged } = createSelector(store, part, select, isEqual)
  const track = createSubscriber((update) =>
    store.subscribe(() =>
      // A listener may be called inside a `$derived`, which must not write state or depend on what the listener reads.
      untrack(() => {
        if (hasChanged()) update()
      }),
    ),
  )
  return {
    get current() {
      track()
      return read()
    },
  }
}
