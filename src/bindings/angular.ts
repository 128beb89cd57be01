/**
 * The session in Angular 20: signals, an interceptor for `HttpClient`, and a guard for routes.
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
import { createAuthInterceptor } from '../transports/angular/interceptor.ts'
import { createAuthGuard } from './angular/guard.ts'
import type { IsEqual } from './angular/options.ts'
import { injectSnapshot, type Provided } from './angular/provided.ts'
import type { AuthHooks } from './angular/types.ts'
import { type Select, type SnapshotSelector, sessionPart, state, whole } from './selectors.ts'
import { type AnyAuth, type AuthView, storeOf, withInitial } from './snapshot.ts'

export type { AuthInterceptorOptions } from '../transports/angular/options.ts'
export type {
  AuthGuardOptions,
  AuthViewSignals,
  IsEqual,
  ProvideAuthOptions,
} from './angular/options.ts'
export type { AuthHooks } from './angular/types.ts'
export type { AnyAuth, AuthSnapshot, AuthView, InitialSession, SessionOf } from './snapshot.ts'

/**
 * Creates functions that are typed for your auth and have an injection token of their own.
 *
 * @example
 * ```ts
 * export const { provideAuth, injectAuth, injectSession } = createAuthContext<typeof auth>()
 * ```
 */
export function createAuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A>(): AuthHooks<
  A,
  Given
> {
  const PROVIDED = new InjectionToken<Provided>('authchart')

  function injectProvided(caller: string): Provided {
    const provided = inject(PROVIDED, { optional: true })
    if (provided) return provided
    throw new Error(
      `${caller} found no auth. Add provideAuth(auth) to the providers that bootstrapApplication() is given.`,
    )
  }

  /** Selects from a part of the snapshot. The first argument may be an auth that replaces the provided one. */
  function injectSelection(
    caller: string,
    partOf: (keepExpired: boolean) => SnapshotSelector,
    args: readonly unknown[],
  ) {
    const given = typeof args[0] === 'object' ? (args[0] as AnyAuth) : undefined
    const [select, equal] = (given ? args.slice(1) : args) as [Select?, IsEqual?]
    const provided = given ? undefined : injectProvided(caller)
    const snapshot = provided?.snapshot ?? injectSnapshot(storeOf(given as AnyAuth))
    const part = partOf(provided?.keepExpired ?? false)
    const from = computed(() => part(snapshot()))
    return select ? computed(() => select(from()), equal && { equal }) : from
  }

  const injectAuth = () => injectProvided('injectAuth()').auth

  return {
    provideAuth(auth, { keepExpired = false, initialSession } = {}) {
      const useFactory = () => {
        const instance = typeof auth === 'function' ? auth() : auth
        if (instance !== auth) inject(DestroyRef).onDestroy(() => instance.dispose())
        const store = withInitial(storeOf<AnyAuth>(instance), initialSession)
        return { auth: instance, keepExpired, snapshot: injectSnapshot(store) }
      }
      return makeEnvironmentProviders([
        { provide: PROVIDED, useFactory },
        // Restore the session when the application starts, not when it is injected for the first time.
        provideEnvironmentInitializer(() => inject(PROVIDED)),
      ])
    },
    injectAuth: injectAuth as never,
    injectSession: ((...args: readonly unknown[]) =>
      injectSelection('injectSession()', sessionPart, args)) as never,
    injectAuthState: ((...args: readonly unknown[]) => {
      const selects = args.some((arg) => typeof arg === 'function')
      return injectSelection('injectAuthState()', () => (selects ? whole : state), args)
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
  /** Provides an auth, for the `providers` of `bootstrapApplication` or of a route: `provideAuth(auth)`. */
  provideAuth,
  /** Returns the auth, to call its methods: `injectAuth().signOut()`. Throws if no auth is provided. */
  injectAuth,
  /** Returns a signal of the session, or of a value selected from it: `injectSession((session) => session?.subject)`. */
  injectSession,
  /** Returns a signal of the chart's state, or of a value selected from an `AuthSnapshot`. */
  injectAuthState,
  /** Returns signals for `@if` that show which view belongs on the screen. Throws if no auth is provided. */
  injectAuthView,
  /** Creates an interceptor that authorizes the requests of `HttpClient`. Name it last in `withInterceptors`. */
  authInterceptor,
  /** Creates a guard for routes that sends a user without a session to the sign-in page. */
  authGuard,
} = createAuthContext<Auth, AnyAuth>()
