/** Reactive values of Svelte 5, and the options of the binding. */
import type { Auth } from '../../core/auth.ts'
import type { AnyAuth, AuthView, InitialSession } from '../snapshot.ts'

/** Whether two selections are equal. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

/** A value that changes. A template, `$derived` or `$effect` that reads `current` runs again when it changes. */
export interface Reactive<T> {
  /** The value now. Reading it tracks it. It is a getter: do not destructure it. */
  readonly current: T
}

/** Options of `setAuth`. */
export interface SetAuthOptions<A extends AnyAuth = Auth> {
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

/** Shows which view belongs on the screen, for `{#if}`. It does not change during a refresh. */
export interface ReactiveView extends Reactive<AuthView> {
  /** `true` while there is a session, including during a refresh. */
  readonly signedIn: boolean
  /** `true` while no user is signed in, including during a sign-in. */
  readonly signedOut: boolean
  /** `true` after the session has expired, until the user signs in again or signs out. */
  readonly expired: boolean
  /** `true` until the stored session has been read; always `true` on a server. */
  readonly restoring: boolean
}
