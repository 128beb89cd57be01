import {
  clientCredentialsGrantRequest,
  genericTokenEndpointRequest,
  processClientCredentialsResponse,
  processGenericTokenEndpointResponse,
  ResponseBodyError,
} from 'oauth4webapi'
import { SignedOutError } from '../core/errors.ts'
import type { CookieFeature } from '../core/features/feature.ts'
import type { AuthOptions } from '../core/options.ts'
import { Connection } from './connection.ts'
import { explainClient } from './explain.ts'
import { answerOf, kept, reasonOf } from './failure.ts'
import { type ExchangedAuth, ofMachine, ofUser } from './grant-session.ts'
import type { ServerOptions } from './options.ts'

/** To spread into `createAuth`: a session without a user, which is always the same. */
export type GrantPorts = Required<
  Pick<AuthOptions<never>, 'refresh' | 'silentSignIn' | 'refreshOn' | 'singleUser'>
> &
  Pick<AuthOptions, 'proof'>

/** A token is requested when the session begins, and then when a request needs a new one. The server issues no refresh token (RFC 6749 §4.4.3). */
const grantPorts = (
  { dpop }: ServerOptions,
  silentSignIn: CookieFeature,
  singleUser: boolean,
  refresh: GrantPorts['refresh'],
): GrantPorts => ({
  refresh: (request) => Promise.resolve(refresh(request)).catch(keepSession),
  silentSignIn,
  refreshOn: 'demand',
  singleUser,
  ...(dpop && { proof: dpop }),
})

function parametersOf(connection: Connection): URLSearchParams {
  const { scope } = connection.options
  const parameters = new URLSearchParams(connection.resources())
  if (scope) parameters.set('scope', scope)
  return parameters
}

/** A refusal ends no session here, because no sign-in could begin another one: the next request attempts again. */
function keepSession(error: unknown): never {
  const answer = answerOf(error)
  if (!(error instanceof ResponseBodyError) && answer.status !== 401) throw error
  throw kept(reasonOf(error), answer)
}

/**
 * A session of the app itself, without a user (RFC 6749 §4.4). A failure never ends it: while the server refuses, requests are
 * rejected with `RefreshUnavailableError`, and the next one attempts again.
 *
 * @param options the server, and how the client authenticates there
 * @returns options of `createAuth`
 *
 * @example
 * ```ts
 * const auth = createAuth(clientCredentials({ issuer, clientId, clientAuth: ClientSecretBasic(secret), scope: 'read' }))
 * ```
 */
export function clientCredentials(options: ServerOptions): GrantPorts {
  explainClient('clientCredentials', options)
  const connection = new Connection(options)
  const { client, clientAuth } = connection
  return grantPorts(options, ofMachine(), true, async (session) => {
    const server = await connection.server()
    const parameters = parametersOf(connection)
    return connection.token(
      (request) => clientCredentialsGrantRequest(server, client, clientAuth, parameters, request),
      (response) => processClientCredentialsResponse(server, client, response),
      session,
    )
  })
}

/** What `tokenExchange` asks for (RFC 8693 §2.1). */
export interface ExchangeOptions extends ServerOptions {
  /** The logical names of the services that the new token is for. */
  readonly audience?: string | readonly string[]
  /** Default: the server decides. */
  readonly requestedTokenType?: string
  /** Default: `'urn:ietf:params:oauth:token-type:access_token'`. */
  readonly subjectTokenType?: string
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * A session whose tokens are exchanged for those of another session (RFC 8693): for an API behind an API. It begins and ends with
 * that one, and is kept in memory only.
 *
 * @param auth the session of the user
 * @param options the server, and what the new tokens are for
 * @returns options of `createAuth`
 *
 * @example
 * ```ts
 * const payments = createAuth(tokenExchange(auth, { issuer, clientId, clientAuth, audience: 'payments' }))
 * ```
 */
export function tokenExchange(auth: ExchangedAuth, options: ExchangeOptions): GrantPorts {
  explainClient('tokenExchange', options)
  const connection = new Connection(options)
  const { client, clientAuth } = connection
  const { audience = [], requestedTokenType, subjectTokenType = ACCESS_TOKEN } = options
  return grantPorts(options, ofUser(auth), false, async (session) => {
    const server = await connection.server()
    const parameters = parametersOf(connection)
    for (const name of [audience].flat()) parameters.append('audience', name)
    if (requestedTokenType) parameters.set('requested_token_type', requestedTokenType)
    parameters.set('subject_token', await subjectToken(auth, session.signal))
    parameters.set('subject_token_type', subjectTokenType)
    return connection.token(
      (request) =>
        genericTokenEndpointRequest(server, client, clientAuth, TOKEN_EXCHANGE, parameters, request),
      (response) => processGenericTokenEndpointResponse(server, client, response),
      session,
    )
  })
}

/** Without the session of the user there is nothing to exchange: that ends this one, too. */
async function subjectToken(auth: ExchangedAuth, signal: AbortSignal): Promise<string> {
  try {
    // A call would wait for the next sign-in, with `whenExpired: 'hold'`.
    if (auth.actor.getSnapshot().context.status !== 'active') throw new SignedOutError()
    return await auth.getAccessToken({ signal })
  } catch (error) {
    const { code } = Object(error) as { code?: unknown }
    if (code === 'session_expired' || code === 'signed_out') throw new Error('invalid_grant')
    throw error
  }
}
