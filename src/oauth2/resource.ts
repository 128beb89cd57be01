import { processResourceDiscoveryResponse, type ResourceServer, resourceDiscoveryRequest } from 'oauth4webapi'
import { tokenParameters } from '../core/requests/challenge.ts'
import { Connection } from './connection.ts'
import { explainURL } from './explain.ts'
import { described, oauthError } from './failure.ts'
import type { ServerOptions } from './options.ts'

/** How long the request may take, in milliseconds. */
const PATIENCE = 5_000

/** Options of `discoverResource`. */
export interface DiscoverResourceOptions extends Pick<ServerOptions, 'allowInsecure' | 'fetch'> {
  /** An answer of the API with the status 401. Its `WWW-Authenticate` header may name the address of the metadata. */
  readonly answer?: Response
}

/**
 * Asks an API which authorization servers issue tokens for it. At most a megabyte is read, within five seconds, over https, and
 * without following a redirect. An answer can only name metadata of its own origin.
 *
 * @param url the resource identifier; with `answer`, the URL that was requested
 * @returns the metadata. Its `resource` is `url`
 * @throws OAuthError `resource_discovery_failed` if the metadata cannot be read, or is for another resource
 * @throws OAuthError `insecure` if the URL is plain http on another machine
 *
 * @example
 * ```ts
 * const { resource, authorization_servers: [issuer] = [] } = await discoverResource('https://api.example.com/')
 * if (issuer) createOAuth({ issuer, clientId: 'app', redirectUri, resource })
 * ```
 *
 * @see RFC 9728 §3, §5.1
 */
export async function discoverResource(
  url: string | URL,
  { answer, ...options }: DiscoverResourceOptions = {},
): Promise<ResourceServer> {
  explainURL('discoverResource: url', url)
  const resource = new URL(url)
  resource.hash = ''
  const connection = new Connection({ issuer: resource, clientId: '', ...options })
  const request = connection.request(AbortSignal.timeout(PATIENCE))
  const header = answer?.headers.get('www-authenticate') ?? ''
  const { resource_metadata: named } = tokenParameters(header)
  try {
    if (named === undefined)
      return await processResourceDiscoveryResponse(
        resource,
        await resourceDiscoveryRequest(resource, request),
      )
    const place = new URL(named)
    // What an API says must not make this client send requests elsewhere, for example within a private network.
    if (place.origin !== resource.origin) throw oauthError('resource_discovery_failed')
    const init = { ...request, headers: { accept: 'application/json' }, redirect: 'manual' } as const
    return await processResourceDiscoveryResponse(resource, await connection.fetch(place.href, init))
  } catch (error) {
    if (Object(error).reason === 'insecure') throw error
    throw oauthError('resource_discovery_failed', described(error))
  }
}
