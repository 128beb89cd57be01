/** The Angular binding, as its users see it. */
import type { HttpInterceptorFn } from '@angular/common/http'
import type { EnvironmentProviders, Signal } from '@angular/core'
import type { CanActivateFn } from '@angular/router'
import type { Auth, AuthState } from '../../core/auth.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'
import type {
  AuthGuardOptions,
  AuthInterceptorOptions,
  AuthViewSignals,
  IsEqual,
  ProvideAuthOptions,
} from './options.ts'

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
   * The chart's state, or what is selected from an `AuthSnapshot`: `{ state, view, session, reason, held }`. As `injectSession`
   * in all else.
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
