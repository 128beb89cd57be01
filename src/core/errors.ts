import type { Reason } from '../../machines/vocabulary.ts'
import { type MessageDetails, messageOf } from './messages.ts'

/** Every `code` an `AuthError` can carry. */
export type AuthErrorCode =
  | 'session_expired'
  | 'signed_out'
  | 'refresh_unavailable'
  | 'refresh_timeout'
  | 'sign_in_timeout'
  | 'hold_timeout'
  | 'queue_full'
  | 'invalid_token_response'
  | 'storage_failed'
  | 'disposed'
  | 'own_client'
  | 'token_confined'
  | 'worker_failed'
  | 'oauth_failed'

/** What an `AuthError` is made from. */
export interface AuthErrorOptions {
  readonly reason?: Reason | undefined
  readonly cause?: unknown
}

/** Marks the errors of every copy of this package. */
const BRAND = Symbol.for('authchart.error')

/**
 * The base of every error the library makes. `code` names the kind, `reason` the occasion, and `cause` has the
 * name, status and code of the error underneath. None of them ever holds a token or foreign text.
 *
 * @example
 * ```ts
 * try {
 *   await api('https://api.example.com/me')
 * } catch (error) {
 *   if (error instanceof AuthError && error.code === 'session_expired') showSignIn(error.reason)
 *   else throw error
 * }
 * ```
 */
export abstract class AuthError extends Error {
  readonly code: AuthErrorCode
  readonly reason: Reason | undefined

  constructor(
    code: AuthErrorCode,
    options: AuthErrorOptions & MessageDetails = {},
    message = messageOf(code, options),
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.reason = options.reason
  }

  /** @internal */
  get [BRAND](): true {
    return true
  }
}

/** Whether an error is one of the library, of any copy: a session may be made by another bundle than its transport. */
export const isAuthError = (error: unknown): error is AuthError => Object(error)[BRAND] === true

/** Whether an error is a `HoldTimeoutError`, of any copy. */
export const isHoldTimeout = (error: unknown) => isAuthError(error) && error.code === 'hold_timeout'

/** The session ended by itself; the user has to sign in again. `reason` says why, for example `invalid_grant`. */
export class SessionExpiredError extends AuthError {
  override readonly name = 'SessionExpiredError'
  declare readonly code: 'session_expired'
  constructor(options?: AuthErrorOptions) {
    super('session_expired', options)
  }
}

/**
 * No user is signed in, the user signed out while the request waited, or another user signed in. A sign-in is rejected with
 * it if another sign-in replaces it (`superseded`).
 */
export class SignedOutError extends AuthError {
  override readonly name = 'SignedOutError'
  declare readonly code: 'signed_out'
  constructor(options?: AuthErrorOptions) {
    super('signed_out', options)
  }
}

/** The token cannot be refreshed for now; the session is kept. `cause` is the last failure. */
export class RefreshUnavailableError extends AuthError {
  override readonly name: string = 'RefreshUnavailableError'
  declare readonly code: 'refresh_unavailable' | 'refresh_timeout'
  constructor(
    options?: AuthErrorOptions,
    code: 'refresh_unavailable' | 'refresh_timeout' = 'refresh_unavailable',
  ) {
    super(code, options)
  }
}

/** Like `RefreshUnavailableError`: the last attempt got no answer within `timeouts.refresh`. */
export class RefreshTimeoutError extends RefreshUnavailableError {
  override readonly name = 'RefreshTimeoutError'
  declare readonly code: 'refresh_timeout'
  constructor(options?: AuthErrorOptions) {
    super(options, 'refresh_timeout')
  }
}

/** The `signIn` function did not answer within `timeouts.signIn`. */
export class SignInTimeoutError extends AuthError {
  override readonly name = 'SignInTimeoutError'
  declare readonly code: 'sign_in_timeout'
  constructor() {
    super('sign_in_timeout', { reason: 'timeout' })
  }
}

/** The request waited for a token longer than `timeouts.hold` or its own timeout. It was not sent again. */
export class HoldTimeoutError extends AuthError {
  override readonly name = 'HoldTimeoutError'
  declare readonly code: 'hold_timeout'
  constructor() {
    super('hold_timeout', { reason: 'timeout' })
  }
}

/** `queueLimit` requests are waiting already. */
export class QueueFullError extends AuthError {
  override readonly name = 'QueueFullError'
  declare readonly code: 'queue_full'
  constructor(limit: number) {
    super('queue_full', { detail: limit })
  }
}

/** A token response that RFC 6749 §5.1 does not describe. `reason` is `invalid_response`. */
export class InvalidTokenResponseError extends AuthError {
  override readonly name = 'InvalidTokenResponseError'
  declare readonly code: 'invalid_token_response'
  constructor(problem: string) {
    super('invalid_token_response', { reason: 'invalid_response', detail: problem })
  }
}

/** A store could not be read or written. */
export class StorageError extends AuthError {
  override readonly name = 'StorageError'
  declare readonly code: 'storage_failed'
  constructor(message: string, options?: AuthErrorOptions) {
    super('storage_failed', options, message)
  }
}

/** `dispose()` was called; this auth sends nothing any more. */
export class DisposedError extends AuthError {
  override readonly name = 'DisposedError'
  declare readonly code: 'disposed'
  constructor() {
    super('disposed')
  }
}

/**
 * A `refresh`, `signIn` or `revoke` function sent by a client of its own session, and would wait for itself. Send by another
 * client, such as plain `fetch`.
 */
export class OwnClientError extends AuthError {
  override readonly name = 'OwnClientError'
  declare readonly code: 'own_client'
  constructor() {
    super('own_client', { reason: 'own_client' })
  }
}

/** The session lives in a worker, and its token does not leave it: send the request with a transport. */
export class TokenConfinedError extends AuthError {
  override readonly name = 'TokenConfinedError'
  declare readonly code: 'token_confined'
  constructor() {
    super('token_confined')
  }
}

/**
 * The worker that the session lives in does not answer. `reason`: `'load_failed'`, `'timeout'`, `'gone'`, `'closed'`,
 * `'version'` for a worker of another version, or `'garbled'`.
 */
export class WorkerError extends AuthError {
  override readonly name = 'WorkerError'
  declare readonly code: 'worker_failed'
  constructor(options?: AuthErrorOptions) {
    super('worker_failed', options)
  }
}

/**
 * A sign-in, or another step of OAuth, failed. `reason` is the OAuth error code (`access_denied`), or a word of
 * `authchart/oauth2` (`popup_closed`).
 */
export class OAuthError extends AuthError {
  override readonly name = 'OAuthError'
  declare readonly code: 'oauth_failed'
  constructor(options?: AuthErrorOptions, message?: string) {
    super('oauth_failed', options, message)
  }
}
