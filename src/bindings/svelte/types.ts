/** The Svelte binding, as its users see it. */
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'
import type { IsEqual, Reactive, ReactiveView, SetAuthOptions } from './reactive.ts'

/**
 * What components call while they are initialised. `Given` is what `setAuth` takes.
 */
export interface AuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /**
   * Gives the auth to this component and to everything below it. A server renders, and hydration begins with, a session
   * that is looked for; what is true is shown as soon as this component is mounted.
   *
   * @param auth made by `createAuth`: in a browser once, outside of components
   * @returns the auth
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   import { auth, setAuth } from '$lib/auth.ts'
   *   setAuth(auth)
   * </script>
   * ```
   */
  setAuth<B extends Given>(auth: B, options?: SetAuthOptions): B

  /**
   * The auth of a component above, for what is done: `getAuth().signOut()`.
   *
   * @throws Error where there is none
   */
  getAuth<B extends AnyAuth = A>(): B

  /**
   * The session, or what is selected from it. Changes when that does, and then only.
   *
   * @param auth instead of that of a component above: then it may be called anywhere in the browser
   * @param select takes the session, or `undefined` where there is none; may read other state
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither an auth above nor an `auth`
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   const name = useSession((session) => session?.subject)
   * </script>
   * {name.current}
   * ```
   */
  useSession(): Reactive<SessionOf<A> | undefined>
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): Reactive<T>
  useSession<B extends AnyAuth>(auth: B): Reactive<SessionOf<B> | undefined>
  useSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): Reactive<T>

  /**
   * The chart's state, or what is selected from an `AuthSnapshot`.
   *
   * @param auth instead of that of a component above: then it may be called anywhere in the browser
   * @param select takes `{ state, view, session, reason, held }`; may read other state
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither an auth above nor an `auth`
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   const held = useAuthState(({ held }) => held)
   * </script>
   * {held.current} requests wait.
   * ```
   */
  useAuthState(): Reactive<AuthState>
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): Reactive<T>
  useAuthState<B extends AnyAuth>(auth: B): Reactive<AuthState>
  useAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): Reactive<T>

  /**
   * What belongs on the screen. Its parts are getters: do not take it apart.
   *
   * @throws Error where there is no auth above
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   const view = useAuthView()
   * </script>
   * {#if view.signedIn}<Desk />{:else if view.signedOut}<SignInPage />{/if}
   * ```
   */
  useAuthView(): ReactiveView
}
