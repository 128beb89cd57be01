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
import type { AuthSnapshot, AuthStore } from '../snapshot.ts'
import type { IsEqual } from './types.ts'

/** Whether a server renders this page. A server never disposes of its scopes. */
export const isServerRender = () => hasInjectionContext() && inject(ssrContextKey, undefined) !== undefined

/** Whether the component hydrates server-rendered content: it then has an element before its first render. */
function isHydrating(): boolean {
  const instance = getCurrentInstance()
  return instance !== null && !instance.isMounted && Boolean(instance.vnode?.el)
}

/** Selects from a part of the snapshot. On a server and during hydration, the snapshot is the initial one. */
export function createSelection(
  store: AuthStore<unknown>,
  part: SnapshotSelector,
  select?: Select,
  isEqual: IsEqual = Object.is,
): ComputedRef<unknown> {
  const snapshot = createSnapshot(store)
  const from = computed(() => part(snapshot.value as AuthSnapshot))
  if (!select) return from
  let last: { readonly selected: unknown } | undefined
  return computed(() => {
    const selected = select(from.value)
    if (!last || !isEqual(last.selected, selected)) last = { selected }
    return last.selected
  })
}

function createSnapshot({ initial, read, subscribe }: AuthStore<unknown>): ShallowRef<AuthSnapshot<unknown>> {
  if (isServerRender()) return shallowRef(initial)
  let isLive = !isHydrating()
  const snapshot = shallowRef<AuthSnapshot<unknown>>(isLive ? read() : initial)
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
