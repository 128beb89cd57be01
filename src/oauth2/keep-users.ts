import { type ClientAuth, WWWAuthenticateChallengeError } from 'oauth4webapi'
import type { TokenResponse } from '../core/ports.ts'
import { answerOf, kept } from './failure.ts'

/**
 * Keeps the sessions of an app whose secret is wrong for a while: whether a server accepts the client says nothing about its users
 * (RFC 6749 §5.2). For confidential clients: builds for browsers replace this file by `keep-users.browser.ts`.
 *
 * @param secret how the client authenticates; without one, the refresh is left as it is
 */
export async function keepUsers(
  refreshed: Promise<TokenResponse>,
  secret: ClientAuth | undefined,
): Promise<TokenResponse> {
  try {
    return await refreshed
  } catch (error) {
    if (!secret) throw error
    const { error: code = await codeOf(error) } = Object(error)
    const answer = answerOf(error)
    const isOfClient = code === 'invalid_client' || (answer.status === 401 && code === undefined)
    throw isOfClient ? kept('invalid_client', answer) : error
  }
}

/** The error code of an answer with a challenge: oauth4webapi does not read the body of such an answer. */
async function codeOf(error: unknown): Promise<string | undefined> {
  if (!(error instanceof WWWAuthenticateChallengeError)) return undefined
  const body = await error.response
    .clone()
    .json()
    .catch(() => {})
  const { error: code } = Object(body)
  if (typeof code === 'string') return code
  // A challenge for a token says nothing about the secret, unless it asks for another proof.
  const isOfToken = error.cause.every(
    ({ scheme, parameters }) => /^(bearer|dpop)$/.test(scheme) && !/dpop/.test(parameters.error ?? ''),
  )
  return isOfToken ? 'invalid_token' : undefined
}
