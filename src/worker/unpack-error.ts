import {
  type AuthError,
  type AuthErrorCode,
  type AuthErrorOptions,
  DisposedError,
  HoldTimeoutError,
  InvalidTokenResponseError,
  QueueFullError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionExpiredError,
  SignedOutError,
  SignInTimeoutError,
  StorageError,
  TokenConfinedError,
  WorkerError,
} from '../core/errors.ts'
import type { PackedError } from './packed-error.ts'

const CLASSES: Readonly<Record<AuthErrorCode, new (options: never) => AuthError>> = {
  session_expired: SessionExpiredError,
  signed_out: SignedOutError,
  refresh_unavailable: RefreshUnavailableError,
  refresh_timeout: RefreshTimeoutError,
  sign_in_timeout: SignInTimeoutError,
  hold_timeout: HoldTimeoutError,
  queue_full: QueueFullError,
  invalid_token_response: InvalidTokenResponseError,
  storage_failed: StorageError,
  disposed: DisposedError,
  token_confined: TokenConfinedError,
  worker_failed: WorkerError,
}

/** Built-in errors that a page may distinguish by their class. */
const NATIVE = { TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError }

/** Recreates on the page what was thrown in the worker. */
export function unpackError(packed: PackedError): unknown {
  if (packed.kind === 'value') return packed.value
  if (packed.kind === 'response') {
    const { status, statusText, headers, body } = packed
    const bare = body === '' || [204, 205, 304].includes(status)
    const init = { statusText, headers: headers.map(([name, value]): [string, string] => [name, value]) }
    return status >= 200 && status <= 599
      ? new Response(bare ? null : body, { ...init, status })
      : Response.error()
  }
  const { name, message, code, reason, details } = packed
  const cause = packed.cause && unpackError(packed.cause)
  if (code !== undefined && Object.hasOwn(CLASSES, code))
    return createAuthError(CLASSES[code], message, reason, cause)
  const options = cause === undefined ? undefined : { cause }
  if (name === 'AbortError' || name === 'TimeoutError') return new DOMException(message, name)
  const Native = Object.hasOwn(NATIVE, name) ? NATIVE[name as keyof typeof NATIVE] : Error
  const error = new Native(message, options)
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true })
  return Object.assign(error, details)
}

/** Creates one of the library's errors. Its constructor composes a message, which is then replaced by the original one. */
function createAuthError(
  Class: new (options: never) => AuthError,
  message: string,
  reason: string | undefined,
  cause: unknown,
): AuthError {
  const error = new Class({ reason, cause } satisfies AuthErrorOptions as never)
  if (error.stack !== undefined) error.stack = error.stack.replace(error.message, () => message)
  return Object.assign(error, { message, reason })
}
