import { onScopeDispose, type Ref, readonly, ref } from 'vue'
import { onTick } from '../common/time.ts'

/** The current time, updated by a timer. */
export function useNow(): Readonly<Ref<number>> {
  const now = ref(Date.now())
  onScopeDispose(
    onTick((time) => {
      now.value = time
    }),
  )
  return readonly(now)
}
