import { inject } from '@angular/core'
import { type CanActivateFn, Router } from '@angular/router'
import { requireSession } from '../guard.ts'
import type { AnyAuth } from '../snapshot.ts'
import type { AuthGuardOptions } from './options.ts'

/** See `AuthHooks.authGuard`. */
export function createAuthGuard(injectAuth: () => AnyAuth, options: AuthGuardOptions): CanActivateFn {
  return async (_, { url }) => {
    // Inject both before the `await`: the injection context ends there.
    const auth = injectAuth()
    const router = inject(Router)
    const login = await requireSession(auth, { ...options, url })
    return login === undefined || router.parseUrl(login)
  }
}
