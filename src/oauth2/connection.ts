import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  clockTolerance,
  customFetch,
  discoveryRequest,
  None,
  processDiscoveryResponse,
} from 'oauth4webapi'
import { AuthError } from '../core/errors.ts'
import type { RefreshRequest } from '../core/options.ts'
import { isObject } from '../core/platform/is-object.ts'
import type { Clock, TokenResponse } from '../core/ports.ts'
import { readText } from '../core/session/response-body.ts'
import { systemClock } from '../environment/clock.ts'
import type { DPoPFetch } from './dpop/proofs.ts'
import { described, oauthError } from './failure.ts'
import type { ServerOptions } from './options.ts'

/** How long one request may take, in milliseconds. The core bounds those of a refresh and of a revocation by its own times. */
const PATIENCE = 30_000
/** Shorter than `timeouts.refresh`: a failed discovery must not look like a lost answer of the token endpoint. */
const DISCOVERY_PATIENCE = 5_000
/** For how long metadata are new, in milliseconds. Answers of some servers never fit. */
const NEW = 60_000

/**
 * How wrong the clock of this machine may be, in seconds, when it looks at a new ID token or a logout token: ten minutes, and one for
 * the way of the token. Most servers are of another origin, whose `Date` a page cannot read.
 */
export const TOLERANCE = 660

/** Hosts of this machine, as a URL names them. Requests to them cross no network (RFC 8252 §8.3). */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/

interface FetchInit {
  readonly signal?: AbortSignal | null | undefined
}

type Send = (url: string, init: FetchInit) => Promise<Response>

/** What all requests of oauth4webapi have in common. */
export interface RequestOptions {
  readonly [customFetch]: Send
  readonly [allowInsecureRequests]: true
  readonly signal?: AbortSignal
}

/** What a token request knows of its session. */
type TokenRequest = Pick<RefreshRequest, 'signal' | 'proofKey' | 'refreshToken'>

/** The fields of a JSON object of a server. */
export type Fields = Readonly<Record<string, unknown>>

/** Sets the parameters that have a value. */
export function setAll(parameters: URLSearchParams, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) parameters.set(name, String(value))
}

/** A server, and the client that this app is there. */
export class Connection<Options extends ServerOptions = ServerOptions> {
  readonly options: Options
  readonly client: Client
  readonly clientAuth: ClientAuth
  readonly clock: Clock
  readonly issuer: URL
  #server: Promise<AuthorizationServer> | undefined
  /** When the metadata were requested last, in milliseconds since the Unix epoch. */
  #requestedAt = 0

  constructor(options: Options) {
    this.options = options
    this.client = { client_id: options.clientId, [clockTolerance]: TOLERANCE }
    this.clientAuth = options.clientAuth ?? None()
    this.clock = options.clock ?? systemClock
    this.issuer = new URL(options.issuer)
    if (options.server) this.#server = Promise.resolve(options.server)
  }

  /** The metadata of the server. Parallel calls share one request. A failed one is made again at the next call. */
  server(): Promise<AuthorizationServer> {
    this.#server ??= this.#discover().catch((error) => {
      this.#server = undefined
      throw error
    })
    return this.#server
  }

  /** Requests the metadata again, if they are not new: an answer that does not fit may mean that the server has changed. */
  renewServer(): void {
    const known = this.#server
    const age = Math.abs(this.clock.now() - this.#requestedAt)
    if (known && age >= NEW && !this.options.server) this.#server = this.#discover().catch(() => known)
  }

  /**
   * The options of one request.
   *
   * @param signal ends it; without one it ends after 30 seconds
   */
  request(signal: AbortSignal = AbortSignal.timeout(PATIENCE), send: DPoPFetch = this.fetch): RequestOptions {
    return { [customFetch]: send as Send, [allowInsecureRequests]: true, signal }
  }

  /**
   * Sends a request to the token endpoint, with a proof of possession if there is the option `dpop`, and reads its answer. If the
   * session keeps its key, the answer has it.
   */
  async token<Answer extends TokenResponse>(
    request: (options: RequestOptions) => Promise<Response>,
    read: (response: Response, fields: Fields) => Promise<Answer>,
    session?: TokenRequest,
  ): Promise<Answer & Pick<TokenResponse, 'proofKey'>> {
    const attempt = async (send: DPoPFetch) => {
      let status = 0
      try {
        const response = await request(this.request(session?.signal, send))
        status = response.status
        const json =
          response.ok &&
          (await response
            .clone()
            .json()
            .catch(() => {}))
        if (!isObject(json)) return await read(response, {})
        const { expires_in, ...fields } = json as Record<string, unknown>
        // Some servers name all fields. One that is null counts as missing.
        for (const name in fields) fields[name] ??= undefined
        // The lifetime is optional (RFC 6749 §5.1). The core knows what can be used of it.
        return { ...(await read(new Response(JSON.stringify(fields), response), fields)), expires_in }
      } catch (error) {
        // The endpoint may have moved, unless it refuses (RFC 6749 §5.2) or is too busy.
        if (status !== 400 && status < 411) this.renewServer()
        throw error
      }
    }
    const { dpop } = this.options
    return dpop ? dpop.forSession(session, attempt, this.fetch) : attempt(this.fetch)
  }

  /**
   * Checks that a URL of the server may be used: https, or http on this machine.
   *
   * @throws OAuthError `insecure`, or `invalid_response` if it is not a URL
   */
  assertSecure(text: string): URL {
    let url: URL
    try {
      url = new URL(text)
    } catch {
      throw oauthError('invalid_response')
    }
    const isFree = this.options.allowInsecure || LOOPBACK.test(url.hostname)
    if (!(isFree ? /^https?:/ : /^https:/).test(url.protocol)) throw oauthError('insecure')
    return url
  }

  /** `resource` parameters, repeated for several APIs (RFC 8707 §2). */
  resources(more?: string | readonly string[]): [string, string][] {
    return [this.options.resource ?? [], more ?? []].flat(2).map((resource) => ['resource', resource])
  }

  /** Sends a request that has a signal, if its URL is secure, and reads at most a megabyte of its answer. */
  readonly fetch = async (url: string, init: FetchInit): Promise<Response> => {
    this.assertSecure(url)
    const response = await (this.options.fetch ?? fetch)(url, init as RequestInit)
    const text = await readText(response, init.signal as AbortSignal, false)
    return text === undefined ? response : new Response(text, response)
  }

  async #discover(): Promise<AuthorizationServer> {
    this.#requestedAt = this.clock.now()
    try {
      return await processDiscoveryResponse(this.issuer, await this.#requestMetadata())
    } catch (error) {
      if (error instanceof AuthError) throw error
      throw oauthError('discovery_failed', notSent(error))
    }
  }

  async #requestMetadata(): Promise<Response> {
    const options = this.request(AbortSignal.timeout(DISCOVERY_PATIENCE))
    const response = await discoveryRequest(this.issuer, options)
    const isFound = response.ok && response.headers.get('content-type')?.includes('json')
    // A server without OpenID Connect may answer any other address by a refusal, a redirect to its sign-in, or the page of an app.
    if (isFound || response.status >= 500) return response
    return discoveryRequest(this.issuer, { ...options, algorithm: 'oauth2' })
  }
}

/** The core must not take a failed discovery for a lost answer of the token endpoint: no token was sent. */
const notSent = (error: unknown) => Object.assign(described(error), { code: 'ENETUNREACH' })
