import type { Actor } from 'xstate'
import type { AuthEmitted, AuthMachine } from '../../machines/index.ts'
import type { Disposes } from './platform/disposal.ts'
import type { AbortSignalLike, Session, TokenResponse, UserFacts } from './ports.ts'
import type { Gate } from './requests/gate.ts'

/**
 * The key of the gate. A symbol, because only transports use it; a registered one, so that another copy of the package finds it.
 * It names the minor version, which may change the gate, so that a copy of another one does not.
 */
export const REQUEST_GATE: unique symbol = Symbol.for('authchart.gate/3')

/** The key of the function that wraps the app's functions, for the server of a worker. */
export const WRAP_OPTIONS: unique symbol = Symbol.for('authchart.options')

/** The key of the `fetch` of a session in a worker, whose token does not leave it. */
export const WORKER_FETCH: unique symbol = Symbol.for('authchart.fetch')

/** The key of the function that returns the ID token, for the hint of a sign-out at the server. */
export const ID_TOKEN: unique symbol = Symbol.for('authchart.id-token')

/** `fetch` if the surrounding types know it. */
export type Fetch = typeof globalThis extends { fetch: infer F } ? F : never

/** The states of the chart, as `auth.state` names them. */
export type AuthState =
  /** The stored session is being read. Requests wait. */
  | 'restoring'
  /** No user is signed in. Requests are sent without a token. */
  | 'anonymous'
  /** A sign-in is in progress. Requests wait. */
  | 'authenticating'
  /** The token works. Requests carry it. */
  | 'authenticated'
  /** The tokens are being refreshed. Requests carry the old token while it works; otherwise they wait. */
  | 'refreshing'
  /** The session ended without a sign-out. Requests are rejected, or wait if `whenExpired` is `'hold'`. */
  | 'expired'
  /** The tokens of the ended session are being revoked. */
  | 'signingOut'
  /** The user has signed out, here or in another tab or process. */
  | 'loggedOut'

/** What listeners receive, by the name they listen for; `*` is everything. */
export type AuthEventMap = { readonly [T in AuthEmitted['type']]: Extract<AuthEmitted, { type: T }> } & {
  /** Every event. */
  readonly '*': AuthEmitted
}

/** Options of `auth.getAccessToken`. */
export interface AccessTokenOptions {
  /** Ends the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike
  /** Milliseconds for which the token must still be valid; at most half its lifetime. Default: 0. */
  readonly minValidity?: number
  /** Resolve to `undefined` if no user is signed in, instead of rejecting. Default: `false`. */
  readonly allowAnonymous?: boolean
}

/** One session, made by `createAuth`. Its methods may be used detached from it. */
export interface Auth<Credentials = unknown, Claims = Readonly<Record<string, unknown>>, User = UserFacts>
  extends Disposes {
  /** The XState actor: for `useSelector`, inspectors and parents. It never holds a token. */
  readonly actor: Actor<AuthMachine>
  /** The chart's state. */
  readonly state: AuthState
  /** Facts of the session, while there is one. The same object until the next token set. */
  readonly session: Session<Claims, User> | undefined
  /**
   * When `limits` end the session unless it is used before, in milliseconds since the Unix epoch: for a countdown.
   * `undefined` without a session or without a limit.
   */
  readonly endsAt: number | undefined
  /** The last events that were emitted, oldest first. They answer: why am I logged out? */
  readonly history: readonly AuthEmitted[]

  /**
   * Resolves once the stored session was restored and the chart left `restoring`.
   *
   * @throws DisposedError
   */
  ready(): Promise<void>

  /**
   * Signs in with the `signIn` function. A second call replaces the first.
   *
   * @throws what the `signIn` function throws, unchanged
   * @throws InvalidTokenResponseError
   * @throws SignInTimeoutError
   * @throws SignedOutError if a sign-out or another sign-in came first
   * @throws DisposedError
   * @returns the new session; the one there is if the `signIn` function throws an error with the reason `already_used`
   */
  signIn(credentials: Credentials): Promise<Session<Claims, User>>

  /**
   * Ends the session here at once, then revokes its tokens (RFC 7009), in bounded time: `timeouts.revoke`, and before
   * `ready()` also `timeouts.storage`, because then the tokens of the stored session are revoked. Never rejects.
   *
   * @example
   * ```ts
   * // A page for signing out need not wait for anything.
   * await createAuth({ refresh, revoke, storage: webStorage(() => localStorage) }).signOut()
   * ```
   */
  signOut(): Promise<void>

  /**
   * Starts a session with tokens that were obtained elsewhere: by a redirect flow or a server render.
   *
   * @throws InvalidTokenResponseError
   * @throws DisposedError
   */
  setTokens(response: TokenResponse): Promise<Session<Claims, User>>

  /**
   * Refreshes the token now, or joins the refresh in progress.
   *
   * @throws SessionExpiredError
   * @throws SignedOutError
   * @throws RefreshUnavailableError
   * @throws HoldTimeoutError
   * @throws DisposedError
   */
  refresh(): Promise<Session<Claims, User>>

  /**
   * The access token, for clients that no transport supports. Waits as a request would.
   *
   * @throws SessionExpiredError
   * @throws SignedOutError if no user is signed in and `allowAnonymous` is not set
   * @throws RefreshUnavailableError
   * @throws HoldTimeoutError
   * @throws QueueFullError
   * @throws OwnClientError if `refresh`, `signIn` or `revoke` calls it while there is no token that works
   * @throws TokenConfinedError if the session lives in a worker
   * @throws DisposedError
   */
  getAccessToken(options: AccessTokenOptions & { readonly allowAnonymous: true }): Promise<string | undefined>
  /**
   * Like the above, for a user who must be signed in.
   *
   * @throws SignedOutError if no user is signed in
   */
  getAccessToken(options?: AccessTokenOptions): Promise<string>

  /**
   * Adds a listener. A listener may throw, and it may call the library again.
   *
   * @returns removes the listener
   */
  on<T extends keyof AuthEventMap>(type: T, listener: (event: AuthEventMap[T]) => void): () => void

  /**
   * Stops everything: no timer, listener or waiting request remains. Calling it again does nothing. `using` calls it at the end
   * of a block.
   */
  dispose(): void

  /** @internal for transports */
  readonly [REQUEST_GATE]: Gate
  /** @internal for transports */
  readonly [WORKER_FETCH]?: Fetch
  /** For `signOutUrl`. A session in a worker does not give its ID token away. */
  readonly [ID_TOKEN]?: () => string | undefined
}

/** The part of an auth that transports need, whatever its credentials and claims. */
export type AuthHandle = Pick<Auth, typeof REQUEST_GATE | typeof WORKER_FETCH>
