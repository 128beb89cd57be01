/** The public types of the Vue binding. */
import type { AllowedComponentProps, App, ComponentCustomProps, ComputedRef, VNode, VNodeProps } from 'vue'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, InitialSession, SessionOf } from '../snapshot.ts'

/** Whether two selections are equal. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

/** Options of `createAuthPlugin`. */
export interface AuthPluginOptions<A extends AnyAuth = Auth> {
  /**
   * Whether an expired session still counts as signed in, so that a dialog over the page can ask the user to sign in again.
   * `useSession()` then returns the expired session, until the user signs in again or signs out. Default: `false`.
   */
  readonly keepExpired?: boolean
  /**
   * What the server knows of the user, so that it can render pages of signed-in users. Pass the same value in the browser,
   * which shows it until the session is restored. `null`: no user is signed in. Default: the server renders as `restoring`.
   */
  readonly initialSession?: InitialSession<A> | undefined
}

/** A plugin for `app.use()`. */
export interface AuthPlugin {
  /** Called by `app.use()`: provides the auth to all components of the app. */
  install(app: App): void
}

/** A component with a default slot, and a `#fallback` slot that is shown otherwise. Default fallback: nothing. */
export type AuthViewComponent = new () => {
  /** It takes only what every component takes, such as `key` and `class`. */
  $props: AllowedComponentProps & ComponentCustomProps & VNodeProps
  /** Its slots, which get no props. */
  $slots: {
    /** What is shown in that view. */
    default?: () => VNode[]
    /** What is shown otherwise. Default: nothing. */
    fallback?: () => VNode[]
  }
}

/**
 * The plugin, the composables and the components. `Given` is the type of auth that the plugin accepts.
 */
export interface AuthHooks<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /**
   * Creates a plugin that provides the auth to every component of an app.
   *
   * @param auth created by `createAuth`: in a browser once, outside of components; on a server once per request
   * @param options `keepExpired`, `initialSession`
   *
   * @example
   * ```ts
   * createApp(App).use(createAuthPlugin(auth)).mount('#app')
   * ```
   */
  createAuthPlugin(auth: Given, options?: AuthPluginOptions<Given>): AuthPlugin

  /**
   * Returns the auth of the app, to call its methods: `useAuth().signOut()`.
   *
   * @throws Error if the plugin is not installed
   */
  useAuth<B extends AnyAuth = A>(): B

  /**
   * Returns a ref of the session, or of a value selected from it. It changes only when that value changes. `select` may read
   * other refs. It stops listening when its scope ends: a component, or an `effectScope()`.
   *
   * @throws Error if the plugin is not installed and no `auth` is passed
   *
   * @example
   * ```ts
   * const name = useSession((session) => session?.subject)
   * ```
   */
  useSession(): ComputedRef<SessionOf<A> | undefined>
  /**
   * Like `useSession()`, for a value that `select` returns.
   *
   * @param select receives the session, or `undefined` without a session
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): ComputedRef<T>
  /**
   * Like `useSession()`, for another auth.
   *
   * @param auth replaces the auth of the app; required outside of components
   */
  useSession<B extends AnyAuth>(auth: B): ComputedRef<SessionOf<B> | undefined>
  /**
   * Like `useSession()`, for a value that `select` returns of another auth.
   *
   * @param auth replaces the auth of the app; required outside of components
   * @param select receives the session, or `undefined` without a session
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): ComputedRef<T>

  /**
   * Returns a ref of the chart's state, or of a value selected from an `AuthSnapshot`. Otherwise like `useSession`.
   *
   * @throws Error if the plugin is not installed and no `auth` is passed
   *
   * @example
   * ```ts
   * const view = useAuthState(({ view }) => view)
   * ```
   */
  useAuthState(): ComputedRef<AuthState>
  /**
   * Like `useAuthState()`, for a value that `select` returns.
   *
   * @param select receives `{ state, view, session, lastSession, reason, held }`
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): ComputedRef<T>
  /**
   * Like `useAuthState()`, for another auth.
   *
   * @param auth replaces the auth of the app; required outside of components
   */
  useAuthState<B extends AnyAuth>(auth: B): ComputedRef<AuthState>
  /**
   * Like `useAuthState()`, for a value that `select` returns of another auth.
   *
   * @param auth replaces the auth of the app; required outside of components
   * @param select receives `{ state, view, session, lastSession, reason, held }`
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): ComputedRef<T>

  /**
   * Resolves once the stored session has been read: for an async `setup()` under `<Suspense>`. On a server, which has no
   * stored session, it resolves at once.
   *
   * @throws DisposedError if the auth is disposed of
   *
   * @example
   * ```ts
   * await useReady()
   * ```
   */
  useReady(auth?: AnyAuth): Promise<void>

  /** Its slot is shown while there is a session, including during a refresh. */
  readonly SignedIn: AuthViewComponent
  /** Its slot is shown while no user is signed in, including during a sign-in. */
  readonly SignedOut: AuthViewComponent
  /** Its slot is shown after the session has expired, until the user signs in again or signs out. */
  readonly Expired: AuthViewComponent
  /** Its slot is shown until the stored session has been read; always on a server. */
  readonly Restoring: AuthViewComponent
}
