/**
 * The words of the auth chart: what it remembers, which events it receives and which it emits.
 *
 * Nothing here can hold a token. The chart knows token sets by their generation, sign-ins by their epoch, and failures
 * by facts, so snapshots, inspector frames and logs contain no secrets.
 */

/** What the chart knows of the current token set. All instants are milliseconds since the Unix epoch. */
export interface TokenFacts {
  /** Grows with each sign-in and each sign-out. */
  readonly epoch: number
  /** Grows with each token set; never falls, not even across sign-ins. */
  readonly generation: number
  /** When the access token expires; `undefined` if unknown: then only a 401 shows it. */
  readonly expiresAt: number | undefined
  /** When to start an early refresh; `undefined`: never by the clock. */
  readonly refreshAt: number | undefined
  /** `false` once the refresh token is known to be expired or rejected. */
  readonly refreshable: boolean
}

/**
 * Why a session ended, or why a refresh failed: an OAuth error code as the server gave it (`invalid_grant`,
 * RFC 6749 §5.2), or one of the library's own words.
 */
export type Reason =
  | 'invalid_grant'
  | 'invalid_client'
  | 'unauthorized_client'
  /** The token endpoint refused with a bare 401, or `isFatal` said so. */
  | 'refresh_rejected'
  /** A refresh token was sent, no answer came, and `ambiguousRefresh` is `'expire'`. */
  | 'ambiguous'
  /** The access token expired or was refused, and there was nothing left to refresh it with. */
  | 'token_expired'
  /** The key that the tokens are bound to is missing (RFC 9449). The refresh token was not presented. */
  | 'key_lost'
  | 'idle'
  | 'lifetime'
  | 'network'
  | 'offline'
  | 'timeout'
  | 'server_error'
  | 'rate_limited'
  | 'invalid_response'
  /** The coordinator requires its lock, and it was not to be had. */
  | 'lock_unavailable'
  /** Another process took over the turn to refresh. */
  | 'lock_lost'
  | 'signed_out'
  | 'signed_out_elsewhere'
  | (string & {})

/** What is known of one failed attempt to refresh. */
export interface RefreshFailure {
  /** The refresh token was rejected for good: another attempt can never succeed. */
  readonly fatal: boolean
  /** The refresh token was sent and no answer came: it may be spent. */
  readonly ambiguous: boolean
  readonly reason: Reason
  /** HTTP status of the token endpoint's answer, if there was one. */
  readonly status?: number
  /** Instant of the next attempt: backed off, and never before `notBefore`. */
  readonly retryAt: number
  /** Instant before which the server asked for no further attempt (`Retry-After`); 0 if it did not ask. */
  readonly notBefore: number
}

/** What is known of the session, whichever state the chart is in: a failed sign-in returns to it. */
export type SessionStatus = 'unknown' | 'none' | 'active' | 'expired' | 'signedOut'

/** What starts a refresh. */
export type RefreshTrigger =
  /** The clock, early, whether or not requests are sent. */
  | 'timer'
  /** The clock, early, as long as requests were sent since the last refresh. */
  | 'activity'
  /** The first request that finds the token due. */
  | 'demand'

/** Options the chart itself decides by. Times are milliseconds. */
export interface AuthPolicy {
  readonly refreshOn: RefreshTrigger
  /** Attempts of one refresh before it cools down. */
  readonly attempts: number
  /** How long a refresh rests after its last attempt failed. */
  readonly coolDown: number
  /** What to do when a refresh token was sent and no answer came. */
  readonly ambiguousRefresh: 'retry' | 'expire'
  /** Whether a session may live in an HttpOnly cookie that only a refresh can reveal. */
  readonly silentSignIn: boolean
  /** Whether there is a store to read at the start. */
  readonly restores: boolean
}

/**
 * Identifies a session to the chart's implementations (`ports.ts`). It is an empty object, so that a snapshot can be
 * cloned and written as JSON, and leads to nothing.
 */
export type SessionKey = Readonly<Record<never, never>>

/** What the chart needs to start. */
export interface AuthInput {
  readonly policy: AuthPolicy
  /** Made by `connectPorts`. */
  readonly session: SessionKey
  /** Facts of the tokens the session starts with, if it starts with any. */
  readonly initial?: TokenFacts
}

export interface ChartContext extends TokenFacts {
  readonly policy: AuthPolicy
  readonly session: SessionKey
  readonly status: SessionStatus
  /** The last generation that a server answered with 401. */
  readonly rejectedGeneration: number
  /** Failed attempts of the current refresh. */
  readonly attempt: number
  readonly retryAt: number
  readonly notBefore: number
  /** A refresh token of this generation was sent and its answer was lost. */
  readonly ambiguous: boolean
  /** Why the last attempt failed. */
  readonly failure: RefreshFailure | undefined
  /** Why the session ended. */
  readonly reason: Reason | undefined
  /** Number of requests that wait. */
  readonly held: number
}

/** What the chart receives. Names say who speaks: `session.*` the app and the session, `token.*` and `requests.*` the core. */
export type AuthEvent =
  | { type: 'session.signIn' }
  | { type: 'session.refresh' }
  | { type: 'session.signOut'; epoch?: number }
  /** The user signed out in another tab or process, or the stored session was removed. */
  | { type: 'session.endedElsewhere'; epoch?: number }
  /** The session expired in another tab or process. */
  | { type: 'session.expiredElsewhere'; reason: Reason }
  /** `limits` end the session. */
  | { type: 'session.limitReached'; reason: 'idle' | 'lifetime' }
  /** Tokens the chart did not ask for: `setTokens`, another tab, or an answer that came after its deadline. */
  | { type: 'tokens.received'; facts: TokenFacts; works: boolean; refreshed: boolean }
  | { type: 'tokens.discarded'; reason: Reason }
  | { type: 'revocation.failed'; reason: Reason; status?: number }
  /** Another tab or process changed the stored session. */
  | { type: 'store.changed' }
  | { type: 'store.failed'; reason: Reason }
  /** Look at the clock again: a request found the token due, or the machine was suspended. */
  | { type: 'clock.check' }
  | { type: 'request.unauthorized'; generation: number }
  | { type: 'request.held'; count: number; held: number }
  | { type: 'request.released'; count: number; held: number }
  | { type: 'request.replayed'; count: number; held: number }
  | { type: 'request.rejected'; count: number; held: number; reason: Reason }
  | { type: 'request.stepUp'; scope?: string; acrValues?: string; maxAge?: number }
  | { type: 'environment.online' }
  | { type: 'environment.offline' }
  | { type: 'environment.resumed' }

/** What every emitted event carries. */
export interface AuthFacts {
  /** When it happened, in milliseconds since the Unix epoch. */
  readonly at: number
  readonly epoch: number
  readonly generation: number
  readonly reason?: Reason
}

/** What the chart emits, and `auth.on` receives. Nothing in it is secret. */
export type AuthEmitted =
  /** The chart entered a state. `from` and `to` are paths such as `refreshing.attempt.backingOff`. */
  | ({ type: 'transition'; from: string; to: string } & AuthFacts)
  | ({ type: 'signedIn' } & AuthFacts)
  | ({ type: 'refreshed' } & AuthFacts)
  /** One attempt to refresh failed; `retryAt` is when the next one is due, unless the failure was fatal. */
  | ({
      type: 'refreshFailed'
      attempt: number
      fatal: boolean
      status?: number
      retryAt?: number
    } & AuthFacts)
  | ({ type: 'expired' } & AuthFacts)
  | ({ type: 'signedOut' } & AuthFacts)
  /** `count` requests of one burst; `held`: how many wait in all. */
  | ({ type: 'requestHeld'; count: number; held: number } & AuthFacts)
  | ({ type: 'requestReplayed'; count: number; held: number } & AuthFacts)
  | ({ type: 'requestRejected'; count: number; held: number } & AuthFacts)
  /** RFC 6750 §3.1 `insufficient_scope`, RFC 9470 `insufficient_user_authentication`; `maxAge` in seconds. */
  | ({ type: 'stepUpRequired'; scope?: string; acrValues?: string; maxAge?: number } & AuthFacts)
  | ({ type: 'storageFailed' } & AuthFacts)
  /** Tokens arrived for a session that had ended, and were discarded. */
  | ({ type: 'discarded' } & AuthFacts)
  /** The server did not revoke tokens of a session that has ended: they are valid until they expire (RFC 7009 §2.2.1). */
  | ({ type: 'revocationFailed'; status?: number } & AuthFacts)
