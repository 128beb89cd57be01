import {
  type AuthorizationServer,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
  processPushedAuthorizationResponse,
  pushedAuthorizationRequest,
} from 'oauth4webapi'
import { type Connection, setAll } from './connection.ts'
import { oauthError } from './failure.ts'
import type { AuthorizePage, OAuthOptions } from './options.ts'
import type { Pending, TransactionServer, Transactions } from './transactions.ts'

/** What a sign-in of a user asks for, if the app names nothing else. */
export const DEFAULT_SCOPE = 'openid'

/** A sign-in that is stored, with the address to send the user to. */
export interface Started {
  readonly url: URL
  readonly state: string
}

/**
 * Starts a sign-in by authorization code with PKCE (RFC 6749 §4.1, RFC 7636, RFC 9700 §2.1.1).
 *
 * @throws OAuthError
 */
export async function startSignIn(
  connection: Connection<OAuthOptions>,
  transactions: Transactions,
  request: AuthorizePage,
  popup?: boolean,
): Promise<Started> {
  const { options, client } = connection
  const { redirectUri = '' } = options
  // No failure of the page that the user is sent to is reported here.
  connection.renewServer()
  const server = await connection.server()
  const scope = request.scope ?? options.scope ?? DEFAULT_SCOPE
  const state = generateRandomState()
  const verifier = generateRandomCodeVerifier()
  const nonce = scope.split(' ').includes('openid') ? generateRandomNonce() : undefined
  // The code is bound to the key, too (RFC 9449 §10).
  const keyId = await options.dpop?.codeKeyId()
  const transaction: Pending = {
    startedAt: connection.clock.now(),
    server: JSON.parse(JSON.stringify(server, KEPT)),
    clientId: client.client_id,
    redirectUri,
    verifier,
    scope,
    nonce,
    keyId,
    maxAge: request.maxAge,
    returnTo: request.returnTo,
    user: request.user,
    popup,
  }
  const parameters = new URLSearchParams(request.extra)
  setAll(parameters, {
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    acr_values: request.acrValues,
    max_age: request.maxAge,
    prompt: request.prompt,
    login_hint: request.loginHint,
    dpop_jkt: keyId,
  })
  appendAll(parameters, connection.resources(options.branchResource))
  const url = await authorizationUrl(connection, server, parameters)
  // Last, so that nothing is left of a sign-in that cannot start.
  await transactions.add(state, transaction)
  return { url, state }
}

/** What an answer is checked against. */
const KEPT: (keyof TransactionServer)[] = [
  'issuer',
  'token_endpoint',
  'authorization_response_iss_parameter_supported',
  'id_token_signing_alg_values_supported',
]

async function authorizationUrl(
  connection: Connection<OAuthOptions>,
  server: AuthorizationServer,
  parameters: URLSearchParams,
): Promise<URL> {
  if (!server.authorization_endpoint) throw oauthError('discovery_failed')
  const url = connection.assertSecure(server.authorization_endpoint)
  const { client, clientAuth } = connection
  const { par } = connection.options
  let query = parameters
  if (par === 'always' || (par !== 'never' && server.require_pushed_authorization_requests)) {
    // The server keeps the parameters, and returns what refers to them (RFC 9126).
    const response = await pushedAuthorizationRequest(
      server,
      client,
      clientAuth,
      parameters,
      connection.request(),
    )
    const { request_uri } = await processPushedAuthorizationResponse(server, client, response)
    query = new URLSearchParams({ client_id: client.client_id, request_uri })
  }
  // The endpoint may have a query of its own (RFC 6749 §3.1).
  appendAll(url.searchParams, query)
  return url
}

function appendAll(parameters: URLSearchParams, more: Iterable<[string, string]>): void {
  for (const [name, value] of more) parameters.append(name, value)
}
