import {
  authorizationCodeGrantRequest,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from 'oauth4webapi'
import type { TokenResponse } from '../core/ports.ts'
import { jwtClaims } from '../core/session/token-response.ts'
import type { Connection } from './connection.ts'
import { oauthError } from './failure.ts'
import type { OAuthOptions } from './options.ts'
import { discard } from './tokens.ts'
import type { Pending } from './transactions.ts'

/**
 * Redeems the code of an answer (RFC 6749 §4.1.3), and checks the ID token (OpenID Connect Core §3.1.3.7). The signature is
 * not checked, because the token comes directly from the server by TLS (item 6 there).
 *
 * It is called once for each answer: a code that is sent twice ends the session that the first one began.
 *
 * @param parameters the query of the answer
 */
export async function redeem(
  connection: Connection<OAuthOptions>,
  parameters: URLSearchParams,
  state: string,
  { server, redirectUri, verifier, scope, nonce, maxAge, user }: Pending,
): Promise<TokenResponse> {
  const { client } = connection
  // Without `iss`, it is from the server unless that always sends it (RFC 9207 §2.4).
  const iss =
    parameters.get('iss') ?? (server.authorization_response_iss_parameter_supported || server.issuer)
  if (iss !== server.issuer) throw oauthError('wrong_issuer')
  const answer = validateAuthResponse(server, client, parameters, state)
  const tokens = await connection.token(
    (options) =>
      authorizationCodeGrantRequest(server, client, connection.clientAuth, answer, redirectUri, verifier, {
        ...options,
        additionalParameters: connection.resources(),
      }),
    (response) =>
      // With a nonce or a `maxAge`, an ID token must be in it.
      processAuthorizationCodeResponse(server, client, response, { expectedNonce: nonce, maxAge } as object),
  )
  const claims = jwtClaims(tokens.id_token ?? '')
  if (!user || (claims?.iss === user.iss && claims?.sub === user.sub)) return { scope, ...tokens }
  discard(connection, tokens)
  throw oauthError('another_user')
}
