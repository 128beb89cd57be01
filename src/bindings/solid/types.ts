/** The public types of the Solid binding. */
import type { Accessor, JSX, Resource } from 'solid-js'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, InitialSession, SessionOf } from '../snapshot.ts'

/** Whether two selections are equal. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

/** What `<AuthProvider>` takes. */
export interface ProviderProps<A extends AnyAuth = AnyAuth> {
  /** Created by `createAuth`: in a browser once, outside of components; on a server once per request. */
  readonly auth: A
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
  /** The components that may use the auth. */
  readonly children?: JSX.Element
}

/** What `<SignedIn>`, `<SignedOut>`, `<Expired>` and `<Restoring>` take. */
export interface ViewProps {
  /** What is shown in that view. */
  readonly children?: JSX.Element
  /** What is shown otherwise. Default: nothing. */
  readonly fallback?: JSX.Element
}

type View = (props: ViewProps) => JSX.Element

/**
 * The primitives and components. `Given` is the type of auth that the provider accepts.
 */
export interface AuthHooks<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /** Provides the auth to all components below it. A different auth creates them again. */
  readonly AuthProvider: (props: ProviderProps<Given>) => JSX.Element

  /**
   * Returns the auth of the provider, to call its methods: `useAuth().signOut()`.
   *
   * @throws Error if the provider is missing
   */
  useAuth<B extends AnyAuth = A>(): B

  /**
   * Returns an accessor of the session, or of a value selected from it. It notifies only when that value changes. `select`
   * may read other signals.
   *
   * @throws Error if both a provider and an `auth` argument are missing
   *
   * @example
   * ```tsx
   * const name = useSession((session) => session?.subject)
   * return <p>{name()}</p>
   * ```
   */
  useSession(): Accessor<SessionOf<A> | undefined>
  /**
   * Like `useSession()`, for a value that `select` returns.
   *
   * @param select receives the session, or `undefined` without a session
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): Accessor<T>
  /**
   * Like `useSession()`, for another auth.
   *
   * @param auth replaces the auth of the provider
   */
  useSession<B extends AnyAuth>(auth: B): Accessor<SessionOf<B> | undefined>
  /**
   * Like `useSession()`, for a value that `select` returns of another auth.
   *
   * @param auth replaces the auth of the provider
   * @param select receives the session, or `undefined` without a session
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): Accessor<T>

  /**
   * Returns an accessor of the chart's state, or of a value selected from an `AuthSnapshot`. Otherwise like `useSession`.
   *
   * @throws Error if both a provider and an `auth` argument are missing
   *
   * @example
   * ```tsx
   * const view = useAuthState(({ view }) => view)
   * ```
   */
  useAuthState(): Accessor<AuthState>
  /**
   * Like `useAuthState()`, for a value that `select` returns.
   *
   * @param select receives `{ state, view, session, lastSession, reason, held }`
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): Accessor<T>
  /**
   * Like `useAuthState()`, for another auth.
   *
   * @param auth replaces the auth of the provider
   */
  useAuthState<B extends AnyAuth>(auth: B): Accessor<AuthState>
  /**
   * Like `useAuthState()`, for a value that `select` returns of another auth.
   *
   * @param auth replaces the auth of the provider
   * @param select receives `{ state, view, session, lastSession, reason, held }`
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): Accessor<T>

  /**
   * Returns a resource that is `true` once the stored session has been read. Reading it before that shows the fallback of
   * `<Suspense>`. On a server, which has no stored session, it is `false`, and nothing waits.
   *
   * @throws DisposedError when the resource is read after the auth was disposed of, for `<ErrorBoundary>`
   *
   * @example
   * ```tsx
   * const ready = useReady()
   * return <Show when={ready()}><Page /></Show>
   * ```
   */
  useReady(auth?: AnyAuth): Resource<boolean>

  /** Its children are shown while there is a session, including during a refresh. */
  readonly SignedIn: View
  /** Its children are shown while no user is signed in, including during a sign-in. */
  readonly SignedOut: View
  /** Its children are shown after the session has expired, until the user signs in again or signs out. */
  readonly Expired: View
  /** Its children are shown until the stored session has been read; always on a server. */
  readonly Restoring: View
}
