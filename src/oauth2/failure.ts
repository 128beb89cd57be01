import {
  AuthorizationResponseError,
  JWT_CLAIM_COMPARISON,
  JWT_TIMESTAMP_CHECK,
  ResponseBodyError,
} from 'oauth4webapi'
import { AuthError, OAuthError, SignedOutError } from '../core/errors.ts'
import { isWord } from '../core/session/redact.ts'
import { textOf } from './messages.ts'

export const oauthError = (reason: string, cause?: unknown): OAuthError =>
  new OAuthError({ reason, cause }, textOf(reason))

/** As the core says it, if another sign-in or a sign-out came first. */
export const superseded = () => new SignedOutError({ reason: 'superseded' })

/** What is known of the answer that an error of oauth4webapi is about. */
export function answerOf(error: unknown): {
  readonly status: number | undefined
  readonly headers: unknown
} {
  const { response, cause, status = Object(cause).status } = Object(error)
  return { status, headers: Object(response ?? cause).headers }
}

/** A refusal that ends no session: the core finds nothing in it that it knows to be fatal. */
export const kept = (reason: string, { headers }: { readonly headers: unknown }): OAuthError =>
  Object.assign(oauthError(reason), { message: 'refused', headers })

/** An error code of OAuth; anything else that a server sends is not shown. */
const codeOf = (text: string): string => (isWord(text) ? text : 'invalid_response')

/**
 * The error that the caller of `signIn` receives. Errors of oauth4webapi hold the answer of the server, and so codes and
 * tokens: only names and codes of them are kept.
 */
export function toOAuthError(error: unknown): unknown {
  if (error instanceof AuthError) return error
  return oauthError(reasonOf(error), described(error))
}

export function reasonOf(error: unknown): string {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError)
    return codeOf(error.error)
  const { code, name, cause, status = cause?.status } = Object(error)
  // RFC 6749 §5.2: a challenge may take the place of the error code.
  if (status === 401) return 'invalid_client'
  // It has failed, or is too busy.
  if (status >= 429) return 'server_error'
  if (code === JWT_TIMESTAMP_CHECK) return 'id_token_expired'
  if (code === JWT_CLAIM_COMPARISON) return 'invalid_id_token'
  if (String(code).startsWith('OAUTH_')) return 'invalid_response'
  if (name === 'TimeoutError' || name === 'AbortError') return 'timeout'
  return 'network'
}

/** A name or a code. A text that a server sent has spaces, and a token has digits. */
const WORD = /^[A-Za-z_]{1,60}$/

/** What is known of an error, without its text and its cause. */
export function described(error: unknown): Error {
  const given = Object(error) as Record<string, unknown>
  const known = Object(new Error()) as Error & Record<string, unknown>
  for (const field of ['name', 'code'])
    if (typeof given[field] === 'string' && WORD.test(given[field])) known[field] = given[field]
  if (typeof given.status === 'number') known.status = given.status
  return known
}
