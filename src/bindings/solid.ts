/**
 * A session in Solid.
 *
 * @module
 */
import { createComponent, createContext, createResource, onMount, useContext } from 'solid-js'
import type { Auth } from '../core/auth.ts'
import { type Select, session, state, view, whole } from './part.ts'
import type { AnyAuth, AuthView } from './snapshot.ts'
import { createSelection, isServersPage } from './solid/selection.ts'
import { showWhile } from './solid/show-while.ts'
import type { AuthContext, IsEqual, ProviderProps, ViewProps } from './solid/types.ts'

export type { AnyAuth, AuthSnapshot, AuthView, SessionOf } from './snapshot.ts'
export type { AuthContext, ProviderProps, ViewProps } from './solid/types.ts'

/**
 * Primitives and components that know the type of your auth, with a context of their own.
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
  const Context = createContext<ProviderProps<AnyAuth>>()

  function useProvided(asker: string, given?: AnyAuth): ProviderProps<AnyAuth> {
    const found = useContext(Context)
    if (given) return { auth: given }
    if (found) return found
    throw new Error(`${asker} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`)
  }

  /** A primitive may be given the auth before all else. */
  function useArguments(asker: string, args: readonly unknown[]) {
    const given = typeof args[0] === 'object'
    const { auth } = useProvided(asker, given ? (args[0] as AnyAuth) : undefined)
    return [auth, ...(given ? args.slice(1) : args)] as [AnyAuth, Select?, IsEqual?]
  }

  /** A component that is there in some views. */
  function shownIn(name: string, views: readonly AuthView[], otherwise = views) {
    const Shown = (props: ViewProps) => {
      const above = useProvided(`<${name}>`)
      const shows = createSelection(above.auth, view, (now) =>
        (above.keepExpired ? otherwise : views).includes(now as AuthView),
      )
      return showWhile(
        shows,
        () => props.children,
        () => props.fallback,
      )
    }
    return Shown
  }

  return {
    AuthProvider: (props) =>
      showWhile(
        () => props.auth,
        () =>
          createComponent(Context.Provider, {
            value: props,
            get children() {
              return props.children
            },
          }),
      ),
    useAuth: () => useProvided('useAuth()').auth as never,
    useSession(...args: readonly unknown[]) {
      const [auth, select, isEqual] = useArguments('useSession()', args)
      return createSelection(auth, session, select, isEqual) as never
    },
    useAuthState(...args: readonly unknown[]) {
      const [auth, select, isEqual] = useArguments('useAuthState()', args)
      return createSelection(auth, select ? whole : state, select, isEqual) as never
    },
    useReady(...args: readonly unknown[]) {
      const [auth] = useArguments('useReady()', args)
      const wait = () => (auth.state === 'restoring' ? auth.ready().then(() => true) : true)
      const [ready, { refetch }] = createResource(wait, { initialValue: false, ssrLoadFrom: 'initial' })
      if (isServersPage()) onMount(() => void refetch())
      return ready
    },
    SignedIn: shownIn('SignedIn', ['signedIn'], ['signedIn', 'expired']),
    SignedOut: shownIn('SignedOut', ['signedOut', 'expired'], ['signedOut']),
    Expired: shownIn('Expired', ['expired']),
    Restoring: shownIn('Restoring', ['restoring']),
  }
}

export const {
  AuthProvider,
  useAuth,
  useSession,
  useAuthState,
  useReady,
  SignedIn,
  SignedOut,
  Expired,
  Restoring,
} = createAuthContext<Auth, AnyAuth>()
