import {
  type ComputedRef,
  computed,
  getCurrentInstance,
  getCurrentScope,
  hasInjectionContext,
  inject,
  onMounted,
  onScopeDispose,
  type ShallowRef,
  shallowRef,
  ssrContextKey,
} from 'vue'
import type { Select, SnapshotSelector } from '../selectors.ts'
import { type AnyAuth, type AuthSnapshot, RESTORING, storeOf } from '../snapshot.ts'
import type { IsEqual } from './types.ts'

/** Whether a server renders this page. A server never disposes of its scopes. */
export const isServerRender = () => hasInjectionContext() && inject(ssrContextKey, undefined) !== undefined

/** Whether the component hydrates server-rendered content: it then has an element before its first render. */
function isHydrating(): boolean {
  const instance = getCurrentInstance()
  return instance !== null && !instance.isMounted && Boolean(instance.vnode?.el)
}

/** Selects from a part of the snapshot. On a server and during hydration, the snapshot is that of a restoring auth. */
export function createSelection(
  auth: AnyAuth,
  part: SnapshotSelector,
  select?: Select,
  isEqual: IsEqual = Object.is,
): ComputedRef<unknown> {
  const snapshot = createSnapshot(auth)
  const from = computed(() => part(snapshot.value as AuthSnapshot))
  if (!select) return from
  let last: { readonly selected: unknown } | undefined
  return computed(() => {
    const selected = select(from.value)
    if (!last || !isEqual(last.selected, selected)) last = { selected }
    return last.selected
  })
}

function createSnapshot(auth: AnyAuth): ShallowRef<AuthSnapshot<unknown>> {
  if (isServerRender()) return shallowRef(RESTORING)
  const { read, subscribe } = storeOf(auth)
  let isLive = !isHydrating()
  const snapshot = shallowRef<AuthSnapshot<unknown>>(isLive ? read() : RESTORING)
  const update = () => {
    if (isLive) snapshot.value = read()
  }
  const stop = subscribe(update)
  if (getCurrentScope()) onScopeDispose(stop)
  if (!isLive)
    onMounted(() => {
      isLive = true
      update()
    })
  return snapshot
}
