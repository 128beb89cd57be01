import { isAuthError } from '../core/errors.ts'

/** Throws the error of the session that a client has wrapped, or else the error of the client. */
export function throwSessionError(error: unknown): never {
  const cause = error instanceof Error ? error.cause : undefined
  throw isAuthError(cause) ? cause : error
}
