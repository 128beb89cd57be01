import { inject } from '@angular/core'
import { type CanActivateFn, Router } from '@angular/router'
import { requireSession } from '../guard.ts'
import type { AnyAuth } from '../snapshot.ts'
import type { AuthGuardOptions } from './options.ts'

/** See `AuthContext.authGuard`. */
export function createAuthGuard(injectAuth: () => AnyAuth, options: AuthGuardOptions): CanActivateFn {
  return async (_, { url }) => {
    // Both before the wait, after which there is no injection context any more.
    const auth = injectAuth()
    const router = inject(Router)
    const login = await requireSession(auth, { ...options, url })
    return login === undefined || router.parseUrl(login)
  }
}
