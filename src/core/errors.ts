import type { Reason } from '../../machines/index.ts'

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
  | 'token_confined'
  | 'worker_failed'

/** What an `AuthError` is made from. */
export interface AuthErrorOptions {
  readonly reason?: Reason | undefined
  readonly cause?: unknown
}

/**
 * The base of every error the library makes. `code` names the kind, `reason` the occasion, `cause` is a redacted account
 * of what went wrong underneath. None of them ever holds a token.
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
  abstract readonly code: AuthErrorCode
  readonly reason: Reason | undefined

  constructor(message: string, options: AuthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = options.reason
  }
}

const because = (reason: Reason | undefined) => (reason ? ` (${reason})` : '')

/** The session ended by itself; the user has to sign in again. `reason` says why, e.g. `invalid_grant`. */
export class SessionExpiredError extends AuthError {
  override readonly name = 'SessionExpiredError'
  readonly code = 'session_expired'
  constructor(options: AuthErrorOptions = {}) {
    super(`The session has expired${because(options.reason)}. Sign in again.`, options)
  }
}

/**
 * Nobody is signed in, the user signed out while the request waited, or somebody else signed in. A sign-in is rejected
 * with it where another one takes its place (`superseded`).
 */
export class SignedOutError extends AuthError {
  override readonly name = 'SignedOutError'
  readonly code = 'signed_out'
  constructor(options: AuthErrorOptions = {}) {
    super(
      options.reason === 'superseded'
        ? 'Another sign-in took the place of this one.'
        : `Nobody is signed in to send this request for${because(options.reason)}. Sign in first.`,
      options,
    )
  }
}

/** The token could not be renewed for now; the session is kept. `cause` is the last failure. */
export class RefreshUnavailableError extends AuthError {
  override readonly name: string = 'RefreshUnavailableError'
  readonly code: 'refresh_unavailable' | 'refresh_timeout' = 'refresh_unavailable'
  constructor(options: AuthErrorOptions = {}) {
    super(
      `The token cannot be renewed at the moment${because(options.reason)}. The session is kept; try again later.`,
      options,
    )
  }
}

/** As `RefreshUnavailableError`, where the last try got no answer within `timeouts.refresh`. */
export class RefreshTimeoutError extends RefreshUnavailableError {
  override readonly name = 'RefreshTimeoutError'
  override readonly code = 'refresh_timeout'
}

/** The `signIn` function did not answer within `timeouts.signIn`. */
export class SignInTimeoutError extends AuthError {
  override readonly name = 'SignInTimeoutError'
  readonly code = 'sign_in_timeout'
  constructor() {
    super('The sign-in got no answer within timeouts.signIn. Try again.', { reason: 'timeout' })
  }
}

/** The request waited for a token longer than `timeouts.hold`, or than its own timeout. It was not sent again. */
export class HoldTimeoutError extends AuthError {
  override readonly name = 'HoldTimeoutError'
  readonly code = 'hold_timeout'
  constructor() {
    super('The request waited too long for a token. Try again later, or raise timeouts.hold.', {
      reason: 'timeout',
    })
  }
}

/** `queueLimit` requests are waiting already. */
export class QueueFullError extends AuthError {
  override readonly name = 'QueueFullError'
  readonly code = 'queue_full'
  constructor(limit: number) {
    super(`There are ${limit} requests waiting for a token already. Send fewer at once, or raise queueLimit.`)
  }
}

/** A token response that RFC 6749 §5.1 does not describe. `reason` is `invalid_response`. */
export class InvalidTokenResponseError extends AuthError {
  override readonly name = 'InvalidTokenResponseError'
  readonly code = 'invalid_token_response'
  constructor(problem: string) {
    super(
      `The token response cannot be used: ${problem}. Return what the token endpoint answered (RFC 6749 §5.1).`,
      {
        reason: 'invalid_response',
      },
    )
  }
}

/** A store could not be read or written. */
export class StorageError extends AuthError {
  override readonly name = 'StorageError'
  readonly code = 'storage_failed'
}

/** `dispose()` was called; this auth will not send anything any more. */
export class DisposedError extends AuthError {
  override readonly name = 'DisposedError'
  readonly code = 'disposed'
  constructor() {
    super('This auth was disposed of. Create a new one.')
  }
}

/** The session lives in a worker, which its token does not leave: send the request by a transport. */
export class TokenConfinedError extends AuthError {
  override readonly name = 'TokenConfinedError'
  readonly code = 'token_confined'
  constructor() {
    super(
      'The token does not leave its worker. Send the request by a transport, such as createAuthFetch(auth).',
    )
  }
}

/**
 * The worker the session lives in does not answer. `reason`: `'load_failed'`, `'timeout'`, `'gone'`, `'closed'`,
 * `'version'` for one that speaks another version, or `'garbled'`.
 */
export class WorkerError extends AuthError {
  override readonly name = 'WorkerError'
  readonly code = 'worker_failed'
  constructor(options: AuthErrorOptions = {}) {
    super(`The worker of this session does not answer${because(options.reason)}. Reload the page.`, options)
  }
}
