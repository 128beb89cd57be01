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
import type { Part, Select } from '../part.ts'
import { type AnyAuth, type AuthSnapshot, RESTORING, storeOf } from '../snapshot.ts'
import type { IsEqual } from './types.ts'

/** Whether this is a page that a server renders. Its scopes are never disposed of. */
export const isServerRender = () => hasInjectionContext() && inject(ssrContextKey, undefined) !== undefined

/** Whether a component takes over what a server has rendered: it has an element before its first render. */
function isHydrating(): boolean {
  const instance = getCurrentInstance()
  return instance !== null && !instance.isMounted && Boolean(instance.vnode?.el)
}

/** A selection from a part of what the auth is. On servers, and in hydration, of an auth that restores. */
export function createSelection(
  auth: AnyAuth,
  part: Part,
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
  let mayDiffer = !isHydrating()
  const snapshot = shallowRef<AuthSnapshot<unknown>>(mayDiffer ? read() : RESTORING)
  const update = () => {
    if (mayDiffer) snapshot.value = read()
  }
  const stop = subscribe(update)
  if (getCurrentScope()) onScopeDispose(stop)
  if (!mayDiffer)
    onMounted(() => {
      mayDiffer = true
      update()
    })
  return snapshot
}
