import { onMount, untrack } from 'svelte'
import { createSubscriber } from 'svelte/reactivity'
import type { Part, Select } from '../part.ts'
import { type AnyAuth, type AuthSnapshot, type AuthStore, RESTORING, storeOf } from '../snapshot.ts'
import type { IsEqual, Reactive } from './reactive.ts'

const theSame: Select = (from) => from

/** The store of an auth in a browser; of one that is looked for on a server, where many users share what is rendered. */
export const browserStore = (auth: AnyAuth): AuthStore<unknown> =>
  typeof document === 'object' ? storeOf(auth) : { read: () => RESTORING, subscribe: () => () => {} }

/** That of an auth that is looked for until the component at hand is mounted, so that a server's page can be taken over. */
export function mountedStore(auth: AnyAuth): AuthStore<unknown> {
  const { read, subscribe } = browserStore(auth)
  const listeners = new Set<() => void>()
  let mounted = false
  onMount(() => {
    mounted = true
    for (const listener of [...listeners]) listener()
  })
  return {
    read: () => (mounted ? read() : RESTORING),
    subscribe(listener) {
      const heard = () => listener()
      listeners.add(heard)
      const stop = subscribe(heard)
      return () => {
        listeners.delete(heard)
        stop()
      }
    },
  }
}

/** A selection from a part of what the auth is; tells whether it changed since it was looked at last. */
export function createSelector(
  store: AuthStore<unknown>,
  part: Part,
  select = theSame,
  isEqual: IsEqual = Object.is,
) {
  let last: { readonly from: unknown; readonly selected: unknown } | undefined

  function look(): unknown {
    const from = part(store.read() as AuthSnapshot)
    const selected = select(from)
    last = { from, selected: last && isEqual(last.selected, selected) ? last.selected : selected }
    return last.selected
  }

  return {
    look,
    hasChanged() {
      const before = last
      if (before && part(store.read() as AuthSnapshot) === before.from) return false
      return !before || look() !== before.selected
    },
  }
}

/** A selection that templates and effects can follow. */
export function createSelection(
  store: AuthStore<unknown>,
  part: Part,
  select?: Select,
  isEqual?: IsEqual,
): Reactive<unknown> {
  const { look, hasChanged } = createSelector(store, part, select, isEqual)
  const follow = createSubscriber((update) =>
    store.subscribe(() =>
      // It may be told from inside a derivation, which may change nothing, and depends on nothing of this.
      untrack(() => {
        if (hasChanged()) update()
      }),
    ),
  )
  return {
    get current() {
      follow()
      return look()
    },
  }
}
