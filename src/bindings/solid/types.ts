/** The Solid binding, as its users see it. */
import type { Accessor, JSX, Resource } from 'solid-js'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'

/** Whether a selection is what it was. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

export interface ProviderProps<A extends AnyAuth = AnyAuth> {
  /** Made by `createAuth`: in a browser once, outside of components; on a server anew for each request. */
  readonly auth: A
  /**
   * Whether a session that ended by itself still counts as signed in, for a dialog over the page that asks to sign in again.
   * Default: `false`.
   */
  readonly keepExpired?: boolean
  readonly children?: JSX.Element
}

export interface ViewProps {
  readonly children?: JSX.Element
  /** What is there instead. Default: nothing. */
  readonly fallback?: JSX.Element
}

type View = (props: ViewProps) => JSX.Element

/**
 * The primitives and components. `Given` is what their provider takes.
 */
export interface AuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /** Gives the auth to everything below it. Another auth makes all of that anew. */
  readonly AuthProvider: (props: ProviderProps<Given>) => JSX.Element

  /**
   * The auth of the provider, for what is done: `useAuth().signOut()`.
   *
   * @throws Error where there is no provider
   */
  useAuth<B extends AnyAuth = A>(): B

  /**
   * The session, or what is selected from it. Tells of a change of the selection only; `select` may read other signals.
   *
   * @param auth instead of the provider's
   * @param select takes the session, or `undefined` where there is none
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither a provider nor an `auth`
   *
   * @example
   * ```tsx
   * const name = useSession((session) => session?.subject)
   * return <p>{name()}</p>
   * ```
   */
  useSession(): Accessor<SessionOf<A> | undefined>
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): Accessor<T>
  useSession<B extends AnyAuth>(auth: B): Accessor<SessionOf<B> | undefined>
  useSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): Accessor<T>

  /**
   * The chart's state, or what is selected from an `AuthSnapshot`. Otherwise as `useSession`.
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
  useAuthState(): Accessor<AuthState>
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): Accessor<T>
  useAuthState<B extends AnyAuth>(auth: B): Accessor<AuthState>
  useAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): Accessor<T>

  /**
   * Whether the stored session was read, as a resource: `<Suspense>` shows its fallback where it is read. On a server, which
   * has no stored session to read, it is `false`, and nothing waits.
   *
   * @throws DisposedError where it is read, for `<ErrorBoundary>`
   *
   * @example
   * ```tsx
   * const ready = useReady()
   * return <Show when={ready()}><Page /></Show>
   * ```
   */
  useReady(auth?: AnyAuth): Resource<boolean>

  /** Its children are there while there is a session: also during a refresh. */
  readonly SignedIn: View
  /** Its children are there while nobody is signed in: also while a sign-in is tried. */
  readonly SignedOut: View
  /** Its children are there from the end of a session until the user signed in again, or left. */
  readonly Expired: View
  /** Its children are there until the stored session was read: on servers, always. */
  readonly Restoring: View
}
