import { createSubscriber } from 'svelte/reactivity'
import { onTick } from '../common/time.ts'

/** The current time. It ticks while something on the page shows it. */
export function useNow(): { readonly current: number } {
  const follow = createSubscriber((update) => onTick(update))
  return {
    get current() {
      follow()
      return Date.now()
    },
  }
}
