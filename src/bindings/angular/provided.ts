import { isPlatformServer } from '@angular/common'
import { DestroyRef, inject, PLATFORM_ID, type Signal, signal, untracked } from '@angular/core'
import type { AnyAuth, AuthSnapshot, AuthStore } from '../snapshot.ts'

/** What `provideAuth` provides. */
export interface Provided {
  readonly auth: AnyAuth
  readonly keepExpired: boolean
  readonly snapshot: Signal<AuthSnapshot>
}

/** The snapshot of an auth as a signal, which is updated until its injector is destroyed. */
export function injectSnapshot({ initial, read, subscribe }: AuthStore<unknown>): Signal<AuthSnapshot> {
  const destroyRef = inject(DestroyRef)
  // A server renders pages of many users, so a page must not depend on the state of an auth.
  if (isPlatformServer(inject(PLATFORM_ID))) return signal(initial as AuthSnapshot).asReadonly()
  const snapshot = signal(read() as AuthSnapshot)
  // A listener may be called during a computation, in which Angular forbids writes to signals.
  destroyRef.onDestroy(subscribe(() => untracked(() => snapshot.set(read() as AuthSnapshot))))
  return snapshot.asReadonly()
}
