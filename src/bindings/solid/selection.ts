import { type Accessor, createEffect, createMemo, createSignal, onCleanup, sharedConfig } from 'solid-js'
import type { Select, SnapshotSelector } from '../selectors.ts'
import type { AuthSnapshot, AuthStore } from '../snapshot.ts'
import type { IsEqual } from './types.ts'

/** Whether a server renders this page, or a browser hydrates it. Both have to render the same content. */
export const isServerRendered = () => sharedConfig.context !== undefined

/** Selects from a part of the snapshot. On a server and during hydration, the snapshot is the initial one. */
export function createSelection(
  { initial, read, subscribe }: AuthStore<unknown>,
  part: SnapshotSelector,
  select?: Select,
  isEqual: IsEqual = Object.is,
): Accessor<unknown> {
  const isRendered = isServerRendered()
  const [snapshot, setSnapshot] = createSignal<AuthSnapshot<unknown>>(isRendered ? initial : read())
  const follow = () => {
    const update = () => setSnapshot(read())
    update()
    onCleanup(subscribe(update))
  }
  // After hydration; a server runs no effects. Otherwise at once, because effects wait with `<Suspense>`.
  if (isRendered) createEffect(follow)
  else follow()
  const from = createMemo(() => part(snapshot() as AuthSnapshot))
  return select ? createMemo(() => select(from()), undefined, { equals: isEqual }) : from
}
