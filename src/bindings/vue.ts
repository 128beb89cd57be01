/**
 * The session in Vue 3.
 *
 * @module
 */
import { hasInjectionContext, type InjectionKey, inject, type SetupContext, toRaw } from 'vue'
import type { Auth } from '../core/auth.ts'
import { type Select, session, state, view, whole } from './selectors.ts'
import type { AnyAuth, AuthView } from './snapshot.ts'
import { createSelection, isServerRender } from './vue/selection.ts'
import type { AuthHooks, AuthViewComponent, IsEqual } from './vue/types.ts'

export type { AnyAuth, AuthSnapshot, AuthView, SessionOf } from './snapshot.ts'
export type { AuthHooks, AuthPlugin, AuthPluginOptions, AuthViewComponent } from './vue/types.ts'

interface Provided {
  readonly auth: AnyAuth
  readonly keepExpired: boolean
}

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
    const auth = given ? toRaw(args[0] as AnyAuth) : provided(caller).auth
    return [auth, ...(given ? args.slice(1) : args)] as [AnyAuth, Select?, IsEqual?]
  }

  /** Creates a component that shows its slot in some views only. */
  function shownIn(name: string, views: readonly AuthView[], otherwise = views) {
    const Shown = {
      name,
      setup(_: unknown, { slots }: SetupContext) {
        const { auth, keepExpired } = provided(`<${name}>`)
        const shows = createSelection(auth, (snapshot) =>
          (keepExpired ? otherwise : views).includes(view(snapshot) as AuthView),
        )
        return () => (shows.value ? slots.default?.() : slots.fallback?.())
      },
    }
    return Shown as unknown as AuthViewComponent
  }

  return {
    createAuthPlugin: (auth, { keepExpired = false } = {}) => ({
      install: (app) => void app.provide(key, { auth: toRaw(auth), keepExpired }),
    }),
    useAuth: () => provided('useAuth()').auth as never,
    useSession(...args: readonly unknown[]) {
      const [auth, select, isEqual] = readArguments('useSession()', args)
      return createSelection(auth, session, select, isEqual) as never
    },
    useAuthState(...args: readonly unknown[]) {
      const [auth, select, isEqual] = readArguments('useAuthState()', args)
      return createSelection(auth, select ? whole : state, select, isEqual) as never
    },
    async useReady(...args: readonly unknown[]) {
      const [auth] = readArguments('useReady()', args)
      if (!isServerRender()) await auth.ready()
    },
    SignedIn: shownIn('SignedIn', ['signedIn'], ['signedIn', 'expired']),
    SignedOut: shownIn('SignedOut', ['signedOut', 'expired'], ['signedOut']),
    Expired: shownIn('Expired', ['expired']),
    Restoring: shownIn('Restoring', ['restoring']),
  }
}

export const {
  createAuthPlugin,
  useAuth,
  useSession,
  useAuthState,
  useReady,
  SignedIn,
  SignedOut,
  Expired,
  Restoring,
} = createAuthContext<Auth, AnyAuth>()
