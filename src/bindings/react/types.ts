/** The public types of the React binding. */
import type { ReactElement, ReactNode } from 'react'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, InitialSession, SessionOf } from '../snapshot.ts'

/** Whether two selections are equal. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

/** What `<AuthProvider>` takes. */
export interface ProviderProps<A extends AnyAuth = AnyAuth> {
  /** Created by `createAuth`, outside of components. */
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
  readonly children?: ReactNode
}

/** What `<SignedIn>`, `<SignedOut>`, `<Expired>` and `<Restoring>` take. */
export interface ViewProps {
  /** What is shown in that view. */
  readonly children?: ReactNode
  /** What is shown otherwise. Default: nothing. */
  readonly fallback?: ReactNode
}

type View = (props: ViewProps) => ReactElement

/**
 * The hooks and components. `Given` is the type of auth that the provider accepts.
 */
export interface AuthHooks<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /** Provides the auth to all components below it. */
  readonly AuthProvider: (props: ProviderProps<Given>) => ReactElement

  /**
   * Returns the auth of the provider, to call its methods: `useAuth().signOut()`.
   *
   * @throws Error if the provider is missing
   */
  useAuth<B extends AnyAuth = A>(): B

  /**
   * Returns the session, or a value selected from it. The component renders again only when that value changes.
   *
   * @throws Error if both a provider and an `auth` argument are missing
   *
   * @example
   * ```tsx
   * const name = useSession((session) => session?.subject)
   * ```
   */
  useSession(): SessionOf<A> | undefined
  /**
   * Like `useSession()`, for a value that `select` returns.
   *
   * @param select receives the session, or `undefined` without a session
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): T
  /**
   * Like `useSession()`, for another auth.
   *
   * @param auth replaces the auth of the provider
   */
  useSession<B extends AnyAuth>(auth: B): SessionOf<B> | undefined
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
  ): T

  /**
   * Returns the chart's state, or a value selected from an `AuthSnapshot`.
   *
   * @throws Error if both a provider and an `auth` argument are missing
   *
   * @example
   * ```tsx
   * const view = useAuthState(({ view }) => view)
   * ```
   */
  useAuthState(): AuthState
  /**
   * Like `useAuthState()`, for a value that `select` returns.
   *
   * @param select receives `{ state, view, session, lastSession, reason, held }`
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): T
  /**
   * Like `useAuthState()`, for another auth.
   *
   * @param auth replaces the auth of the provider
   */
  useAuthState<B extends AnyAuth>(auth: B): AuthState
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
  ): T

  /**
   * Suspends until the stored session has been read, so that `<Suspense>` shows its fallback. A server renders the fallback.
   *
   * @throws Error on a server, so that React renders this part in the browser only
   * @throws DisposedError if the auth is disposed of
   */
  useReady(auth?: AnyAuth): void

  /** Its children are shown while there is a session, including during a refresh. */
  readonly SignedIn: View
  /** Its children are shown while no user is signed in, including during a sign-in. */
  readonly SignedOut: View
  /** Its children are shown after the session has expired, until the user signs in again or signs out. */
  readonly Expired: View
  /** Its children are shown until the stored session has been read; always on a server. */
  readonly Restoring: View
}
