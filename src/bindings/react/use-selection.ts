import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Part, Select } from '../part.ts'
import { type AnyAuth, type AuthSnapshot, RESTORING, storeOf } from '../snapshot.ts'
import type { IsEqual } from './types.ts'

const theSame: Select = (from) => from

/** A selection from a part of what the auth is. On servers, and in hydration, of an auth that restores. */
export function useSelection(
  auth: AnyAuth,
  part: Part,
  select = theSame,
  isEqual: IsEqual = Object.is,
): unknown {
  const { read, subscribe } = storeOf(auth)
  const shown = useRef<{ readonly selected: unknown }>(undefined)
  const [get, getOnServer] = useMemo(() => {
    // React asks often, and takes each new object for a change.
    const remember = (readSnapshot: () => AuthSnapshot<unknown>) => {
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
    return [remember(read), remember(() => RESTORING)]
  }, [read, part, select, isEqual])
  const selected = useSyncExternalStore(subscribe, get, getOnServer)
  useEffect(() => {
    shown.current = { selected }
  }, [selected])
  return selected
}
