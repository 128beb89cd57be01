import {
  type AuthorizationServer,
  type Client,
  calculatePKCECodeChallenge,
  dynamicClientRegistrationRequest,
  processDynamicClientRegistrationResponse,
} from 'oauth4webapi'
import type { Connection } from './connection.ts'
import { described, oauthError } from './failure.ts'
import type { OAuthOptions, TransactionStore } from './options.ts'
import { localTransactions } from './transactions.ts'

/** Finds the client ID for an authorization server that the app does not know in advance. `registeredClient` makes one. */
export interface ClientIdSource {
  /** Returns the client ID that the server knows. */
  (connection: Connection<OAuthOptions>): Promise<string>
  /** Forgets a client ID that the server does not know any more, so that the next one is another. */
  forget?(connection: Connection<OAuthOptions>): Promise<unknown>
}

/** Options of `registeredClient`. */
export interface RegisteredClientOptions {
  /**
   * The https address of the client's metadata document, which you serve. It is the client ID at servers that support such
   * documents (draft-ietf-oauth-client-id-metadata-document).
   */
  readonly metadataUrl?: string
  /**
   * What a registration says of this client, such as `client_name` (RFC 7591 §2). Default of the others: a public client with
   * the `redirectUri`, or with the device grant if there is none. `false`: never registers.
   */
  readonly metadata?: Readonly<Record<string, unknown>> | false
  /**
   * Keeps client IDs between runs: one short text for each server and registration, and no secret. A client ID that the server
   * answers with `invalid_client` is removed. The default is `localStorage`, if there is one. Otherwise it is memory, so that each
   * run registers anew.
   */
  readonly store?: Pick<TransactionStore, 'read' | 'write'>
}

/**
 * A client ID belongs to one issuer: another one must not get it. Two clients of one origin may register differently. The function
 * for PKCE is a hash (SHA-256): what was asked may be too long for a key.
 */
const keyOf = async ({ issuer }: AuthorizationServer, asked: Partial<Client>) =>
  `authchart.client.${issuer} ${await calculatePKCECodeChallenge(JSON.stringify(asked))}`

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

/**
 * Finds the client ID for any authorization server, for the option `clientId` of `discoverMcp`: that of a metadata document if
 * the server supports it, or else that of a dynamic registration. An app that is registered at its server gives the client ID
 * itself.
 *
 * @param options the address of the document, what to register, and where the result is kept
 * @returns the value of the option `clientId`. `discoverMcp` then rejects with an `OAuthError`: `registration_unsupported` if
 * the server offers neither, `registration_failed` if it refuses
 *
 * @example
 * ```ts
 * const clientId = registeredClient({
 *   metadataUrl: 'https://tool.example.com/client.json',
 *   metadata: { client_name: 'Tool' },
 *   store: webTransactions(() => localStorage),
 * })
 * const oauth = await discoverMcp('https://mcp.example.com/mcp', { clientId, redirectUri })
 * ```
 *
 * @see Model Context Protocol, Client Registration; RFC 7591
 */
export function registeredClient({
  metadataUrl,
  metadata = {},
  store = localTransactions(),
}: RegisteredClientOptions): ClientIdSource {
  const askedOf = ({ options }: Connection<OAuthOptions>) => ({ ...defaultsOf(options), ...metadata })
  const find: ClientIdSource = async (connection) => {
    const server = await connection.server()
    if (metadataUrl !== undefined && server.client_id_metadata_document_supported === true) return metadataUrl
    if (!metadata || !server.registration_endpoint) throw oauthError('registration_unsupported')
    connection.assertSecure(server.registration_endpoint)
    const asked = askedOf(connection)
    const key = await keyOf(server, asked)
    const known = await attempt(() => store.read(key))
    if (known && typeof known === 'string') return known
    const clientId = await register(connection, server, asked)
    await attempt(() => store.write(key, clientId))
    return clientId
  }
  find.forget = async (connection) =>
    store.write(await keyOf(await connection.server(), askedOf(connection)), '')
  return find
}

/** A store that is full or blocked is like none. */
async function attempt(work: () => unknown): Promise<unknown> {
  try {
    return await work()
  } catch {
    return undefined
  }
}

async function register(
  connection: Connection<OAuthOptions>,
  server: AuthorizationServer,
  asked: Partial<Client>,
): Promise<string> {
  try {
    const response = await dynamicClientRegistrationRequest(server, asked, connection.request())
    const {
      client_id,
      client_secret,
      token_endpoint_auth_method: method,
    } = await processDynamicClientRegistrationResponse(response)
    // A secret that anyone gets is none. But such a server refuses requests without it.
    if (client_secret !== undefined && method !== 'none') throw oauthError('registration_failed')
    return client_id
  } catch (error) {
    throw oauthError('registration_failed', described(error))
  }
}

/**
 * A public client, without a `scope`: a later step-up may need more. OpenID providers accept loopback and private schemes of native apps only, and
 * take others for web apps.
 */
function defaultsOf({ redirectUri }: OAuthOptions) {
  return {
    token_endpoint_auth_method: 'none',
    application_type: redirectUri !== undefined && /^https:/i.test(redirectUri) ? 'web' : 'native',
    redirect_uris: redirectUri === undefined ? [] : [redirectUri],
    response_types: redirectUri === undefined ? [] : ['code'],
    grant_types: [redirectUri === undefined ? DEVICE : 'authorization_code', 'refresh_token'],
  }
}
