/** The public types of the Svelte binding. */
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'
import type { IsEqual, Reactive, ReactiveView, SetAuthOptions } from './reactive.ts'

/**
 * The functions that components call during their initialization. `Given` is the type of auth that `setAuth` accepts.
 */
export interface AuthHooks<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /**
   * Provides the auth to this component and to all components below it. On a server and during hydration, the auth appears as
   * restoring, or with its `initialSession`; the components show its real state once this component is mounted.
   *
   * @param auth created by `createAuth`: in a browser once, outside of components
   * @returns the same auth
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   import { auth, setAuth } from '$lib/auth.ts'
   *   setAuth(auth)
   * </script>
   * ```
   */
  setAuth<B extends Given>(auth: B, options?: SetAuthOptions<Given>): B

  /**
   * Returns the auth of a component above, to call its methods: `getAuth().signOut()`.
   *
   * @throws Error if no component above has set an auth
   */
  getAuth<B extends AnyAuth = A>(): B

  /**
   * Returns the session, or a value selected from it. It changes only when that value changes.
   *
   * @throws Error if no component above has set an auth and none is passed
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
  /**
   * Like `useSession()`, for a value that `select` returns.
   *
   * @param select receives the session, or `undefined` without a session; may read other state
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): Reactive<T>
  /**
   * Like `useSession()`, for another auth.
   *
   * @param auth replaces the auth of a component above. The function can then be called anywhere in the browser
   */
  useSession<B extends AnyAuth>(auth: B): Reactive<SessionOf<B> | undefined>
  /**
   * Like `useSession()`, for a value that `select` returns of another auth.
   *
   * @param auth replaces the auth of a component above. The function can then be called anywhere in the browser
   * @param select receives the session, or `undefined` without a session; may read other state
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): Reactive<T>

  /**
   * Returns the chart's state, or a value selected from an `AuthSnapshot`.
   *
   * @throws Error if no component above has set an auth and none is passed
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
  /**
   * Like `useAuthState()`, for a value that `select` returns.
   *
   * @param select receives `{ state, view, session, lastSession, reason, held }`; may read other state
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): Reactive<T>
  /**
   * Like `useAuthState()`, for another auth.
   *
   * @param auth replaces the auth of a component above. The function can then be called anywhere in the browser
   */
  useAuthState<B extends AnyAuth>(auth: B): Reactive<AuthState>
  /**
   * Like `useAuthState()`, for a value that `select` returns of another auth.
   *
   * @param auth replaces the auth of a component above. The function can then be called anywhere in the browser
   * @param select receives `{ state, view, session, lastSession, reason, held }`; may read other state
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  useAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): Reactive<T>

  /**
   * Returns which view belongs on the screen. Its properties are getters: do not destructure it.
   *
   * @throws Error if no component above has set an auth
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
