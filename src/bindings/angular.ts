/**
 * A session in Angular 20: signals, an interceptor for `HttpClient`, and a guard for routes.
 *
 * @module
 */
import {
  computed,
  DestroyRef,
  InjectionToken,
  inject,
  makeEnvironmentProviders,
  provideEnvironmentInitializer,
} from '@angular/core'
import type { Auth } from '../core/auth.ts'
import { createAuthGuard } from './angular/guard.ts'
import { createAuthInterceptor } from './angular/interceptor.ts'
import type { IsEqual } from './angular/options.ts'
import { injectSnapshot, type Provided } from './angular/provided.ts'
import type { AuthContext } from './angular/types.ts'
import { type Part, type Select, session, state, whole } from './part.ts'
import type { AnyAuth, AuthView } from './snapshot.ts'

export type {
  AuthGuardOptions,
  AuthInterceptorOptions,
  AuthViewSignals,
  ProvideAuthOptions,
} from './angular/options.ts'
export type { AuthContext } from './angular/types.ts'
export type { AnyAuth, AuthSnapshot, AuthView, SessionOf } from './snapshot.ts'

/**
 * Functions that know the type of your auth, with a token of their own.
 *
 * @example
 * ```ts
 * export const { provideAuth, injectAuth, injectSession } = createAuthContext<typeof auth>()
 * ```
 */
export function createAuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A>(): AuthContext<
  A,
  Given
> {
  const PROVIDED = new InjectionToken<Provided>('authchart')

  function injectProvided(asker: string): Provided {
    const provided = inject(PROVIDED, { optional: true })
    if (provided) return provided
    throw new Error(
      `${asker} found no auth. Add provideAuth(auth) to the providers that bootstrapApplication() is given.`,
    )
  }

  /** A selection from a part of what the auth is. The auth may be given before all else. */
  function injectSelection(asker: string, part: Part, args: readonly unknown[]) {
    const given = typeof args[0] === 'object' ? (args[0] as AnyAuth) : undefined
    const [select, equal] = (given ? args.slice(1) : args) as [Select?, IsEqual?]
    const snapshot = given ? injectSnapshot(given) : injectProvided(asker).snapshot
    const from = computed(() => part(snapshot()))
    return select ? computed(() => select(from()), equal && { equal }) : from
  }

  const injectAuth = () => injectProvided('injectAuth()').auth

  return {
    provideAuth(auth, { keepExpired = false } = {}) {
      const useFactory = () => {
        const made = typeof auth === 'function' ? auth() : auth
        if (made !== auth) inject(DestroyRef).onDestroy(() => made.dispose())
        return { auth: made, keepExpired, snapshot: injectSnapshot(made) }
      }
      return makeEnvironmentProviders([
        { provide: PROVIDED, useFactory },
        // So that a session is looked for from the beginning, and not only once somebody asks.
        provideEnvironmentInitializer(() => inject(PROVIDED)),
      ])
    },
    injectAuth: injectAuth as never,
    injectSession: ((...args: readonly unknown[]) =>
      injectSelection('injectSession()', session, args)) as never,
    injectAuthState: ((...args: readonly unknown[]) => {
      const selects = args.some((arg) => typeof arg === 'function')
      return injectSelection('injectAuthState()', selects ? whole : state, args)
    }) as never,
    injectAuthView() {
      const { snapshot, keepExpired } = injectProvided('injectAuthView()')
      const view = computed(() => snapshot().view)
      const shownIn = (views: readonly AuthView[]) => computed(() => views.includes(view()))
      return {
        view,
        signedIn: shownIn(keepExpired ? ['signedIn', 'expired'] : ['signedIn']),
        signedOut: shownIn(keepExpired ? ['signedOut'] : ['signedOut', 'expired']),
        expired: shownIn(['expired']),
        restoring: shownIn(['restoring']),
      }
    },
    authInterceptor: (options) =>
      createAuthInterceptor(() => injectProvided('authInterceptor()').auth, options),
    authGuard: (options) => createAuthGuard(() => injectProvided('authGuard()').auth, options),
  }
}

export const {
  provideAuth,
  injectAuth,
  injectSession,
  injectAuthState,
  injectAuthView,
  authInterceptor,
  authGuard,
} = createAuthContext<Auth, AnyAuth>()
