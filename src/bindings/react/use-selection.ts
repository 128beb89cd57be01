import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Select, SnapshotSelector } from '../selectors.ts'
import type { AuthSnapshot, AuthStore } from '../snapshot.ts'
import type { IsEqual } from './types.ts'

const identity: Select = (from) => from

/** Selects from a part of the snapshot. On a server and during hydration, the snapshot is the initial one. */
export function useSelection(
  { initial, read, subscribe }: AuthStore<unknown>,
  part: SnapshotSelector,
  select = identity,
  isEqual: IsEqual = Object.is,
): unknown {
  const shown = useRef<{ readonly selected: unknown }>(undefined)
  const [get, getOnServer] = useMemo(() => {
    // React calls this often and treats each new object as a change, so the last selection is cached.
    const createGetter = (readSnapshot: () => AuthSnapshot<unknown>) => {
      let last: { readonly from: unknown; readonly selected: unknown } | undefined
      return () => {
        const from = part(readSnapshot() as AuthSnapshot)
        if (last && last.from === from) return last.selected
        const before = last ?? shown.current
        const selected = select(from)
        last = { from, selected: before && isEqual(before.selected, selected) ? before.selected : selected }
        return last.selected
      }
    }
    return [createGetter(read), createGetter(() => initial)]
  }, [initial, read, part, select, isEqual])
  const selected = useSyncExternalStore(subscribe, get, getOnServer)
  useEffect(() => {
    shown.current = { selected }
  }, [selected])
  return selected
}
