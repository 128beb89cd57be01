import { DestroyRef, inject, type Signal, signal } from '@angular/core'
import { onTick } from '../common/time.ts'

/** The current time as a signal, updated while the component exists. */
export function injectNow(): Signal<number> {
  const now = signal(Date.now())
  inject(DestroyRef).onDestroy(onTick((at) => now.set(at)))
  return now.asReadonly()
}
