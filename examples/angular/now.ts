import { DestroyRef, inject, type Signal, signal } from '@angular/core'
import { onTick } from '../common/time.ts'

/** The time, as a signal, as long as the component is there. */
export function injectNow(): Signal<number> {
  const now = signal(Date.now())
  inject(DestroyRef).onDestroy(onTick((at) => now.set(at)))
  return now.asReadonly()
}
