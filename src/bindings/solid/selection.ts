import { type Accessor, createEffect, createMemo, createSignal, onCleanup, sharedConfig } from 'solid-js'
import type { Part, Select } from '../part.ts'
import { type AnyAuth, type AuthSnapshot, RESTORING, storeOf } from '../snapshot.ts'
import type { IsEqual } from './types.ts'

/** Whether this is a page that a server renders, or one that a browser takes over from it: both have to be the same. */
export const isServersPage = () => sharedConfig.context !== undefined

/** A selection from a part of what the auth is. On servers, and in hydration, of an auth that restores. */
export function createSelection(
  auth: AnyAuth,
  part: Part,
  select?: Select,
  isEqual: IsEqual = Object.is,
): Accessor<unknown> {
  const { read, subscribe } = storeOf(auth)
  const [snapshot, setSnapshot] = createSignal<AuthSnapshot<unknown>>(isServersPage() ? RESTORING : read())
  // Servers have no effects, and so nobody who listens.
  createEffect(() => {
    const update = () => setSnapshot(read())
    update()
    onCleanup(subscribe(update))
  })
  const from = createMemo(() => part(snapshot() as AuthSnapshot))
  return select ? createMemo(() => select(from()), undefined, { equals: isEqual }) : from
}
