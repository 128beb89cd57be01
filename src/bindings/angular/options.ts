/** Options and results of the Angular binding, except signals of the session. */
import type { Signal } from '@angular/core'
import type { Auth } from '../../core/auth.ts'
import type { AnyAuth, AuthView, InitialSession } from '../snapshot.ts'

/** Whether two selections are equal. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

/** Options of `provideAuth`. */
export interface ProvideAuthOptions<A extends AnyAuth = Auth> {
  /**
   * Whether an expired session still counts as signed in, so that a dialog over the page can ask the user to sign in again.
   * `injectSession()` then returns the expired session, until the user signs in again or signs out. Default: `false`.
   */
  readonly keepExpired?: boolean
  /**
   * What the server knows of the user, so that it can render pages of signed-in users. Pass the same value in the browser,
   * which shows it until the session is restored. `null`: no user is signed in. Default: the server renders as `restoring`.
   */
  readonly initialSession?: InitialSession<A> | undefined
}

/** Signals for `@if` that show which view belongs on the screen. They do not change during a refresh. */
export interface AuthViewSignals {
  /** The view itself, for `@switch`. Unlike the signals below, it does not depend on `keepExpired`. */
  readonly view: Signal<AuthView>
  /** `true` while there is a session, including during a refresh. */
  readonly signedIn: Signal<boolean>
  /** `true` while no user is signed in, including during a sign-in. */
  readonly signedOut: Signal<boolean>
  /** `true` after the session has expired, until the user signs in again or signs out. */
  readonly expired: Signal<boolean>
  /** `true` until the stored session has been read; always `true` on a server. */
  readonly restoring: Signal<boolean>
}

/** Options of `authGuard`. */
export interface AuthGuardOptions {
  /** The path of the sign-in page. */
  readonly loginPath: string
  /** The name of the query parameter with the return path. Default: `'returnTo'`. */
  readonly param?: string
}
