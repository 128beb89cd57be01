import {
  type Client,
  clockTolerance,
  getValidatedIdTokenClaims,
  JWT_CLAIM_COMPARISON,
  processRefreshTokenResponse,
  processRevocationResponse,
  refreshTokenGrantRequest,
  revocationRequest,
} from 'oauth4webapi'
import type { RefreshRequest, RevocableTokens } from '../core/options.ts'
import type { Signal, TokenResponse } from '../core/ports.ts'
import { jwtClaims } from '../core/session/token-response.ts'
import { checkBranch } from './check-request.ts'
import type { Connection } from './connection.ts'
import { described } from './failure.ts'
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
  if (branch) checkBranch(branch, connection.options)
  const server = await connection.server()
  const client: Client = { ...connection.client, [clockTolerance]: ANY_AGE }
  const tokens = await connection.token(
    (options) =>
      refreshTokenGrantRequest(server, client, connection.clientAuth, refreshToken, {
        ...options,
        additionalParameters: branch?.parameters ?? connection.resources(),
      }),
    (response) => processRefreshTokenResponse(server, client, response).catch(refuseForeign),
    request,
  )
  const before = jwtClaims(idToken)
  const refreshed = getValidatedIdTokenClaims(tokens)
  if (!before || !refreshed) return tokens
  const all = { ...before, ...refreshed }
  const differs = (name: string) => all[name] !== before[name]
  if (before.sub && differs('sub')) throw invalidToken()
  // Some servers answer with facts of a later sign-in in another app: the session keeps the ID token that it has.
  const isForeign = differs('auth_time') || differs('nonce') || refreshed.iat < Number(before.iat)
  return isForeign ? { ...tokens, id_token: undefined } : tokens
}

/** An ID token for another client, or of another issuer or user, ends the session: another attempt would not change it. */
const invalidToken = (cause?: unknown) =>
  Object.assign(new Error('invalid_token', { cause }), { error: 'invalid_token' })

function refuseForeign(error: unknown): never {
  throw Object(error).code === JWT_CLAIM_COMPARISON ? invalidToken(described(error)) : error
}

/** The port `revoke` of `createAuth` (RFC 7009). A server without a revocation endpoint is left alone. */
export async function revoke(
  connection: Connection,
  { accessToken, refreshToken }: RevocableTokens,
  { signal }: { readonly signal?: Signal } = {},
): Promise<void> {
  const server = await connection.server()
  const token = refreshToken ?? accessToken
  if (!server.revocation_endpoint || !token) return
  const { client, clientAuth } = connection
  const hint = refreshToken ? 'refresh_token' : 'access_token'
  const response = await revocationRequest(server, client, clientAuth, token, {
    ...connection.request(signal),
    additionalParameters: { token_type_hint: hint },
  })
  await processRevocationResponse(response)
}
