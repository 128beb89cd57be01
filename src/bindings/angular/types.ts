/** The public types of the Angular binding. */
import type { HttpInterceptorFn } from '@angular/common/http'
import type { EnvironmentProviders, Signal } from '@angular/core'
import type { CanActivateFn } from '@angular/router'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AuthInterceptorOptions } from '../../transports/angular/options.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'
import type { AuthGuardOptions, AuthViewSignals, IsEqual, ProvideAuthOptions } from './options.ts'

/**
 * The functions with which an app provides and injects an auth. `Given` is the type that `provideAuth` accepts. Functions
 * whose names begin with `inject` must be called in an injection context, like `inject` itself.
 */
export interface AuthHooks<A extends AnyAuth = Auth, Given extends AnyAuth = A> {
  /**
   * Provides the auth. The result belongs in the `providers` of `bootstrapApplication` or of a route.
   *
   * @param auth an auth created by `createAuth`; or a function that creates one for this application, in an injection
   * context. An auth that the function creates is disposed of with the application
   * @param options `keepExpired`, `initialSession`
   *
   * @example
   * ```ts
   * bootstrapApplication(App, { providers: [provideAuth(auth)] })
   * ```
   */
  provideAuth(auth: Given | (() => Given), options?: ProvideAuthOptions<Given>): EnvironmentProviders

  /**
   * Returns the auth, to call its methods: `injectAuth().signOut()`.
   *
   * @throws Error if no auth is provided
   */
  injectAuth<B extends AnyAuth = A>(): B

  /**
   * Returns a signal of the session, or of a value selected from it. It changes only when that value changes.
   *
   * @throws Error if no auth is provided and none is passed
   *
   * @example
   * ```ts
   * readonly user = injectSession((session) => session?.subject)
   * ```
   */
  injectSession(): Signal<SessionOf<A> | undefined>
  /**
   * Like `injectSession()`, for a value that `select` returns.
   *
   * @param select receives the session, or `undefined` without a session; may read other signals
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  injectSession<T>(select: (session: SessionOf<A> | undefined) => T, isEqual?: IsEqual<T>): Signal<T>
  /**
   * Like `injectSession()`, for another auth.
   *
   * @param auth replaces the provided auth
   */
  injectSession<B extends AnyAuth>(auth: B): Signal<SessionOf<B> | undefined>
  /**
   * Like `injectSession()`, for a value that `select` returns of another auth.
   *
   * @param auth replaces the provided auth
   * @param select receives the session, or `undefined` without a session; may read other signals
   * @param isEqual whether two selections are equal. Default: `Object.is`
   */
  injectSession<B extends AnyAuth, T>(
    auth: B,
    select: (session: SessionOf<B> | undefined) => T,
    isEqual?: IsEqual<T>,
  ): Signal<T>

  /**
   * Returns a signal of the chart's state, or of a value selected from an `AuthSnapshot`: `{ state, view, session, reason,
   * held }`. Otherwise like `injectSession`.
   *
   * @example
   * ```ts
   * readonly held = injectAuthState(({ held }) => held)
   * ```
   */
  injectAuthState(): Signal<AuthState>
  /** Like `injectAuthState()`, for a value that `select` returns. */
  injectAuthState<T>(select: (snapshot: AuthSnapshot<SessionOf<A>>) => T, isEqual?: IsEqual<T>): Signal<T>
  /** Like `injectAuthState()`, for another auth. */
  injectAuthState<B extends AnyAuth>(auth: B): Signal<AuthState>
  /** Like `injectAuthState()`, for a value that `select` returns of another auth. */
  injectAuthState<B extends AnyAuth, T>(
    auth: B,
    select: (snapshot: AuthSnapshot<SessionOf<B>>) => T,
    isEqual?: IsEqual<T>,
  ): Signal<T>

  /**
   * Returns signals for `@if` that show which view belongs on the screen.
   *
   * @throws Error if no auth is provided
   *
   * @example
   * ```ts
   * readonly show = injectAuthView() // @if (show.signedIn()) { <app-desk /> }
   * ```
   */
  injectAuthView(): AuthViewSignals

  /**
   * Creates an interceptor that authorizes the requests of `HttpClient`. It adds the token and waits during a refresh. It
   * replays requests that the server rejected because of an expired token. Name it last, so that other interceptors run once
   * per call, not once per attempt.
   *
   * The token is sent only to `origins` and to the page's own origin. A request with its own `Authorization` header is sent
   * unchanged. Errors of the session are not wrapped in an `HttpErrorResponse`.
   *
   * @throws TypeError outside of a page if `origins` is not set
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
   * Creates a guard for routes. It waits until the stored session has been read. A user who is not signed in is redirected to
   * the sign-in page, with the return path in its query. Read that path with `safeReturnPath` of `authchart/guard`.
   *
   * @example
   * ```ts
   * const routes: Routes = [{ path: 'desk', component: Desk, canActivate: [authGuard({ loginPath: '/login' })] }]
   * ```
   */
  authGuard(options: AuthGuardOptions): CanActivateFn
}
