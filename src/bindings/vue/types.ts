/** The Vue binding, as its users see it. */
import type { AllowedComponentProps, App, ComponentCustomProps, ComputedRef, VNode, VNodeProps } from 'vue'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'

/** Whether a selection is what it was. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

export interface AuthPluginOptions {
  /**
   * Whether a session that ended by itself still counts as signed in, for a dialog over the page that asks to sign in again.
   * Default: `false`.
   */
  readonly keepExpired?: boolean
}

/** For `app.use()`. */
export interface AuthPlugin {
  install(app: App): void
}

/** A component with a slot, and `#fallback` for what is there instead: by default, nothing. */
export type AuthViewComponent = new () => {
  $props: AllowedComponentProps & ComponentCustomProps & VNodeProps
  $slots: { default?: () => VNode[]; fallback?: () => VNode[] }
}

/**
 * The plugin, the composables and the components. `Given` is what the plugin takes.
 */
export interface AuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /**
   * Gives the auth to every component of an app.
   *
   * @param auth made by `createAuth`: in a browser once, outside of components; on a server anew for each request
   * @param options `keepExpired`
   *
   * @example
   * ```ts
   * createApp(App).use(createAuthPlugin(auth)).mount('#app')
   * ```
   */
  createAuthPlugin(auth: Given, options?: AuthPluginOptions): AuthPlugin

  /**
   * The auth of the app, for what is done: `useAuth().signOut()`.
   *
   * @throws Error where the plugin is not installed
   */
  useAuth<B extends AnyAuth = A>(): B

  /**
   * The session, or what is selected from it. Changes when the selection does, and then only; `select` may read other refs.
   * It stops listening with the scope it was made in: a component, or an `effectScope()`.
   *
   * @param auth instead of the app's, and outside of components
   * @param select takes the session, or `undefined` where there is none
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither a plugin nor an `auth`
   *
   * @example
   * ```ts
   * const name = useSession((session) => session?.subject)
   * ```
   */
  useSession(): ComputedRef<SessionOf<A> | undefined>
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): ComputedRef<T>
  useSession<B extends AnyAuth>(auth: B): ComputedRef<SessionOf<B> | undefined>
  useSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): ComputedRef<T>

  /**
   * The chart's state, or what is selected from an `AuthSnapshot`. Otherwise as `useSession`.
   *
   * @param auth instead of the app's, and outside of components
   * @param select takes `{ state, view, session, reason, held }`
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither a plugin nor an `auth`
   *
   * @example
   * ```ts
   * const view = useAuthState(({ view }) => view)
   * ```
   */
  useAuthState(): ComputedRef<AuthState>
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): ComputedRef<T>
  useAuthState<B extends AnyAuth>(auth: B): ComputedRef<AuthState>
  useAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): ComputedRef<T>

  /**
   * Resolves once the stored session was read: for an async `setup()` under `<Suspense>`. On a server, which has no stored
   * session to read, it resolves at once.
   *
   * @throws DisposedError
   *
   * @example
   * ```ts
   * await useReady()
   * ```
   */
  useReady(auth?: AnyAuth): Promise<void>

  /** Its slot is there while there is a session: also during a refresh. */
  readonly SignedIn: AuthViewComponent
  /** Its slot is there while nobody is signed in: also while a sign-in is tried. */
  readonly SignedOut: AuthViewComponent
  /** Its slot is there from the end of a session until the user signed in again, or left. */
  readonly Expired: AuthViewComponent
  /** Its slot is there until the stored session was read: on servers, always. */
  readonly Restoring: AuthViewComponent
}
