/**
 * The session in Solid.
 *
 * @module
 */
import { createComponent, createContext, createResource, onMount, useContext } from 'solid-js'
import type { Auth } from '../core/auth.ts'
import { type Select, session, state, view, whole } from './selectors.ts'
import type { AnyAuth, AuthView } from './snapshot.ts'
import { loadAgain } from './solid/load-again.ts'
import { createSelection, isServerRendered } from './solid/selection.ts'
import { showWhile } from './solid/show-while.ts'
import type { AuthHooks, IsEqual, ProviderProps, ViewProps } from './solid/types.ts'

export type { AnyAuth, AuthSnapshot, AuthView, SessionOf } from './snapshot.ts'
export type { AuthHooks, ProviderProps, ViewProps } from './solid/types.ts'

/**
 * Creates primitives and components that are typed for your auth and have a context of their own.
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
  const Context = createContext<ProviderProps<AnyAuth>>()

  function useProvided(caller: string, given?: AnyAuth): ProviderProps<AnyAuth> {
    const found = useContext(Context)
    if (given) return { auth: given }
    if (found) return found
    throw new Error(`${caller} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`)
  }

  /** Reads the arguments of a primitive. The first one may be an auth that replaces the provided one. */
  function useArguments(caller: string, args: readonly unknown[]) {
    const given = typeof args[0] === 'object'
    const { auth } = useProvided(caller, given ? (args[0] as AnyAuth) : undefined)
    return [auth, ...(given ? args.slice(1) : args)] as [AnyAuth, Select?, IsEqual?]
  }

  /** Creates a component that shows its children in some views only. */
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
      if (isServerRendered()) onMount(() => void refetch())
      return loadAgain(ready, refetch)
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
