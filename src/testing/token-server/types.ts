import type { AsyncDisposes } from '../../core/platform/disposal.ts'
import type { TokenServerRequest } from './requests.ts'
import type { TokenServerScript } from './script.ts'

/** What a sign-in grants. */
export interface TokenGrant {
  /** Scopes, separated by spaces. Default: the server's `scope`. */
  readonly scope?: string
  /** How the user authenticates, such as `'mfa'` (`acr`, RFC 9470). Default: not specified. */
  readonly acr?: string
}

/** A successful token response with both tokens (RFC 6749 section 5.1). `expires_in` is in seconds. */
export interface IssuedTokens {
  /** An opaque text, or an unsigned JWT with the option `jwt`. */
  readonly access_token: string
  /** A refresh token that was never presented. */
  readonly refresh_token: string
  /** Lifetime of the access token, in seconds, with fractions. */
  readonly expires_in: number
  /** The type of RFC 6750, with that capital letter. */
  readonly token_type: 'Bearer'
  /** The granted scopes, if any. */
  readonly scope?: string
}

/** Counters since the server was created or `reset()`. */
export interface TokenServerCounters {
  /** Successful refreshes, including those within the grace period. Sign-ins do not count. */
  readonly refreshes: number
  /** All POSTs that reached `/token`, including scripted faults. */
  readonly tokenRequests: number
  /** Refresh tokens reused after the grace period. Counts once per session, because the first reuse revokes the session. */
  readonly reuseDetections: number
  /** API requests rejected because their bearer token was expired, revoked or unknown. */
  readonly expiredTokenUses: number
  /** Requests to the revocation endpoint that revoked a token. A token that was already revoked does not count. */
  readonly revocations: number
}

/** Where a {@link TokenServer} is served. */
export interface ListenOptions {
  /** From 0 to 65535. The default 0 picks a free port. */
  readonly port?: number
  /**
   * The name or address to listen at (default `'127.0.0.1'`). Use `'localhost'` for pages on `localhost`: the cookie of
   * cookie mode is `SameSite=Strict`, so the browser sends it to the same site only.
   */
  readonly hostname?: string
}

/** A served {@link TokenServer}. */
export interface ListeningTokenServer extends AsyncDisposes {
  /** The origin, such as `http://127.0.0.1:49152`, without a trailing slash. */
  readonly url: string
  /**
   * Stops listening and destroys the open sockets. Closing the server's last listener drops requests that are held, delayed
   * or hanging. Calling it again does nothing. `await using` calls it at the end of a block.
   */
  close(): Promise<void>
}

/** What {@link createTokenServer} returns. All methods can be destructured: `const { handle } = server`. */
export interface TokenServer extends TokenServerCounters, TokenServerScript {
  /** The origin that `fetch` resolves URLs against: the option, without a trailing slash. */
  readonly origin: string
  /**
   * Answers one request without a socket, for any host. A drop rejects with a TypeError, as `fetch` does. Aborting the
   * request rejects with the abort reason; the server still finishes its work, as a real one does.
   *
   * @example
   * // MSW: without the `catch`, a drop is still a network error in Node, but MSW logs it as an error.
   * const mock = setupServer(
   *   http.all('*', ({ request }) => server.handle(request).catch(() => HttpResponse.error())),
   * )
   */
  handle(request: Request): Promise<Response>
  /**
   * `handle` with the signature and behaviour of the global `fetch`. It resolves relative URLs against `origin`, follows
   * redirects, obeys the signal and rejects with a TypeError on drops. Outside browsers it stores the cookie of cookie mode.
   *
   * @example
   * const api = createAuthFetch(auth, { fetch: server.fetch, origins: [server.origin] })
   * const response = await api(`${server.origin}/api/me`)
   */
  readonly fetch: typeof globalThis.fetch
  /**
   * Serves over HTTP/1.1. A server may have several listeners.
   *
   * @throws TypeError (as a rejection) outside Node, Deno and Bun; `fetch` and `handle` work everywhere
   * @throws RangeError (as a rejection) if the port is out of range; errors of Node, such as `EADDRINUSE`, pass through
   */
  listen(options?: ListenOptions): Promise<ListeningTokenServer>

  /**
   * Creates a new session, as if this user had just signed in.
   *
   * @throws TypeError if the scope or `acr` is malformed
   */
  issue(subject?: string, grant?: TokenGrant): IssuedTokens
  /**
   * Steps up a session: its user authenticates again (RFC 9470 section 5). The session gains these scopes and this `acr`, and
   * `maxAge` counts from now. The returned tokens and those of later refreshes have the new grant; older tokens do not.
   *
   * @param token any token of the session
   * @throws Error if the session has ended or the token is unknown
   * @example
   * await auth.setTokens(server.stepUp(await auth.getAccessToken(), { acr: 'mfa' }))
   */
  stepUp(token: string, grant?: TokenGrant): IssuedTokens
  /**
   * Refreshes as another client would, for example another tab. It happens immediately, without a request, and ignores the
   * script. Rotation, reuse detection and the counters of refreshes work as for a request.
   *
   * @throws Error if the server rejects the token
   */
  renew(refreshToken: string): IssuedTokens
  /** Expires all access tokens issued so far. */
  expireAccessTokens(): void
  /** Revokes all refresh tokens issued so far: they answer `invalid_grant`, which does not count as reuse. */
  killRefreshTokens(): void
  /** Whether the server has revoked this token. False for a token that only expired or was rotated. */
  isRevoked(token: string): boolean

  /** Every request since the server was created or `reset()`, in order of arrival. Always the same array. */
  readonly log: readonly TokenServerRequest[]
  /**
   * Resolves with the next matching request, after its arrival and before its answer. Ignores requests that arrived before
   * the call.
   */
  whenRequest(predicate: (request: TokenServerRequest) => boolean): Promise<TokenServerRequest>
  /**
   * Prepares the server for the next test. Empties the log, sets the counters to 0, discards the script (see
   * `clearScripts`), and drops requests that are held, delayed or hanging. Sessions, tokens and pending `whenRequest`
   * promises are kept.
   */
  reset(): void
}
