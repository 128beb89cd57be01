/** What the functions of the Angular binding take and give, beside signals of the session. */
import type { HttpResponseBase } from '@angular/common/http'
import type { Signal } from '@angular/core'
import type { OriginOptions } from '../../transports/origins.ts'
import type { AuthView } from '../snapshot.ts'

/** Whether a selection is what it was. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

export interface ProvideAuthOptions {
  /**
   * Whether a session that ended by itself still counts as signed in, for a dialog over the page that asks to sign in again.
   * Default: `false`.
   */
  readonly keepExpired?: boolean
}

/** What belongs on the screen: signals for `@if`. They do not flicker while a token is renewed. */
export interface AuthViewSignals {
  readonly view: Signal<AuthView>
  /** While there is a session: also during a refresh. */
  readonly signedIn: Signal<boolean>
  /** While nobody is signed in: also while a sign-in is tried. */
  readonly signedOut: Signal<boolean>
  /** From the end of a session until the user signed in again, or left. */
  readonly expired: Signal<boolean>
  /** Until the stored session was read: on servers, always. */
  readonly restoring: Signal<boolean>
}

/** Options of `authInterceptor`. */
export interface AuthInterceptorOptions extends OriginOptions {
  /**
   * Says whether an answer asks for a new token: an `HttpResponse`, or an `HttpErrorResponse` with a status. Default: a 401
   * whose Bearer challenge, where it names an error, names `invalid_token`. Step-up challenges are recognised before.
   */
  readonly isChallenge?: (answer: HttpResponseBase) => boolean | Promise<boolean>
  /**
   * What a 401 does to other requests in flight with the same token: `'safe'` aborts GET, HEAD and OPTIONS and sends them
   * again with the new one. Default: `'never'`.
   */
  readonly abortInFlight?: 'never' | 'safe'
  /** Requests that are none of the session's business: they go as they are, at once. */
  readonly exclude?: (url: string) => boolean
}

/** Options of `authGuard`. */
export interface AuthGuardOptions {
  /** The path of the sign-in page. */
  readonly loginPath: string
  /** The name of the query parameter that brings the way back. Default: `'returnTo'`. */
  readonly param?: string
}
