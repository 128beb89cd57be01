/** The Angular binding, as its users see it. */
import type { HttpInterceptorFn, HttpResponseBase } from '@angular/common/http'
import type { EnvironmentProviders, Signal } from '@angular/core'
import type { CanActivateFn } from '@angular/router'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { OriginOptions } from '../../transports/origins.ts'
import type { AnyAuth, AuthSnapshot, AuthView, SessionOf } from '../snapshot.ts'

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

/**
 * What an app provides and injects. `Given` is what its `provideAuth` takes. Whatever begins with `inject` is to be called
 * in an injection context, as `inject` itself.
 */
export interface AuthContext<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /**
   * Provides the auth: for the `providers` of `bootstrapApplication`, or of a route.
   *
   * @param auth one made by `createAuth`; or a function that makes one for this application, in an injection context: that
   * one is disposed of with the application
   *
   * @example
   * ```ts
   * bootstrapApplication(App, { providers: [provideAuth(auth)] })
   * ```
   */
  provideAuth(auth: Given | (() => Given), options?: ProvideAuthOptions): EnvironmentProviders

  /**
   * The auth, for what is done: `injectAuth().signOut()`.
   *
   * @throws Error where none is provided
   */
  injectAuth<B extends AnyAuth = A>(): B

  /**
   * The session, or what is selected from it, as a signal. It changes when that changes, and then only.
   *
   * @param auth instead of the one provided
   * @param select takes the session, or `undefined` where there is none; may read other signals
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither a provider nor an `auth`
   *
   * @example
   * ```ts
   * readonly user = injectSession((session) => session?.subject)
   * ```
   */
  injectSession(): Signal<SessionOf<A> | undefined>
  injectSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): Signal<T>
  injectSession<B extends AnyAuth>(auth: B): Signal<SessionOf<B> | undefined>
  injectSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): Signal<T>

  /**
   * The chart's state, or what is selected from an `AuthSnapshot`, as a signal.
   *
   * @param auth instead of the one provided
   * @param select takes `{ state, view, session, reason, held }`; may read other signals
   * @param isEqual whether a selection is what it was. Default: `Object.is`
   * @throws Error where there is neither a provider nor an `auth`
   *
   * @example
   * ```ts
   * readonly held = injectAuthState(({ held }) => held)
   * ```
   */
  injectAuthState(): Signal<AuthState>
  injectAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): Signal<T>
  injectAuthState<B extends AnyAuth>(auth: B): Signal<AuthState>
  injectAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): Signal<T>

  /**
   * What belongs on the screen, as signals for `@if`.
   *
   * @throws Error where no auth is provided
   *
   * @example
   * ```ts
   * readonly show = injectAuthView() // @if (show.signedIn()) { <app-desk /> }
   * ```
   */
  injectAuthView(): AuthViewSignals

  /**
   * An interceptor that puts the session under `HttpClient`: it adds the token, waits while it is renewed and replays what a
   * stale one was refused for. Name it last, so that the others run once for each call and not once for each sending.
   *
   * The token goes to `origins` and to the page's own origin only. A caller's own `Authorization` header is left alone.
   * Errors of the session come as they are, not in an `HttpErrorResponse`.
   *
   * @throws TypeError where there is no page and `origins` is not set
   *
   * @example
   * ```ts
   * provideHttpClient(withInterceptors([authInterceptor({ origins: ['https://api.example.com'] })]))
   * ```
   *
   * @see RFC 6750 §2.1
   */
  authInterceptor(options?: AuthInterceptorOptions): HttpInterceptorFn

  /**
   * A guard for routes: waits until the stored session was read, and leads whoever is not signed in to the sign-in page,
   * with the way back in its query. `safeReturnPath` of `authchart/guard` reads that.
   *
   * @example
   * ```ts
   * const routes: Routes = [{ path: 'desk', component: Desk, canActivate: [authGuard({ loginPath: '/login' })] }]
   * ```
   */
  authGuard(options: AuthGuardOptions): CanActivateFn
}
