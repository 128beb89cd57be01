import {
  type AuthError,
  type AuthErrorCode,
  type AuthErrorOptions,
  DisposedError,
  HoldTimeoutError,
  InvalidTokenResponseError,
  OAuthError,
  OwnClientError,
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
import { messageOf } from '../core/messages.ts'
import type { PackedError } from './packed-error.ts'

type Packed<Kind> = Extract<PackedError, { kind: Kind }>

/** The classes that are made of a reason and a cause. Those that take nothing ignore them. */
const CLASSES: Readonly<Record<string, new (options: AuthErrorOptions) => AuthError>> = {
  session_expired: SessionExpiredError,
  signed_out: SignedOutError,
  refresh_unavailable: RefreshUnavailableError,
  refresh_timeout: RefreshTimeoutError,
  sign_in_timeout: SignInTimeoutError,
  hold_timeout: HoldTimeoutError,
  disposed: DisposedError,
  own_client: OwnClientError,
  token_confined: TokenConfinedError,
  worker_failed: WorkerError,
  oauth_failed: OAuthError,
}

/** Built-in errors that a page may distinguish by their class. */
const NATIVE = { TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError }

/** Fields of an error that no message may set. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype', 'stack', 'name', 'message', 'cause'])

/** Recreates on the page what was thrown in the worker. */
export function unpackError(packed: PackedError): unknown {
  if (packed.kind === 'value') return packed.value
  if (packed.kind === 'response') return createResponse(packed)
  const cause = packed.cause && unpackError(packed.cause)
  if (packed.kind === 'auth') return createAuthError(packed.code, packed.reason, packed.detail, cause)
  const { name, message = messageOf('worker_failed', { reason: 'thrown' }), fields = {} } = packed
  if (name === 'AbortError' || name === 'TimeoutError') return new DOMException(message, name)
  const Native = Object.hasOwn(NATIVE, name) ? NATIVE[name as keyof typeof NATIVE] : Error
  const error = new Native(message, cause === undefined ? undefined : { cause })
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true })
  for (const [field, value] of Object.entries(fields)) {
    if (!RESERVED.has(field)) Object.assign(error, { [field]: value })
  }
  return error
}

function createResponse({ status, statusText, headers, body }: Packed<'response'>): Response {
  const bare = body === '' || [204, 205, 304].includes(status)
  try {
    return new Response(bare ? null : body, { status, statusText, headers: headers.map(([...pair]) => pair) })
  } catch {
    return Response.error()
  }
}

/** Creates one of the library's errors. An unknown code comes from a worker of another version. */
function createAuthError(
  code: AuthErrorCode,
  reason: string | undefined,
  detail: string | number | undefined,
  cause: unknown,
): AuthError {
  switch (code) {
    case 'queue_full':
      return new QueueFullError(Number(detail))
    case 'invalid_token_response':
      return new InvalidTokenResponseError(String(detail))
    case 'storage_failed':
      return new StorageError(messageOf(code, { reason }), { reason, cause })
    default: {
      const Class = (Object.hasOwn(CLASSES, code) && CLASSES[code]) || WorkerError
      return new Class({ reason, cause })
    }
  }
}
