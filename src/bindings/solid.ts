/**
 * The session in Solid.
 *
 * @module
 */
import { createComponent, createContext, createResource, onMount, untrack, useContext } from 'solid-js'
import type { Auth } from '../core/auth.ts'
import { lastSession, type Select, session, state, view, whole } from './selectors.ts'
import { type AnyAuth, type AuthView, type Provided, RESTORING, storeOf, withInitial } from './snapshot.ts'
import { loadAgain } from './solid/load-again.ts'
import { createSelection, isServerRendered } from './solid/selection.ts'
import { showWhile } from './solid/show-while.ts'
import type { AuthHooks, IsEqual, ProviderProps, ViewProps } from './solid/types.ts'

export type { AnyAuth, AuthSnapshot, AuthView, InitialSession, SessionOf } from './snapshot.ts'
export type { AuthHooks, IsEqual, ProviderProps, ViewProps } from './solid/types.ts'

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
  const Context = createContext<Provided>()

  function useProvided(caller: string, given?: AnyAuth): Provided {
    const found = useContext(Context)
    if (given) return { auth: given, keepExpired: false, store: storeOf(given) }
    if (found) return found
    throw new Error(`${caller} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`)
  }

  /** Reads the arguments of a primitive. The first one may be an auth that replaces the provided one. */
  function useArguments(caller: string, args: readonly unknown[]) {
    const given = typeof args[0] === 'object'
    const provided = useProvided(caller, given ? (args[0] as AnyAuth) : undefined)
    return [provided, ...(given ? args.slice(1) : args)] as [Provided, Select?, IsEqual?]
  }

  function provide(props: ProviderProps<Given>): Provided {
    const { auth } = props
    const store = untrack(() => withInitial(storeOf<AnyAuth>(auth), props.initialSession))
    return {
      auth,
      store,
      get keepExpired() {
        return props.keepExpired ?? false
      },
    }
  }

  /** Creates a component that shows its children in some views only. */
  function shownIn(name: string, views: readonly AuthView[], otherwise = views) {
    const Shown = (props: ViewProps) => {
      const above = useProvided(`<${name}>`)
      const shows = createSelection(above.store, view, (now) =>
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
            value: provide(props),
            get children() {
              return props.children
            },
          }),
      ),
    useAuth: () => useProvided('useAuth()').auth as never,
    useSession(...args: readonly unknown[]) {
      const [above, select, isEqual] = useArguments('useSession()', args)
      const part: typeof session = (snapshot) => (above.keepExpired ? lastSession : session)(snapshot)
      return createSelection(above.store, part, select, isEqual) as never
    },
    useAuthState(...args: readonly unknown[]) {
      const [{ store }, select, isEqual] = useArguments('useAuthState()', args)
      return createSelection(store, select ? whole : state, select, isEqual) as never
    },
    useReady(...args: readonly unknown[]) {
      const [{ auth, store }] = useArguments('useReady()', args)
      const isKnown = store.initial !== RESTORING
      const wait = () => (auth.state === 'restoring' && !isKnown ? auth.ready().then(() => true) : true)
      const [ready, { refetch }] = createResource(wait, { initialValue: isKnown, ssrLoadFrom: 'initial' })
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
  /** Provides an auth to all components below it. A different auth creates them again. */
  AuthProvider,
  /** Returns the auth of the provider, to call its methods: `useAuth().signOut()`. Throws without a provider. */
  useAuth,
  /** Returns an accessor of the session, or of a value selected from it: `useSession((session) => session?.subject)`. */
  useSession,
  /** Returns an accessor of the chart's state, or of a value selected from an `AuthSnapshot`. */
  useAuthState,
  /** Returns a resource that is `true` once the stored session has been read, for `<Suspense>` and `<Show>`. */
  useReady,
  /** Shows its children while there is a session, including during a refresh. */
  SignedIn,
  /** Shows its children while no user is signed in, including during a sign-in. */
  SignedOut,
  /** Shows its children after the session has expired, until the user signs in again or signs out. */
  Expired,
  /** Shows its children until the stored session has been read; always on a server. */
  Restoring,
} = createAuthContext<Auth, AnyAuth>()
