/**
 * How a {@link TokenServer} behaves. Every duration is in milliseconds.
 */
export interface TokenServerOptions {
  /** Life of an access token in ms (default 3_600_000). `expires_in` has it in seconds, with fractions. */
  readonly accessTokenLifetime?: number
  /** Whether a refresh replaces the refresh token (default true). If not, answers have no `refresh_token`. */
  readonly rotate?: boolean
  /** Ms in which the previous refresh token may be presented again and gets new tokens (default 0). */
  readonly reuseGrace?: number
  /** Whether a refresh kills the older access tokens of its session at once (default false). */
  readonly previousAccessTokenDies?: boolean
  /** The server's clock, in ms since the epoch (default `Date.now`). Waits use timers, not this clock. */
  readonly now?: () => number
  /** Ms added to the clock when `iat` and `exp` of a JWT are written (default 0). */
  readonly clockSkew?: number
  /** Whether access tokens are JWTs with `iat`, `exp` and `sub` (default false: opaque strings). */
  readonly jwt?: boolean
  /** The user of sessions made by `issue()` (default `'ada'`). */
  readonly subject?: string
}

/** A successful token answer with both tokens (RFC 6749 section 5.1). `expires_in` is in seconds. */
export interface IssuedTokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly token_type: 'Bearer'
}

/** One request as the server saw it, on any route, preflights included. */
export interface TokenServerRequest {
  /** Arrival by the server's clock, in ms since the epoch. */
  readonly at: number
  readonly method: string
  /** The path without the query. */
  readonly path: string
  /** The query with its question mark, or an empty string. */
  readonly search: string
  /** The `Authorization` header as sent. */
  readonly authorization?: string
  /** Which access token of its session was presented, dead or alive. The first one is 1. */
  readonly generation?: number
  /** The status answered. 0 as long as there is no answer, for good after a drop or a hang. */
  readonly status: number
  readonly bodyText: string
  readonly bodyBytes: Uint8Array
  /** All request headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** The answer given by `failNext`. */
export interface TokenFailure {
  /** Default 500. */
  readonly status?: number
  /** A string is sent as it is, anything else as JSON. Default: an OAuth error object. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The ways in which `malformNext` can break a 200 answer. */
export type MalformedAnswer = 'html' | 'bad-json' | 'no-access-token' | 'empty'

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
  /** Requests to `/revoke` that revoked a token which was not revoked before. */
  readonly revocations: number
}

/**
 * Faults for the next requests to `POST /token`. All calls share one queue: each request takes exactly one
 * entry, first in first out, so `failNext(1); delayNext(20)` fails one request and delays the one after it.
 * `n` is how many requests an entry serves (`Infinity` for all).
 */
export interface TokenServerScript {
  /** Answers an error without acting. */
  failNext(n: number, failure?: TokenFailure): void
  /** Answers `status` (default 429) with `Retry-After`: seconds or an HTTP date, RFC 9110 section 10.2.3. */
  retryAfterNext(value: string | number, status?: number): void
  /** Never answers and never acts. Ends when the client goes or the server closes. */
  hangNext(n: number): void
  /** Destroys the connection before acting. Through `handle()`: rejects with a TypeError. */
  dropNext(n: number): void
  /** Acts, then destroys the connection: the client never learns its new tokens. */
  dropAnswerNext(n: number): void
  /** Waits `ms`, then acts (even if the client has gone) and answers. */
  delayNext(ms: number, n?: number): void
  /** Acts, waits `ms`, then answers. */
  delayAnswerNext(ms: number, n?: number): void
  /** Answers 200 with something that is no token answer, without acting. */
  malformNext(kind: MalformedAnswer, n?: number): void
  /** Ms that every token request waits before anything else happens to it. */
  tokenDelay: number
}

/** A served {@link TokenServer}. */
export interface ListeningTokenServer {
  /** The origin, such as `http://127.0.0.1:49152`, without a trailing slash. */
  readonly url: string
  /** Stops listening and destroys the open sockets. */
  close(): Promise<void>
}

/** What {@link createTokenServer} returns. No method needs its receiver: `const { handle } = server`. */
export interface TokenServer extends TokenServerCounters, TokenServerScript {
  /** Answers one request without a socket. A drop rejects with a TypeError, as `fetch` does. */
  handle(request: Request): Promise<Response>
  /** Serves over HTTP on 127.0.0.1 at a free port. Needs Node. */
  listen(): Promise<ListeningTokenServer>

  /** Makes a new session, as if this user had just signed in. */
  issue(subject?: string): IssuedTokens
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
  /** Empties the log and sets the counters to 0. Tokens and scripted faults stay. */
  reset(): void
}
