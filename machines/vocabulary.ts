/**
 * The words of the auth chart: what it remembers, what it hears and what it says.
 *
 * Nothing here can hold a token: the chart knows token sets by their generation, sign-ins by their epoch, and
 * failures by facts, so that a snapshot, an inspector frame or a log of it has no secret to lose.
 */

/** What the chart knows of the current token set. All instants are milliseconds since the Unix epoch. */
export interface TokenFacts {
  /** Grows with each sign-in and each sign-out. */
  readonly epoch: number
  /** Grows with each token set; never falls, not even across sign-ins. */
  readonly generation: number
  /** When the access token dies; `undefined`: not known, so only a 401 will tell. */
  readonly expiresAt: number | undefined
  /** When to start an early renewal; `undefined`: never by the clock. */
  readonly renewAt: number | undefined
  /** `false` once the refresh token is known to be dead. */
  readonly renewable: boolean
}

/**
 * Why a session ended, or why an exchange failed: an OAuth error code as the server gave it (`invalid_grant`,
 * RFC 6749 §5.2), or one of the library's own words.
 */
export type Reason =
  | 'invalid_grant'
  | 'invalid_client'
  | 'unauthorized_client'
  /** The token endpoint refused with a bare 401, or `isFatal` said so. */
  | 'refresh_rejected'
  /** A refresh token was sent, no answer came, and `ambiguousRefresh` is `'expire'`. */
  | 'uncertain'
  /** The access token ran out or was refused, and there was nothing left to renew it with. */
  | 'token_expired'
  | 'idle'
  | 'lifetime'
  | 'network'
  | 'offline'
  | 'timeout'
  | 'server_error'
  | 'rate_limited'
  | 'invalid_response'
  | 'signed_out'
  | 'signed_out_elsewhere'
  | (string & {})

/** What an exchange that failed left behind. */
export interface ExchangeFailure {
  /** The refresh token is dead: trying again can never help. */
  readonly fatal: boolean
  /** The refresh token was sent and no answer came: it may be spent. */
  readonly uncertain: boolean
  readonly reason: Reason
  /** HTTP status of the token endpoint's answer, where there was one. */
  readonly status?: number
  /** Instant of the next try: backed off, and never before `notBefore`. */
  readonly retryAt: number
  /** Instant before which the server asked not to be tried again (`Retry-After`); 0 where it asked nothing. */
  readonly notBefore: number
}

/** Where the session stands, whichever state the chart is in: where a failed sign-in goes back to. */
export type Standing = 'unknown' | 'nobody' | 'session' | 'expired' | 'left'

/** Options the chart itself decides by. */
export interface AuthPolicy {
  /** Tries of one exchange before it is suspended. */
  readonly attempts: number
  /** What to do when a refresh token was sent and no answer came. */
  readonly ambiguousRefresh: 'retry' | 'expire'
  /** Whether a session may live in an HttpOnly cookie that only a refresh can reveal. */
  readonly silentSignIn: boolean
  /** Whether there is a store to read at the start. */
  readonly restores: boolean
}

export interface AuthInput {
  readonly policy: AuthPolicy
  /** Facts of the tokens the session starts with, where it starts with any. */
  readonly initial?: TokenFacts
}

export interface AuthContext extends TokenFacts {
  readonly policy: AuthPolicy
  readonly standing: Standing
  /** The last generation that a server answered with 401. */
  readonly rejectedGeneration: number
  /** Failed tries of the present exchange. */
  readonly attempt: number
  readonly retryAt: number
  readonly notBefore: number
  /** A refresh token of this generation was sent and its answer lost. */
  readonly uncertain: boolean
  /** Why the last exchange failed. */
  readonly failure: ExchangeFailure | undefined
  /** Why the session ended. */
  readonly reason: Reason | undefined
  /** Requests waiting. */
  readonly held: number
}

export type AuthEvent =
  | { type: 'session.signIn' }
  /** Tokens came from elsewhere: `setTokens`, another tab, or an answer that came after its deadline. */
  | { type: 'session.adopt'; facts: TokenFacts; works: boolean; renewal: boolean }
  | { type: 'session.refresh' }
  | { type: 'session.signOut' }
  /** Another tab or process changed the session. */
  | { type: 'session.sync' }
  /** Another tab or process ended the session. */
  | { type: 'session.removed' }
  /** Look at the clock again: a request found the token due, or the machine woke. */
  | { type: 'session.check' }
  | { type: 'request.unauthorized'; generation: number }
  | { type: 'request.held'; count: number; held: number }
  | { type: 'request.released'; held: number }
  | { type: 'request.replayed'; count: number; held: number }
  | { type: 'request.rejected'; count: number; held: number; reason: Reason }
  | { type: 'request.stepUp'; scope?: string; acrValues?: string; maxAge?: number }
  | { type: 'storage.failed'; reason: Reason }
  | { type: 'exchange.discarded'; reason: Reason }
  | { type: 'environment.online' }
  | { type: 'environment.offline' }
  | { type: 'environment.woke' }

/** What every emitted event carries. */
export interface AuthFacts {
  /** When it happened, in milliseconds since the Unix epoch. */
  readonly at: number
  readonly epoch: number
  readonly generation: number
  readonly reason?: Reason
}

export type AuthEmitted =
  /** The chart entered a state. `from` and `to` are paths such as `refreshing.exchange.backingOff`. */
  | ({ type: 'transition'; from: string; to: string } & AuthFacts)
  | ({ type: 'signedIn' } & AuthFacts)
  | ({ type: 'refreshed' } & AuthFacts)
  /** One try of an exchange failed; `retryAt` is when the next one is due, unless the failure was fatal. */
  | ({
      type: 'refreshFailed'
      attempt: number
      fatal: boolean
      status?: number
      retryAt?: number
    } & AuthFacts)
  | ({ type: 'expired' } & AuthFacts)
  | ({ type: 'signedOut' } & AuthFacts)
  /** `count` requests of one burst; `held` waiting in all. */
  | ({ type: 'requestHeld'; count: number; held: number } & AuthFacts)
  | ({ type: 'requestReplayed'; count: number; held: number } & AuthFacts)
  | ({ type: 'requestRejected'; count: number; held: number } & AuthFacts)
  /** RFC 6750 §3.1 `insufficient_scope`, RFC 9470 `insufficient_user_authentication`; `maxAge` in seconds. */
  | ({ type: 'stepUpRequired'; scope?: string; acrValues?: string; maxAge?: number } & AuthFacts)
  | ({ type: 'storageFailed' } & AuthFacts)
  /** Tokens came for a session that is over, and were thrown away. */
  | ({ type: 'discarded' } & AuthFacts)
