/**
 * The session in Svelte 5.
 *
 * @module
 */
import { getContext, hasContext, setContext } from 'svelte'
import type { Auth } from '../core/auth.ts'
import { type Select, sessionPart, state, view, whole } from './selectors.ts'
import { type AnyAuth, type AuthView, type Provided, withInitial } from './snapshot.ts'
import type { IsEqual } from './svelte/reactive.ts'
import { browserStore, createSelection, mountedStore } from './svelte/selection.ts'
import type { AuthHooks } from './svelte/types.ts'

export type { AnyAuth, AuthSnapshot, AuthView, InitialSession, SessionOf } from './snapshot.ts'
export type { IsEqual, Reactive, ReactiveView, SetAuthOptions } from './svelte/reactive.ts'
export { authStateStore, sessionStore } from './svelte/stores.ts'
export type { AuthHooks } from './svelte/types.ts'

/**
 * Creates functions that are typed for your auth and have a context of their own.
 *
 * @example
 * ```ts
 * export const { setAuth, getAuth, useSession, useAuthView } = createAuthContext<typeof auth>()
 * ```
 */
export function createAuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A>(): AuthHooks<
  A,
  Given
> {
  const KEY = Symbol('authchart')

  function provided(caller: string): Provided {
    if (hasContext(KEY)) return getContext<Provided>(KEY)
    throw new Error(
      `${caller} found no auth. Call setAuth(auth) in a component above, such as the root layout.`,
    )
  }

  /** Reads the arguments of a function. The first one may be an auth that replaces the provided one. */
  function readArguments(caller: string, args: readonly unknown[]) {
    const given = typeof args[0] === 'object'
    const found = given ? { store: browserStore(args[0] as AnyAuth), keepExpired: false } : provided(caller)
    return [found, ...(given ? args.slice(1) : args)] as [Omit<Provided, 'auth'>, Select?, IsEqual?]
  }

  return {
    setAuth(auth, { keepExpired = false, initialSession } = {}) {
      const store = mountedStore(withInitial(browserStore(auth), initialSession))
      setContext<Provided>(KEY, { auth, keepExpired, store })
      return auth
    },
    getAuth: () => provided('getAuth()').auth as never,
    useSession(...args: readonly unknown[]) {
      const [{ store, keepExpired }, select, isEqual] = readArguments('useSession()', args)
      return createSelection(store, sessionPart(keepExpired), select, isEqual) as never
    },
    useAuthState(...args: readonly unknown[]) {
      const [{ store }, select, isEqual] = readArguments('useAuthState()', args)
      return createSelection(store, select ? whole : state, select, isEqual) as never
    },
    useAuthView() {
      const { store, keepExpired } = provided('useAuthView()')
      const shown = createSelection(store, view)
      const isOneOf = (...views: readonly AuthView[]) => views.includes(shown.current as AuthView)
      return {
        get current() {
          return shown.current as AuthView
        },
        get signedIn() {
          return keepExpired ? isOneOf('signedIn', 'expired') : isOneOf('signedIn')
        },
        get signedOut() {
          return keepExpired ? isOneOf('signedOut') : isOneOf('signedOut', 'expired')
        },
        get expired() {
          return isOneOf('expired')
        },
        get restoring() {
          return isOneOf('restoring')
        },
      }
    },
  }
}

export const {
  /** Provides an auth to this component and to all components below it: `setAuth(auth)`. Returns the same auth. */
  setAuth,
  /** Returns the auth of a component above, to call its methods: `getAuth().signOut()`. Throws without one. */
  getAuth,
  /** Returns the session, or a value selected from it: `useSession((session) => session?.subject)`. Read its `current`. */
  useSession,
  /** Returns the chart's state, or a value selected from an `AuthSnapshot`. Read its `current`. */
  useAuthState,
  /** Returns which view belongs on the screen, for `{#if view.signedIn}`. Throws if no component above has set an auth. */
  useAuthView,
} = createAuthContext<Auth, AnyAuth>()
