import { isPlatformServer } from '@angular/common'
import { DestroyRef, inject, PLATFORM_ID, type Signal, signal, untracked } from '@angular/core'
import { type AnyAuth, type AuthSnapshot, RESTORING, storeOf } from '../snapshot.ts'

/** What `provideAuth` provides. */
export interface Provided {
  readonly auth: AnyAuth
  readonly keepExpired: boolean
  readonly snapshot: Signal<AuthSnapshot>
}

/** What the auth is, for as long as whoever injects it is there. */
export function injectSnapshot(auth: AnyAuth): Signal<AuthSnapshot> {
  const destroyRef = inject(DestroyRef)
  // A page that was rendered for one user must not depend on what was, by then, known of another.
  if (isPlatformServer(inject(PLATFORM_ID))) return signal(RESTORING).asReadonly()
  const { read, subscribe } = storeOf(auth)
  const snapshot = signal(read() as AuthSnapshot)
  // It may be told from inside a computation, which may write nothing itself.
  destroyRef.onDestroy(subscribe(() => untracked(() => snapshot.set(read() as AuthSnapshot))))
  return snapshot.asReadonly()
}
