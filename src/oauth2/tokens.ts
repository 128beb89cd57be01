import {
  type Client,
  clockTolerance,
  JWT_CLAIM_COMPARISON,
  processRefreshTokenResponse,
  refreshTokenGrantRequest,
  revocationRequest,
} from 'oauth4webapi'
import type { RefreshRequest, RevocableTokens } from '../core/options.ts'
import type { Signal, TokenResponse } from '../core/ports.ts'
import { jwtClaims } from '../core/session/token-response.ts'
import type { Connection, Fields } from './connection.ts'
import { explainBranch } from './explain.ts'
import { keepUsers } from './keep-users.ts'
import type { OAuthOptions } from './options.ts'

/** The ID token of a refresh is not checked for its age, because the rules do not ask for it (OpenID Connect Core §12.2). */
const ANY_AGE = 1e10

/**
 * The port `refresh` of `createAuth` (RFC 6749 §6, RFC 8707 §2.2). The core knows what the errors of oauth4webapi mean.
 *
 * @throws OAuthError if the metadata cannot be read
 */
export async function refresh(
  connection: Connection<OAuthOptions>,
  request: RefreshRequest,
): Promise<TokenResponse> {
  const { refreshToken = '', idToken = '', branch } = request
  if (branch) explainBranch(branch, connection.options)
  const server = await connection.server()
  const client: Client = { ...connection.client, [clockTolerance]: ANY_AGE }

  /**
   * The refresh token that was sent may be spent: the next one must not be lost because of an ID token that cannot be used. The core
   * reads what is left, and the session keeps the ID token that it has.
   */
  async function read(response: Response, { id_token, ...others }: Fields): Promise<TokenResponse> {
    let tokens: TokenResponse = others
    try {
      tokens = await processRefreshTokenResponse(server, client, response)
    } catch (error) {
      if (others.access_token === undefined) throw error
      if (Object(error).code === JWT_CLAIM_COMPARISON) throw refuse(others)
      connection.renewServer()
    }
    const before = jwtClaims(idToken)
    if (!before?.sub) return tokens
    const refreshed = { ...before, ...jwtClaims(String(id_token)) }
    const differs = (name: string) => refreshed[name] !== before[name]
    if (differs('sub') || differs('iss')) throw refuse(others)
    // Some servers answer with facts of a later sign-in in another app: the session keeps the ID token that it has.
    const isForeign =
      differs('auth_time') || differs('nonce') || (refreshed.iat as number) < (before.iat as number)
    return isForeign ? others : tokens
  }

  /** An ID token for another client, or of another issuer or user, ends the session: another attempt would not change it. */
  function refuse(tokens: Fields): Error {
    discard(connection, tokens)
    return new Error('invalid_token')
  }

  return keepUsers(
    connection.token(
      (options) =>
        refreshTokenGrantRequest(server, client, connection.clientAuth, refreshToken, {
          ...options,
          additionalParameters: branch?.parameters ?? connection.resources(),
        }),
      read,
      request,
    ),
    connection.options.clientAuth,
  )
}

/** The port `revoke` of `createAuth` (RFC 7009). A server without a revocation endpoint is left alone. */
export async function revoke(
  connection: Connection,
  { accessToken, refreshToken }: RevocableTokens,
  signal?: Signal,
): Promise<void> {
  const server = await connection.server()
  const token = refreshToken ?? accessToken
  if (!server.revocation_endpoint || !token) return
  const { client, clientAuth } = connection
  try {
    const response = await revocationRequest(server, client, clientAuth, token, {
      ...connection.request(signal),
      additionalParameters: { token_type_hint: refreshToken ? 'refresh_token' : 'access_token' },
    })
    if (!response.ok) throw response
  } catch (error) {
    // The endpoint may have moved.
    connection.renewServer()
    throw error
  }
}

/** Revokes tokens that no session takes, in the background: the app waits for the refusal, not for the server. */
export function discard(connection: Connection, { access_token, refresh_token }: Fields): void {
  const tokens = { accessToken: access_token, refreshToken: refresh_token } as RevocableTokens
  revoke(connection, tokens).catch(() => {})
}
