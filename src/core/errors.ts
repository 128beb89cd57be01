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
  /** Why it happened. Default: `undefined`. */
  readonly reason?: Reason | undefined
  /** The error underneath. It is passed on as it is, so it must quote no token. Default: none. */
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
  /** Which kind of error it is. Unlike the class, it is the same in every copy of the package. */
  readonly code: AuthErrorCode
  /** Why it happened; `undefined` if the kind says it all. */
  readonly reason: Reason | undefined

  /**
   * For the classes that extend it: apps make none of their own.
   * @param code which kind of error it is
   * @param options the reason and the error underneath
   * @param message the text. Default: that of the code; in production builds, the code and the reason
   */
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
  /** Always `'SessionExpiredError'`, also in minified code. */
  override readonly name = 'SessionExpiredError'
  /** Always `'session_expired'`. */
  declare readonly code: 'session_expired'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param options `reason` says why the session ended, `cause` is the last failure of a refresh
   */
  constructor(options?: AuthErrorOptions) {
    super('session_expired', options)
  }
}

/**
 * No user is signed in, the user signed out while the request waited, or another user signed in. A sign-in is rejected with
 * it if another sign-in replaces it (`superseded`).
 */
export class SignedOutError extends AuthError {
  /** Always `'SignedOutError'`, also in minified code. */
  override readonly name = 'SignedOutError'
  /** Always `'signed_out'`. */
  declare readonly code: 'signed_out'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param options `reason` says what happened to the session, such as `'user_changed'`
   */
  constructor(options?: AuthErrorOptions) {
    super('signed_out', options)
  }
}

/** The token cannot be refreshed for now; the session is kept. `cause` is the last failure. */
export class RefreshUnavailableError extends AuthError {
  /** `'RefreshUnavailableError'`, or `'RefreshTimeoutError'` for the class that extends it. */
  override readonly name: string = 'RefreshUnavailableError'
  /** `'refresh_timeout'` if the last attempt got no answer in time, otherwise `'refresh_unavailable'`. */
  declare readonly code: 'refresh_unavailable' | 'refresh_timeout'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param options `reason` and `cause` of the last failed attempt
   * @param code which of the two kinds it is. Default: `'refresh_unavailable'`
   */
  constructor(
    options?: AuthErrorOptions,
    code: 'refresh_unavailable' | 'refresh_timeout' = 'refresh_unavailable',
  ) {
    super(code, options)
  }
}

/** Like `RefreshUnavailableError`: the last attempt got no answer within `timeouts.refresh`. */
export class RefreshTimeoutError extends RefreshUnavailableError {
  /** Always `'RefreshTimeoutError'`, also in minified code. */
  override readonly name = 'RefreshTimeoutError'
  /** Always `'refresh_timeout'`. */
  declare readonly code: 'refresh_timeout'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param options `reason` and `cause` of the last failed attempt
   */
  constructor(options?: AuthErrorOptions) {
    super(options, 'refresh_timeout')
  }
}

/** The `signIn` function did not answer within `timeouts.signIn`. */
export class SignInTimeoutError extends AuthError {
  /** Always `'SignInTimeoutError'`, also in minified code. */
  override readonly name = 'SignInTimeoutError'
  /** Always `'sign_in_timeout'`. */
  declare readonly code: 'sign_in_timeout'
  /** The reason is always `'timeout'`. */
  constructor() {
    super('sign_in_timeout', { reason: 'timeout' })
  }
}

/** The request waited for a token longer than `timeouts.hold` or its own timeout. It was not sent again. */
export class HoldTimeoutError extends AuthError {
  /** Always `'HoldTimeoutError'`, also in minified code. */
  override readonly name = 'HoldTimeoutError'
  /** Always `'hold_timeout'`. */
  declare readonly code: 'hold_timeout'
  /** The reason is always `'timeout'`. */
  constructor() {
    super('hold_timeout', { reason: 'timeout' })
  }
}

/** `queueLimit` requests are waiting already. */
export class QueueFullError extends AuthError {
  /** Always `'QueueFullError'`, also in minified code. */
  override readonly name = 'QueueFullError'
  /** Always `'queue_full'`. */
  declare readonly code: 'queue_full'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param limit the `queueLimit` of the session, for the message
   */
  constructor(limit: number) {
    super('queue_full', { detail: limit })
  }
}

/** A token response that RFC 6749 §5.1 does not describe. `reason` is `invalid_response`. */
export class InvalidTokenResponseError extends AuthError {
  /** Always `'InvalidTokenResponseError'`, also in minified code. */
  override readonly name = 'InvalidTokenResponseError'
  /** Always `'invalid_token_response'`. */
  declare readonly code: 'invalid_token_response'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param problem what is wrong with the response, for the message: a word such as `'no_access_token'`, and never a
   * token
   */
  constructor(problem: string) {
    super('invalid_token_response', { reason: 'invalid_response', detail: problem })
  }
}

/** A store could not be read or written. */
export class StorageError extends AuthError {
  /** Always `'StorageError'`, also in minified code. */
  override readonly name = 'StorageError'
  /** Always `'storage_failed'`. */
  declare readonly code: 'storage_failed'
  /**
   * For a store of your own, which throws it to give the event `storageFailed` a reason.
   *
   * @param message the text. A session reports only the reason: a text may quote what is stored
   * @param options `reason` becomes that of the event `storageFailed`: lower case with `_`, or a code such as `ENOSPC`
   */
  constructor(message: string, options?: AuthErrorOptions) {
    super('storage_failed', options, message)
  }
}

/** `dispose()` was called; this auth sends nothing any more. */
export class DisposedError extends AuthError {
  /** Always `'DisposedError'`, also in minified code. */
  override readonly name = 'DisposedError'
  /** Always `'disposed'`. */
  declare readonly code: 'disposed'
  /** It has no reason and no cause. */
  constructor() {
    super('disposed')
  }
}

/**
 * A `refresh`, `signIn` or `revoke` function sent by a client of its own session, and would wait for itself. Send by another
 * client, such as plain `fetch`.
 */
export class OwnClientError extends AuthError {
  /** Always `'OwnClientError'`, also in minified code. */
  override readonly name = 'OwnClientError'
  /** Always `'own_client'`. */
  declare readonly code: 'own_client'
  /** The reason is always `'own_client'`. */
  constructor() {
    super('own_client', { reason: 'own_client' })
  }
}

/** The session lives in a worker, and its token does not leave it: send the request with a transport. */
export class TokenConfinedError extends AuthError {
  /** Always `'TokenConfinedError'`, also in minified code. */
  override readonly name = 'TokenConfinedError'
  /** Always `'token_confined'`. */
  declare readonly code: 'token_confined'
  /** It has no reason and no cause. */
  constructor() {
    super('token_confined')
  }
}

/**
 * The worker that the session lives in does not answer. `reason`: `'load_failed'`, `'timeout'`, `'gone'`, `'closed'`,
 * `'version'` for a worker of another version, `'garbled'`, `'refused'` for a request that the worker does not send, or
 * `'thrown'` for an error in the worker whose text stays there.
 */
export class WorkerError extends AuthError {
  /** Always `'WorkerError'`, also in minified code. */
  override readonly name = 'WorkerError'
  /** Always `'worker_failed'`. */
  declare readonly code: 'worker_failed'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param options `reason` says what happened to the worker
   */
  constructor(options?: AuthErrorOptions) {
    super('worker_failed', options)
  }
}

/**
 * A sign-in, or another step of OAuth, failed. `reason` is the OAuth error code (`access_denied`), or a word of
 * `authchart/oauth2` (`popup_closed`).
 */
export class OAuthError extends AuthError {
  /** Always `'OAuthError'`, also in minified code. */
  override readonly name = 'OAuthError'
  /** Always `'oauth_failed'`. */
  declare readonly code: 'oauth_failed'
  /**
   * Made by the library. An app needs it only in tests.
   *
   * @param options `reason` is the OAuth error code, or a word of `authchart/oauth2`
   * @param message the text. Default: a general one; in production builds, the code
   */
  constructor(options?: AuthErrorOptions, message?: string) {
    super('oauth_failed', options, message)
  }
}
