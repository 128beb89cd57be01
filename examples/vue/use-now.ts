import { onScopeDispose, type Ref, readonly, ref } from 'vue'
import { onTick } from '../common/time.ts'

/** The time, as a clock that ticks. */
export function useNow(): Readonly<Ref<number>> {
  const now = ref(Date.now())
  onScopeDispose(
    onTick((time) => {
      now.value = time
    }),
  )
  return readonly(now)
}
