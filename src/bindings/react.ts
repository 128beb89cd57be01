'use client'
/**
 * A session in React 18 and 19.
 *
 * @module
 */
import * as React from 'react'
import { createElement, useContext, useMemo, useSyncExternalStore } from 'react'
import type { Auth } from '../core/auth.ts'
import { type Select, session, state, view, whole } from './part.ts'
import { suspendUntilReady } from './react/suspend.ts'
import type { AuthContext, IsEqual, ProviderProps, ViewProps } from './react/types.ts'
import { useSelection } from './react/use-selection.ts'
import type { AnyAuth, AuthView } from './snapshot.ts'

export type { AuthContext, ProviderProps, ViewProps } from './react/types.ts'
export type { AnyAuth, AuthSnapshot, AuthView, SessionOf } from './snapshot.ts'

const never = () => () => {}

/**
 * Hooks and components that know the type of your auth, with a context of their own.
 *
 * @example
 * ```tsx
 * export const { AuthProvider, SignedIn, useAuth, useSession } = createAuthContext<typeof auth>()
 * ```
 */
export function createAuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A>(): AuthContext<
  A,
  Given
> {
  const Context = React.createContext<ProviderProps<AnyAuth> | undefined>(undefined)

  function useProvided(asker: string, given?: AnyAuth) {
    const provided = useContext(Context)
    if (given) return { auth: given, keepExpired: false }
    if (provided) return provided
    throw new Error(`${asker} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`)
  }

  /** A hook may be given the auth before all else. */
  function useArguments(asker: string, args: readonly unknown[]) {
    const given = typeof args[0] === 'object'
    const { auth } = useProvided(asker, given ? (args[0] as AnyAuth) : undefined)
    return [auth, ...(given ? args.slice(1) : args)] as [AnyAuth, Select?, IsEqual?]
  }

  /** A component that is there in some views. */
  function shownIn(name: string, views: readonly AuthView[], otherwise = views) {
    const Shown = ({ children, fallback = null }: ViewProps) => {
      const { auth, keepExpired } = useProvided(`<${name}>`)
      const shows = (keepExpired ? otherwise : views).includes(useSelection(auth, view) as AuthView)
      return createElement(React.Fragment, null, shows ? children : fallback)
    }
    return Object.assign(Shown, { displayName: name })
  }

  return {
    AuthProvider({ auth, keepExpired = false, children }) {
      const value = useMemo(() => ({ auth, keepExpired }), [auth, keepExpired])
      return createElement(Context.Provider, { value }, children)
    },
    useAuth: () => useProvided('useAuth()').auth as never,
    useSession(...args: readonly unknown[]) {
      const [auth, select, isEqual] = useArguments('useSession()', args)
      return useSelection(auth, session, select, isEqual) as never
    },
    useAuthState(...args: readonly unknown[]) {
      const [auth, select, isEqual] = useArguments('useAuthState()', args)
      return useSelection(auth, select ? whole : state, select, isEqual) as never
    },
    useReady(...args: readonly unknown[]) {
      const [auth] = useArguments('useReady()', args)
      const inBrowser = useSyncExternalStore(
        never,
        () => true,
        () => false,
      )
      if (!inBrowser)
        throw new Error(
          'useReady() waits in the browser only: on a server, its <Suspense> shows the fallback.',
        )
      suspendUntilReady(auth)
    },
    SignedIn: shownIn('SignedIn', ['signedIn'], ['signedIn', 'expired']),
    SignedOut: shownIn('SignedOut', ['signedOut', 'expired'], ['signedOut']),
    Expired: shownIn('Expired', ['expired']),
    Restoring: shownIn('Restoring', ['restoring']),
  }
}

type Shared = AuthContext<Auth, AnyAuth>
const shared: Shared = createAuthContext<Auth, AnyAuth>()

/** Gives an auth to everything below it. */
export const AuthProvider: Shared['AuthProvider'] = shared.AuthProvider
/** The auth of the provider, for what is done: `useAuth().signOut()`. */
export const useAuth: Shared['useAuth'] = shared.useAuth
/** The session, or what is selected from it: `useSession((session) => session?.subject)`. */
export const useSession: Shared['useSession'] = shared.useSession
/** The chart's state, or what is selected from an `AuthSnapshot`: `useAuthState(({ view }) => view)`. */
export const useAuthState: Shared['useAuthState'] = shared.useAuthState
/** Suspends until the stored session was read: for `<Suspense>`. */
export const useReady: Shared['useReady'] = shared.useReady
/** There while there is a session: also during a refresh. */
export const SignedIn: Shared['SignedIn'] = shared.SignedIn
/** There while nobody is signed in: also while a sign-in is tried. */
export const SignedOut: Shared['SignedOut'] = shared.SignedOut
/** There from the end of a session until the user signed in again, or left. */
export const Expired: Shared['Expired'] = shared.Expired
/** There until the stored session was read: on servers, always. */
export const Restoring: Shared['Restoring'] = shared.Restoring
