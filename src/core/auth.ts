import type { Actor } from 'xstate'
import type { AuthEmitted, AuthMachine } from '../../machines/index.ts'
import type { Gate } from './gate.ts'
import type { AbortSignalLike, TokenResponse } from './ports.ts'
import type { Session } from './vault.ts'

/** Where transports find the gate. A symbol, for it is no part of what an app calls. */
export const GATE: unique symbol = Symbol('authchart.gate')

/** Where transports find the way to send for a session that lives elsewhere, and whose token does not come here. */
export const FETCH: unique symbol = Symbol('authchart.fetch')

/** `fetch` as the surrounding types know it, or nothing where they do not. */
export type Fetch = typeof globalThis extends { fetch: infer F } ? F : never

/** The states of the chart, as `auth.state` names them. */
export type AuthState =
  | 'restoring'
  | 'anonymous'
  | 'authenticating'
  | 'authenticated'
  | 'refreshing'
  | 'expired'
  | 'signingOut'
  | 'loggedOut'

/** What listeners are given, by the name they listen for; `*` is everything. */
export type AuthEventMap = { readonly [T in AuthEmitted['type']]: Extract<AuthEmitted, { type: T }> } & {
  readonly '*': AuthEmitted
}

/** Options of `auth.getAccessToken`. */
export interface AccessTokenOptions {
  /** Ends the wait; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike
  /** Milliseconds the token must still live; at most half its lifetime. Default: 0. */
  readonly minValidity?: number
  /** Resolve to `undefined` where nobody is signed in, instead of rejecting. Default: `false`. */
  readonly allowAnonymous?: boolean
}

/** One session: what an app holds on to. Made by `createAuth`. */
export interface Auth<Credentials = unknown, Claims = Readonly<Record<string, unknown>>> {
  /** The XState actor: for `useSelector`, inspectors and parents. It never holds a token. */
  readonly actor: Actor<AuthMachine>
  /** The chart's state. */
  readonly state: AuthState
  /** Facts of the session, while there is one. The same object until the next token set. */
  readonly session: Session<Claims> | undefined
  /**
   * When `limits` end the session unless it is used before, in milliseconds since the Unix epoch: for a countdown.
   * `undefined` where there is no session or no limit.
   */
  readonly endsAt: number | undefined
  /** The last events emitted, oldest first: why am I logged out? */
  readonly history: readonly AuthEmitted[]

  /**
   * Resolves once the stored session was read and the chart left `restoring`.
   *
   * @throws DisposedError
   */
  ready(): Promise<void>

  /**
   * Signs in with the `signIn` function. A second call supersedes the first.
   *
   * @throws what the `signIn` function throws, unchanged
   * @throws InvalidTokenResponseError
   * @throws SignInTimeoutError
   * @throws SignedOutError where a sign-out, or another sign-in, came first
   * @throws DisposedError
   */
  signIn(credentials: Credentials): Promise<Session<Claims>>

  /**
   * Ends the session here at once, then tells the server (RFC 7009), in bounded time: `timeouts.revoke`, and before
   * `ready()` `timeouts.storage` too, for what is revoked then is what the store holds. Never rejects.
   *
   * @example
   * ```ts
   * // A page for signing out need not wait for anything.
   * await createAuth({ refresh, revoke, storage: webStorage() }).signOut()
   * ```
   */
  signOut(): Promise<void>

  /**
   * Takes over tokens that were obtained elsewhere: a redirect flow, a server render.
   *
   * @throws InvalidTokenResponseError
   * @throws DisposedError
   */
  setTokens(response: TokenResponse): Promise<Session<Claims>>

  /**
   * Renews the token now, or joins the renewal under way.
   *
   * @throws SessionExpiredError
   * @throws SignedOutError
   * @throws RefreshUnavailableError
   * @throws HoldTimeoutError
   * @throws DisposedError
   */
  refresh(): Promise<Session<Claims>>

  /**
   * The access token, for clients no transport covers. Waits as a request would.
   *
   * @throws SessionExpiredError
   * @throws SignedOutError where nobody is signed in and `allowAnonymous` is not set
   * @throws RefreshUnavailableError
   * @throws HoldTimeoutError
   * @throws QueueFullError
   * @throws TokenConfinedError where the session lives in a worker
   * @throws DisposedError
   */
  getAccessToken(options: AccessTokenOptions & { readonly allowAnonymous: true }): Promise<string | undefined>
  getAccessToken(options?: AccessTokenOptions): Promise<string>

  /**
   * Listens. A listener that throws, or that calls the library again, does no harm.
   *
   * @returns the way to stop listening
   */
  on<T extends keyof AuthEventMap>(type: T, listener: (event: AuthEventMap[T]) => void): () => void

  /** Stops everything: no timer, listener or waiting request is left. Calling it again does nothing. */
  dispose(): void
  [Symbol.dispose](): void

  /** For transports. */
  readonly [GATE]: Gate
  readonly [FETCH]?: Fetch
}

/** Any auth, whatever its credentials and claims. */
export type AnyAuth = Pick<Auth, typeof GATE | typeof FETCH>
