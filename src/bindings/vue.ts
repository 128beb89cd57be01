/**
 * The session in Vue 3.
 *
 * @module
 */
import { hasInjectionContext, type InjectionKey, inject, type SetupContext, toRaw } from 'vue'
import type { Auth } from '../core/auth.ts'
import { type Select, sessionPart, state, view, whole } from './selectors.ts'
import { type AnyAuth, type AuthView, type Provided, RESTORING, storeOf, withInitial } from './snapshot.ts'
import { createSelection, isServerRender } from './vue/selection.ts'
import type { AuthHooks, AuthViewComponent, IsEqual } from './vue/types.ts'

export type { AnyAuth, AuthSnapshot, AuthView, InitialSession, SessionOf } from './snapshot.ts'
export type { AuthHooks, AuthPlugin, AuthPluginOptions, AuthViewComponent, IsEqual } from './vue/types.ts'

/** An auth that is passed to a composable has no provider. */
const alone = (auth: AnyAuth): Provided => ({ auth, keepExpired: false, store: storeOf(auth) })

/**
 * Creates a plugin, composables and components that are typed for your auth.
 *
 * @example
 * ```ts
 * export const { createAuthPlugin, SignedIn, useAuth, useSession } = createAuthContext<typeof auth>()
 * ```
 */
export function createAuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A>(): AuthHooks<
  A,
  Given
> {
  const key: InjectionKey<Provided> = Symbol('authchart')

  function provided(caller: string): Provided {
    const found = hasInjectionContext() ? inject(key, undefined) : undefined
    if (found) return found
    throw new Error(
      `${caller} found no auth. Install it with app.use(createAuthPlugin(auth)), and call this in setup().`,
    )
  }

  /** Reads the arguments of a composable. The first one may be an auth that replaces the provided one. */
  function readArguments(caller: string, args: readonly unknown[]) {
    const given = typeof args[0] === 'object'
    const found = given ? alone(toRaw(args[0] as AnyAuth)) : provided(caller)
    return [found, ...(given ? args.slice(1) : args)] as [Provided, Select?, IsEqual?]
  }

  /** Creates a component that shows its slot in some views only. */
  function shownIn(name: string, views: readonly AuthView[], otherwise = views) {
    const Shown = {
      name,
      setup(_: unknown, { slots }: SetupContext) {
        const { store, keepExpired } = provided(`<${name}>`)
        const shows = createSelection(store, (snapshot) =>
          (keepExpired ? otherwise : views).includes(view(snapshot) as AuthView),
        )
        return () => (shows.value ? slots.default?.() : slots.fallback?.())
      },
    }
    return Shown as unknown as AuthViewComponent
  }

  return {
    createAuthPlugin(given, { keepExpired = false, initialSession } = {}) {
      const auth = toRaw(given)
      const store = withInitial(storeOf<AnyAuth>(auth), initialSession)
      return { install: (app) => void app.provide(key, { auth, keepExpired, store }) }
    },
    useAuth: () => provided('useAuth()').auth as never,
    useSession(...args: readonly unknown[]) {
      const [{ store, keepExpired }, select, isEqual] = readArguments('useSession()', args)
      return createSelection(store, sessionPart(keepExpired), select, isEqual) as never
    },
    useAuthState(...args: readonly unknown[]) {
      const [{ store }, select, isEqual] = readArguments('useAuthState()', args)
      return createSelection(store, select ? whole : state, select, isEqual) as never
    },
    async useReady(...args: readonly unknown[]) {
      const [{ auth, store }] = readArguments('useReady()', args)
      if (!isServerRender() && store.initial === RESTORING) await auth.ready()
    },
    SignedIn: shownIn('SignedIn', ['signedIn'], ['signedIn', 'expired']),
    SignedOut: shownIn('SignedOut', ['signedOut', 'expired'], ['signedOut']),
    Expired: shownIn('Expired', ['expired']),
    Restoring: shownIn('Restoring', ['restoring']),
  }
}

export const {
  /** Creates a plugin that provides an auth to every component of an app: `app.use(createAuthPlugin(auth))`. */
  createAuthPlugin,
  /** Returns the auth of the app, to call its methods: `useAuth().signOut()`. Throws if the plugin is not installed. */
  useAuth,
  /** Returns a ref of the session, or of a value selected from it: `useSession((session) => session?.subject)`. */
  useSession,
  /** Returns a ref of the chart's state, or of a value selected from an `AuthSnapshot`. */
  useAuthState,
  /** Resolves once the stored session has been read: for an async `setup()` under `<Suspense>`. */
  useReady,
  /** Shows its slot while there is a session, including during a refresh. */
  SignedIn,
  /** Shows its slot while no user is signed in, including during a sign-in. */
  SignedOut,
  /** Shows its slot after the session has expired, until the user signs in again or signs out. */
  Expired,
  /** Shows its slot until the stored session has been read; always on a server. */
  Restoring,
} = createAuthContext<Auth, AnyAuth>()
