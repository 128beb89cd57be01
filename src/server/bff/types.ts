import type { Session, UserFacts } from '../../core/ports.ts'
import type { AuthPool } from '../pool-types.ts'

/** Where a client of an OAuth server keeps the sign-ins in progress: here, one cookie for each. */
export interface SignInTransactions {
  /** Returns the text that `write` was given, or a promise of it; nothing if it is missing. */
  read(key: string): unknown
  /** Stores a text in a sealed cookie, for ten minutes. A browser keeps five sign-ins at most; the oldest gives way. */
  write(key: string, text: string): unknown
  /** Removes a text. A missing text is not an error. */
  remove(key: string): unknown
  /** Always empty: browsers forget old cookies by themselves. */
  keys(): Iterable<string>
}

/** What a sign-in may ask of the server: see `AuthorizePage` of `authchart/oauth2`. */
export interface BffAuthorize {
  /** Scope to ask for, separated by spaces. Default: that of the client. */
  readonly scope?: string
  /** How the user must authenticate: classes separated by spaces (RFC 9470 §4). */
  readonly acrValues?: string
  /** The user must have authenticated within this time, in seconds. The answer is checked. */
  readonly maxAge?: number
  /** `'login'`, `'consent'`, `'select_account'`, … (OpenID Connect Core §3.1.2.1). */
  readonly prompt?: string
  /** Names the user to the server, for example by a mail address (OpenID Connect Core §3.1.2.1). */
  readonly loginHint?: string
  /** Other parameters of the authorization request. They cannot replace those that the client sets. */
  readonly extra?: Readonly<Record<string, string>>
}

/** The part of a client of an OAuth server that a backend needs. What `createOAuth` of `authchart/oauth2` returns has it. */
export interface BffOAuth {
  /** Starts a sign-in. What the answer is checked against goes into `transactions`. Returns where to send the user. */
  authorizationUrl(
    request: BffAuthorize & { readonly returnTo?: string; readonly transactions: SignInTransactions },
  ): Promise<URL>
  /** Where to send the user after the sign-out, to end the session at the server, too. */
  signOutUrl?(auth: never): Promise<URL | undefined>
}

/** What the `signIn` function of the pool is given for an answer of the server: that of `oauth.ports` takes it. */
export interface CallbackCredentials {
  /** Says that the server's answer is redeemed, and not another kind of sign-in started. */
  readonly via: 'callback'
  /** The address of the callback, with the answer in its query. */
  readonly url: string
  /** What the browser remembers of the sign-ins that it has begun. */
  readonly transactions: SignInTransactions
}

/** The cookie of the session. */
export interface BffCookieOptions {
  /** Default: `'__Host-session'`. Without `secure`: `'session'`. */
  readonly name?: string
  /** How long the browser keeps it, in milliseconds. Default: until the browser is closed. */
  readonly lifetime?: number
  /** `false` for plain http on this machine, during development. Default: `true`. */
  readonly secure?: boolean
}

/** The addresses of the backend. Default: `/auth/` and the name in kebab case. */
export interface BffPaths {
  /** `GET` with `oauth`, and `POST` with `credentials`. `?returnTo=/path` is where the user goes on. */
  readonly signIn?: string
  /** The redirect URI of the OAuth client. */
  readonly callback?: string
  /** `POST`: ends the session. Default: `'/auth/sign-out'`. */
  readonly signOut?: string
  /** Facts of the session, without tokens. */
  readonly session?: string
  /** For the server that signed the user in (OpenID Connect Back-Channel Logout §2.5). */
  readonly backChannelLogout?: string
}

/** An API that the backend forwards to. */
export interface BffApi {
  /** The address of the API: `'https://api.example.com/v1'`. */
  readonly to: string | URL
  /** Also sends the token over plain http to another machine. Default: `false`. */
  readonly allowInsecure?: boolean
}

/** Protection from requests that a foreign page makes with the user's cookie. */
export interface BffCsrfOptions {
  /** A header that each request must have that is no navigation, with any value. Default: `'x-csrf'`. */
  readonly header?: string
  /** Other origins whose pages may send requests: `'https://admin.example.com'`. Default: none. */
  readonly origins?: readonly string[]
}

/** Whose sessions have ended at the server. At least one of the two is there. */
export interface LogoutClaims {
  /** The user, all of whose sessions have ended: the claim `sub` of the logout token. */
  readonly subject?: string | undefined
  /** The session of the server that has ended. If both are there, only its sessions end. */
  readonly sid?: string | undefined
}

/** Checks the requests of the server by which it ends sessions. What `createLogoutVerifier` of `authchart/logout-token` returns has it. */
export interface BffLogout {
  /** Checks a request, calls `end` with the claims if it is valid, and returns the answer for the server. */
  handle(request: Request, end: (claims: LogoutClaims) => unknown): Promise<Response>
}

/** Options of `createBff`. */
export interface BffOptions<Credentials, Claims, User = UserFacts> {
  /** The sessions of the app, made by `createAuthPool`. */
  readonly pool: AuthPool<Credentials, Claims, User>
  /** Signs users in at an OAuth server, by redirect. The pool has its `ports`. */
  readonly oauth?: BffOAuth
  /** What a sign-in asks of the server, by the request that starts it: for a step-up, for example. */
  readonly authorize?: (request: Request) => BffAuthorize
  /** Without an OAuth server: reads the credentials of a sign-in from the request of your form. */
  readonly credentials?: (request: Request) => Credentials | PromiseLike<Credentials>
  /** The origin of the app as browsers see it, if a proxy hides it: `'https://app.example.com'`. */
  readonly origin?: string
  /** The name, lifetime and security of the cookie. Default: `__Host-session`, until the browser is closed. */
  readonly cookie?: BffCookieOptions
  /** The paths that the backend answers. Each must begin with `/` and is matched exactly. */
  readonly paths?: BffPaths
  /** APIs by the path under which the app sees them: `{ '/api': { to: 'https://api.example.com' } }`. */
  readonly apis?: Readonly<Record<string, BffApi>>
  /** The header and the origins that requests are checked for. The check cannot be turned off. */
  readonly csrf?: BffCsrfOptions
  /** Lets the server end sessions: `createLogoutVerifier({ …, ...fleetMemory(fleet) })`. */
  readonly logout?: BffLogout
  /** Answers a sign-in that failed. Default: a short page with the code of the error, and a link to try again. */
  readonly onSignInFailed?: (error: unknown, request: Request) => Response | PromiseLike<Response>
}

/** A request, or the part of it that a framework gives to code which renders pages. */
export interface RequestHeaders {
  /** The headers of the request: only `cookie` is read. */
  readonly headers: Pick<Headers, 'get'>
}

/** The session of a request, for code of the server. It holds no token. */
export interface ServerSession<Claims = Readonly<Record<string, unknown>>, User = UserFacts>
  extends Pick<Session<Claims, User>, 'subject' | 'user' | 'claims' | 'scope' | 'expiresAt'> {
  /** Sends requests to the APIs with the token of the session. It may be kept as long as the request lasts. */
  readonly fetch: typeof fetch
}

/** A backend for frontends, made by `createBff`. */
export interface Bff<Claims = Readonly<Record<string, unknown>>, User = UserFacts> {
  /**
   * Answers a request: sign-in, callback, sign-out, session, back-channel logout, and the APIs.
   *
   * @returns `undefined` if the request is for another address
   */
  handle(request: Request): Promise<Response | undefined>
  /**
   * The session of a request, for pages that the server renders. It never sets a cookie and answers nothing, so it can be called
   * anywhere. It does not check where the request comes from: do that before a request changes something.
   *
   * @returns `undefined` if no user is signed in
   * @throws StorageError if the database does not answer
   */
  session(request: RequestHeaders): Promise<ServerSession<Claims, User> | undefined>
  /** The origin of the app, if it was given. */
  readonly origin: string | undefined
}
