import type { TokenServerScript } from './script.ts'

/** What a sign-in is good for. */
export interface TokenGrant {
  /** Separated by spaces. Default: the server's `scope`. */
  readonly scope?: string
  /** How the user proves who they are, such as `'mfa'` (`acr`, RFC 9470). Default: nothing is said of it. */
  readonly acr?: string
}

/** A successful token answer with both tokens (RFC 6749 section 5.1). `expires_in` is in seconds. */
export interface IssuedTokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly token_type: 'Bearer'
  /** What was granted, where anything was. */
  readonly scope?: string
}

/** One request as the server saw it, on any route, preflights included. */
export interface TokenServerRequest {
  /** Arrival by the server's clock, in ms since the epoch. */
  readonly at: number
  readonly method: string
  /** The whole URL. */
  readonly url: string
  /** The path without the query. */
  readonly path: string
  /** The query with its question mark, or an empty string. */
  readonly search: string
  /** The `Authorization` header as sent. */
  readonly authorization?: string
  /**
   * Which token of its session was presented, dead or alive: the access token of the header, or, at the token and
   * revocation endpoints, the token in the body or the cookie. The first one is 1.
   */
  readonly generation?: number
  /** The status answered. 0 as long as there is no answer, for good after a drop or a hang. */
  readonly status: number
  readonly bodyText: string
  readonly bodyBytes: Uint8Array
  /** All request headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** What the server has counted since it was made or `reset()`. */
export interface TokenServerCounters {
  /** Successful refreshes, those inside the grace included, sign-ins not included. */
  readonly refreshes: number
  /** All POSTs that reached `/token`, scripted faults included. */
  readonly tokenRequests: number
  /** Refresh tokens presented again outside the grace. Once per session, because the first one kills it. */
  readonly reuseDetections: number
  /** API requests refused because their bearer token was expired, dead or unknown. */
  readonly expiredTokenUses: number
  /** Requests to the revocation endpoint that revoked a token which was not revoked before. */
  readonly revocations: number
}

/** Where a {@link TokenServer} is served. */
export interface ListenOptions {
  /** From 0 to 65535; 0 (default) takes a free one. */
  readonly port?: number
  /**
   * The name or address to listen at (default `'127.0.0.1'`). `'localhost'` for pages on `localhost`: their browser sends
   * the cookie of cookie mode, which is `SameSite=Strict`, to no other site.
   */
  readonly hostname?: string
}

/** A served {@link TokenServer}. */
export interface ListeningTokenServer {
  /** The origin, such as `http://127.0.0.1:49152`, without a trailing slash. */
  readonly url: string
  /**
   * Stops listening and destroys the open sockets. When it is the server's last listener, requests that are held, delayed or
   * hanging are dropped. Can be called again.
   */
  close(): Promise<void>
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What {@link createTokenServer} returns. No method needs its receiver: `const { handle } = server`. */
export interface TokenServer extends TokenServerCounters, TokenServerScript {
  /** Where the server is for `fetch`: the option, without a trailing slash. */
  readonly origin: string
  /**
   * Answers one request without a socket, whatever its host. A drop rejects with a TypeError, as `fetch` does; an abort of
   * the request rejects with its reason, while the server goes on with its work.
   *
   * @example
   * // MSW: without the `catch`, a drop is a network error in Node, too, but one that MSW complains about.
   * const mock = setupServer(
   *   http.all('*', ({ request }) => server.handle(request).catch(() => HttpResponse.error())),
   * )
   */
  handle(request: Request): Promise<Response>
  /**
   * `handle` with the signature and manners of the global `fetch`: it resolves relative URLs against `origin`, follows
   * redirects, obeys the signal, rejects with a TypeError on drops and, outside browsers, keeps the cookie of cookie mode.
   *
   * @example
   * const api = createAuthFetch(auth, { fetch: server.fetch, origins: [server.origin] })
   * const response = await api(`${server.origin}/api/me`)
   */
  readonly fetch: typeof globalThis.fetch
  /**
   * Serves over HTTP/1.1. A server may have several listeners.
   *
   * @throws TypeError (as a rejection) outside Node, Deno and Bun: `fetch` and `handle` work everywhere
   * @throws RangeError (as a rejection) for a port out of range; and what Node throws, such as `EADDRINUSE`
   */
  listen(options?: ListenOptions): Promise<ListeningTokenServer>

  /** Makes a new session, as if this user had just signed in. Throws a TypeError for a malformed scope. */
  issue(subject?: string, grant?: TokenGrant): IssuedTokens
  /**
   * The user of a session authenticates anew (RFC 9470 section 5): it gains these scopes and this `acr`, and `maxAge` counts
   * from now. Tokens issued before stay as weak as they were; the ones returned, and those of later refreshes, pass.
   *
   * @param token any token of the session
   * @throws Error where the session is over or the token is unknown
   * @example
   * await auth.setTokens(server.stepUp(await auth.getAccessToken(), { acr: 'mfa' }))
   */
  stepUp(token: string, grant?: TokenGrant): IssuedTokens
  /**
   * Somebody else, such as another tab, exchanges this refresh token: at once, whatever is scripted, and without a request.
   * Rotation, reuse detection and the counters of refreshes are as for a request.
   *
   * @throws Error where the server refuses the token
   */
  renew(refreshToken: string): IssuedTokens
  /** Makes all access tokens issued so far expire now. */
  expireAccessTokens(): void
  /** Makes all refresh tokens issued so far answer `invalid_grant`, without counting as reuse. */
  killRefreshTokens(): void
  /** Whether the server has killed this token of its own. False for merely expired or rotated tokens. */
  isRevoked(token: string): boolean

  /** Every request since the start or `reset()`, in order of arrival. Always the same array. */
  readonly log: readonly TokenServerRequest[]
  /**
   * Resolves with the next request that matches, when it has arrived and is not answered yet. Looks only at
   * requests that arrive after the call.
   */
  whenRequest(predicate: (request: TokenServerRequest) => boolean): Promise<TokenServerRequest>
  /**
   * Makes the server ready for the next test: empties the log, sets the counters to 0, forgets what is scripted (see
   * `clearScripts`), and drops requests that are held, delayed or hanging. Sessions and their tokens stay, and so does
   * whoever waits in `whenRequest`.
   */
  reset(): void
}
