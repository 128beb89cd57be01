/**
 * The session in React 18 and 19.
 *
 * @module
 */
'use client'

import * as React from 'react'
import { createElement, useContext, useMemo, useState, useSyncExternalStore } from 'react'
import type { Auth } from '../core/auth.ts'
import { suspendUntilReady } from './react/suspend.ts'
import type { AuthHooks, IsEqual, ViewProps } from './react/types.ts'
import { useSelection } from './react/use-selection.ts'
import { type Select, sessionPart, state, view, whole } from './selectors.ts'
import { type AnyAuth, type AuthView, type Provided, RESTORING, storeOf, withInitial } from './snapshot.ts'

export type { AuthHooks, IsEqual, ProviderProps, ViewProps } from './react/types.ts'
export type { AnyAuth, AuthSnapshot, AuthView, InitialSession, SessionOf } from './snapshot.ts'

const never = () => () => {}

/**
 * Creates hooks and components that are typed for your auth and have a context of their own.
 *
 * @example
 * ```tsx
 * export const { AuthProvider, SignedIn, useAuth, useSession } = createAuthContext<typeof auth>()
 * ```
 */
export function createAuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A>(): AuthHooks<
  A,
  Given
> {
  const Context = React.createContext<Provided | undefined>(undefined)

  function useProvided(caller: string, given?: AnyAuth): Provided {
    const provided = useContext(Context)
    if (given) return { auth: given, keepExpired: false, store: storeOf(given) }
    if (provided) return provided
    throw new Error(`${caller} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`)
  }

  /** Reads the arguments of a hook. The first one may be an auth that replaces the provided one. */
  function useArguments(caller: string, args: readonly unknown[]) {
    const given = typeof args[0] === 'object'
    const provided = useProvided(caller, given ? (args[0] as AnyAuth) : undefined)
    return [provided, ...(given ? args.slice(1) : args)] as [Provided, Select?, IsEqual?]
  }

  /** Creates a component that shows its children in some views only. */
  function shownIn(name: string, views: readonly AuthView[], otherwise = views) {
    const Shown = ({ children, fallback = null }: ViewProps) => {
      const { store, keepExpired } = useProvided(`<${name}>`)
      const shows = (keepExpired ? otherwise : views).includes(useSelection(store, view) as AuthView)
      return createElement(React.Fragment, null, shows ? children : fallback)
    }
    return Object.assign(Shown, { displayName: name })
  }

  return {
    AuthProvider({ auth, keepExpired = false, initialSession, children }) {
      const [initial] = useState(initialSession)
      const store = useMemo(() => withInitial(storeOf<AnyAuth>(auth), initial), [auth, initial])
      const value = useMemo(() => ({ auth, keepExpired, store }), [auth, keepExpired, store])
      return createElement(Context.Provider, { value }, children)
    },
    useAuth: () => useProvided('useAuth()').auth as never,
    useSession(...args: readonly unknown[]) {
      const [{ store, keepExpired }, select, isEqual] = useArguments('useSession()', args)
      return useSelection(store, sessionPart(keepExpired), select, isEqual) as never
    },
    useAuthState(...args: readonly unknown[]) {
      const [{ store }, select, isEqual] = useArguments('useAuthState()', args)
      return useSelection(store, select ? whole : state, select, isEqual) as never
    },
    useReady(...args: readonly unknown[]) {
      const [{ auth, store }] = useArguments('useReady()', args)
      const inBrowser = useSyncExternalStore(
        never,
        () => true,
        () => false,
      )
      if (store.initial !== RESTORING) return
      if (!inBrowser)
        throw new Error(
          'useReady() waits in the browser only. On a server, its <Suspense> renders the fallback.',
        )
      suspendUntilReady(auth)
    },
    SignedIn: shownIn('SignedIn', ['signedIn'], ['signedIn', 'expired']),
    SignedOut: shownIn('SignedOut', ['signedOut', 'expired'], ['signedOut']),
    Expired: shownIn('Expired', ['expired']),
    Restoring: shownIn('Restoring', ['restoring']),
  }
}

type Shared = AuthHooks<Auth, AnyAuth>
const shared: Shared = createAuthContext<Auth, AnyAuth>()

/** Provides an auth to all components below it. */
export const AuthProvider: Shared['AuthProvider'] = shared.AuthProvider
/** Returns the auth of the provider, to call its methods: `useAuth().signOut()`. */
export const useAuth: Shared['useAuth'] = shared.useAuth
/** Returns the session, or a value selected from it: `useSession((session) => session?.subject)`. */
export const useSession: Shared['useSession'] = shared.useSession
/** Returns the chart's state, or a value selected from an `AuthSnapshot`: `useAuthState(({ view }) => view)`. */
export const useAuthState: Shared['useAuthState'] = shared.useAuthState
/** Suspends until the stored session has been read, so that `<Suspense>` shows its fallback. */
export const useReady: Shared['useReady'] = shared.useReady
/** Shows its children while there is a session, including during a refresh. */
export const SignedIn: Shared['SignedIn'] = shared.SignedIn
/** Shows its children while no user is signed in, including during a sign-in. */
export const SignedOut: Shared['SignedOut'] = shared.SignedOut
/** Shows its children after the session has expired, until the user signs in again or signs out. */
export const Expired: Shared['Expired'] = shared.Expired
/** Shows its children until the stored session has been read; always on a server. */
export const Restoring: Shared['Restoring'] = shared.Restoring
