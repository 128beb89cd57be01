/**
 * The session for clients of the Model Context Protocol.
 *
 * @module
 */
import type { AuthHandle } from '../core/auth.ts'
import { tokenParameters } from '../core/requests/challenge.ts'
import { type AuthFetchOptions, createAuthFetch } from '../transports/fetch.ts'
import { createOAuth, type OAuth } from './client.ts'
import { Connection } from './connection.ts'
import { explainURL } from './explain.ts'
import { answerOf, oauthError, toOAuthError } from './failure.ts'
import type { OAuthOptions } from './options.ts'
import type { ClientIdSource } from './registered-client.ts'
import { discoverResource } from './resource.ts'

export { type ClientIdSource, type RegisteredClientOptions, registeredClient } from './registered-client.ts'

/** How long the first request may take, in milliseconds. */
const PATIENCE = 5_000

/** Options of `discoverMcp`: those of `createOAuth`. What the MCP server says fills in the others. */
export interface McpOAuthOptions extends Omit<OAuthOptions, 'issuer' | 'resource' | 'clientId'> {
  /** The client ID at the authorization server, or `registeredClient()`, which finds one. */
  readonly clientId: string | ClientIdSource
  /** The authorization server to use. It has to be one of those that the MCP server names. Default: the first of them. */
  readonly issuer?: string | URL
}

/** The options of `StreamableHTTPClientTransport` that `authMcp` sets. */
export interface AuthMcpOptions {
  /** Sends a request of the transport with the token of the session. */
  fetch: (url: string | URL, init?: RequestInit) => Promise<Response>
}

/**
 * Creates options for the Streamable HTTP transport of an MCP client: a `fetch` that sends the token of the session. A 401 is
 * answered by one refresh for all requests, and each is sent once more. If `onStepUp` is set, `insufficient_scope` is
 * answered by a sign-in. Give the transport no `authProvider`: it does not learn which token was refused, so it would refresh several
 * times.
 *
 * @param auth the session
 * @param url the address of the MCP server: its origin gets the token
 * @param options as in `createAuthFetch`
 * @returns options for the transport. `client.callTool()` rejects with the errors of the session as they are
 * @throws TypeError if `url` is not a URL
 *
 * @example
 * ```ts
 * const transport = new StreamableHTTPClientTransport(new URL(url), authMcp(auth, url))
 * await client.connect(transport)
 * ```
 *
 * @see Model Context Protocol, Authorization; RFC 6750 §2.1
 */
export function authMcp(
  auth: AuthHandle,
  url: string | URL,
  options: Omit<AuthFetchOptions, 'origins'> = {},
): AuthMcpOptions {
  explainURL('authMcp: url', url)
  return { fetch: createAuthFetch(auth, { ...options, origins: [new URL(url).origin] }) }
}

/**
 * Asks an MCP server which authorization server issues its tokens (RFC 9728), and makes a client of that authorization server. Tokens are
 * requested for this MCP server only (RFC 8707), with the scope that it asks for, unless `scope` is given.
 *
 * One request is sent without a token. Its answer may name the address of the metadata. Otherwise the well-known address for
 * the URL is used, and then that for the origin. The metadata may be for the URL or for its whole origin. A server may name any authorization server: set `issuer`, or ask only servers that you trust.
 *
 * @param url the address of the MCP server
 * @param options as in `createOAuth`
 * @returns the client, for `createAuth`
 * @throws OAuthError `resource_discovery_failed` if the metadata is missing, or names no authorization server
 * @throws OAuthError `wrong_issuer` if it does not name `issuer`
 * @throws OAuthError `insecure` if the URL is plain http on another machine
 * @throws OAuthError `registration_unsupported` or `registration_failed` of `registeredClient`
 *
 * @example
 * ```ts
 * const oauth = await discoverMcp('https://mcp.example.com/mcp', { clientId: 'tool' })
 * const auth = createAuth({ ...oauth.ports, singleUser: true })
 * await auth.signIn({ via: deviceGrant, onCode: show })
 * ```
 *
 * @see Model Context Protocol, Authorization; RFC 9728 §5.1, RFC 8707
 */
export async function discoverMcp(url: string | URL, options: McpOAuthOptions): Promise<OAuth> {
  explainURL('discoverMcp: url', url)
  const { issuer, scope, clientId, allowInsecure, fetch: send } = options
  const given = { ...(allowInsecure && { allowInsecure }), ...(send && { fetch: send }) }
  const connection = new Connection({ ...options, clientId: '', issuer: url })
  const answer = await untokened(connection, connection.assertSecure(String(url)))
  const { origin } = new URL(url)
  // A server may describe its whole origin instead of one path, in what its answer names or at the address for the origin.
  const resource = await discoverResource(url, { ...given, answer })
    .catch(unlessMissing(() => discoverResource(origin, { ...given, answer })))
    .catch(unlessMissing(() => discoverResource(origin, given)))
  const issuers = resource.authorization_servers ?? []
  const wanted = issuer === undefined ? issuers[0] : String(issuer)
  if (wanted === undefined) throw oauthError('resource_discovery_failed')
  if (!issuers.some((each) => isSameIssuer(each, wanted))) throw oauthError('wrong_issuer')
  const challenge = tokenParameters(answer.headers.get('www-authenticate') ?? '')
  const asked = scope ?? challenge.scope ?? resource.scopes_supported?.join(' ')
  const found: OAuthOptions = {
    ...options,
    clientId: '',
    issuer: wanted,
    resource: resource.resource,
    ...(asked && { scope: asked }),
  }
  if (typeof clientId === 'string') return createOAuth({ ...found, clientId })
  const client = new Connection(found)
  const oauth = createOAuth({ ...found, clientId: await clientId(client), server: await client.server() })
  forgetUnknown(oauth, async () => clientId.forget?.(client))
  return oauth
}

/** Some servers lose the clients that have registered themselves, for example when they restart. Others remove them after a time. */
function forgetUnknown({ ports }: OAuth, forget: () => Promise<unknown>): void {
  const { refresh, signIn } = ports
  const check = async (error: unknown): Promise<never> => {
    const { error: code, reason = code } = Object(error)
    // Without `invalid_client`, 401 says that the client is not known (RFC 6749 §5.2).
    if (reason === 'invalid_client' || answerOf(error).status === 401) await forget().catch(() => {})
    throw error
  }
  const checked: Pick<OAuth['ports'], 'refresh' | 'signIn'> = {
    refresh: (request) => Promise.resolve(refresh(request)).catch(check),
    signIn: (...given) => Promise.resolve(signIn(...given)).catch(check),
  }
  Object.assign(ports, checked)
}

const unlessMissing =
  <T>(next: () => Promise<T>) =>
  (error: unknown) => {
    if (Object(error).reason !== 'resource_discovery_failed') throw error
    return next()
  }

/** Sends a request without a token, as a client would that opens a stream. */
async function untokened(connection: Connection, url: URL): Promise<Response> {
  const headers = { accept: 'application/json, text/event-stream' }
  const init = { headers, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) } as const
  try {
    // Not by `connection.fetch`, which reads the whole answer.
    const answer = await (connection.options.fetch ?? fetch)(url.href, init)
    // It may be a stream that does not end.
    answer.body?.cancel().catch(() => {})
    return answer
  } catch (error) {
    throw toOAuthError(error)
  }
}

/** An issuer is compared as a URL, because some servers write a slash at its end and some do not. */
function isSameIssuer(one: string, other: string): boolean {
  try {
    return new URL(one).href === new URL(other).href
  } catch {
    return false
  }
}
