/** The React binding, as its users see it. */
import type { ReactElement, ReactNode } from 'react'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'

/** Whether a selection is what it was. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

export interface ProviderProps<A extends AnyAuth = AnyAuth> {
  /** Made outside of components, by `createAuth`. */
  readonly auth: A
  /**
   * Whether a session that ended by itself still counts as signed in, for a dialog over the page that asks to sign in again.
   * Default: `false`.
   */
  readonly keepExpired?: boolean
  readonly children?: ReactNode
}

export interface ViewProps {
  readonly children?: ReactNode
  /** What is there instead. Default: nothing. */
  readonly fallback?: ReactNode
}

type View = (props: ViewProps) => ReactElement

/**
 * The hooks and components. `Given` is what their provider takes.
 */
export interface AuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /** Gives the auth to everything below it. */
  readonly AuthProvider: (props: ProviderProps<Given>) => ReactElement

  /**
   * The auth of the provider, for what is done: `useAuth().signOut()`.
   *
   * @throws Error where there is no provider
   */
  useAuth<B extends AnyAuth = A>(): B

  /**
   * The session, or what is selected from it. Renders again when that changes, and then only.
   *
   * @param auth instead of the provider's
   * @param select takes the session, or `undefined` where there is none
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither a provider nor an `auth`
   *
   * @example
   * ```tsx
   * const name = useSession((session) => session?.subject)
   * ```
   */
  useSession(): SessionOf<A> | undefined
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): T
  useSession<B extends AnyAuth>(auth: B): SessionOf<B> | undefined
  useSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): T

  /**
   * The chart's state, or what is selected from an `AuthSnapshot`.
   *
   * @param auth instead of the provider's
   * @param select takes `{ state, view, session, reason, held }`
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither a provider nor an `auth`
   *
   * @example
   * ```tsx
   * const view = useAuthState(({ view }) => view)
   * ```
   */
  useAuthState(): AuthState
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): T
  useAuthState<B extends AnyAuth>(auth: B): AuthState
  useAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): T

  /**
   * Suspends until the stored session was read: for `<Suspense>`. A server renders the fallback.
   *
   * @throws Error on a server, which React takes for a part that is rendered in the browser only
   * @throws DisposedError
   */
  useReady(auth?: AnyAuth): void

  /** Its children are there while there is a session: also during a refresh. */
  readonly SignedIn: View
  /** Its children are there while nobody is signed in: also while a sign-in is tried. */
  readonly SignedOut: View
  /** Its children are there from the end of a session until the user signed in again, or left. */
  readonly Expired: View
  /** Its children are there until the stored session was read: on servers, always. */
  readonly Restoring: View
}
