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
  /** The refresh token is invalid, expired, revoked, or another client's (RFC 6749 §5.2). */
  | 'invalid_grant'
  /** The client did not authenticate, or is unknown (RFC 6749 §5.2). */
  | 'invalid_client'
  /** The client may not refresh (RFC 6749 §5.2). */
  | 'unauthorized_client'
  /** The token endpoint refused with a bare 401, or `isFatal` said so. */
  | 'refresh_rejected'
  /** A refresh token was sent, no answer came, and `ambiguousRefresh` is `'expire'`. */
  | 'ambiguous'
  /** The access token expired or was refused, and there was nothing left to refresh it with. */
  | 'token_expired'
  /** The key that the tokens are bound to is missing (RFC 9449). The refresh token was not presented. */
  | 'key_lost'
  /** The session went unused for as long as `sessionLimits({ idle })` allows. */
  | 'idle'
  /** The session lasted as long as `sessionLimits({ absolute })` allows. */
  | 'lifetime'
  /** The token endpoint could not be reached, or its answer was lost. */
  | 'network'
  /** The environment reports that the network is missing. */
  | 'offline'
  /** No answer came within the timeout. */
  | 'timeout'
  /** The token endpoint answered without tokens and without a fatal error: a status of 500 or above, for example. */
  | 'server_error'
  /** The token endpoint answered 429. */
  | 'rate_limited'
  /** The token response cannot be used (RFC 6749 §5.1). */
  | 'invalid_response'
  /** The coordinator requires its lock, and it was not to be had. */
  | 'lock_unavailable'
  /** Another process took over the turn to refresh. */
  | 'lock_lost'
  /** The user signed out in this tab or process. */
  | 'signed_out'
  /** The user signed out in another tab or process, or the stored session was removed. */
  | 'signed_out_elsewhere'
  | (string & {})

/** What is known of one failed attempt to refresh. */
export interface RefreshFailure {
  /** The refresh token was rejected for good: another attempt can never succeed. */
  readonly fatal: boolean
  /** The refresh token was sent and no answer came: it may be spent. */
  readonly ambiguous: boolean
  /** Why the attempt failed: the OAuth error code of the answer, or a word of the library such as `'network'`. */
  readonly reason: Reason
  /** HTTP status of the token endpoint's answer, if there was one. */
  readonly status?: number
  /** Instant of the next attempt: backed off, and never before `notBefore`. */
  readonly retryAt: number
  /** Instant before which the server asked for no further attempt (`Retry-After`); 0 if it did not ask. */
  readonly notBefore: number
}

/** What is known of the session, whichever state the chart is in: a failed sign-in returns to it. */
export type SessionStatus =
  /** The store was not read yet. */
  | 'unknown'
  /** No user is signed in, and no session has ended here. */
  | 'none'
  /** There is a session. */
  | 'active'
  /** The session ended without a sign-out. */
  | 'expired'
  /** The user has signed out. */
  | 'signedOut'

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
  /** What starts an early refresh. */
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
  /** Options that the chart keeps for its whole life. */
  readonly policy: AuthPolicy
  /** Made by `connectPorts`. */
  readonly session: SessionKey
  /** Facts of the tokens the session starts with, if it starts with any. */
  readonly initial?: TokenFacts
}

/** What the chart remembers. It is JSON without secrets, and only transitions of the chart change it. */
export interface ChartContext extends TokenFacts {
  /** Options that never change after the start. */
  readonly policy: AuthPolicy
  /** The key under which the chart finds the ports of its session. */
  readonly session: SessionKey
  /** What a failed sign-in returns to. It changes only when a session begins or ends, or the store was read. */
  readonly status: SessionStatus
  /** The last generation that a server answered with 401; -1 before the first one. */
  readonly rejectedGeneration: number
  /** Failed attempts of the current refresh. */
  readonly attempt: number
  /** When the backoff of the next attempt ends, in milliseconds since the Unix epoch; 0 without a failed attempt. */
  readonly retryAt: number
  /** Before that instant the server asked for no attempt, in milliseconds since the Unix epoch; 0 if it did not ask. */
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

/** What the chart receives. The first word of a name says what it is about. Apps may send only a few of them. */
export type AuthEvent =
  | {
      /** The app signs a user in. The credentials are in the session, and never in an event. */
      type: 'session.signIn'
    }
  | {
      /** The app or a waiting request asks for a refresh now, also before one is due. */
      type: 'session.refresh'
    }
  | {
      /** The user signs out in this tab or process. */
      type: 'session.signOut'
      /** The epoch that the user signed out of: a later session goes on. Missing: whichever session there is. */
      epoch?: number
    }
  | {
      /** The user signed out in another tab or process, or the stored session was removed. */
      type: 'session.endedElsewhere'
      /** The epoch that ended: a later session goes on. Missing: whichever session there is. */
      epoch?: number
    }
  | {
      /** The session expired in another tab or process. */
      type: 'session.expiredElsewhere'
      /** Why it expired there, as the message of the other tab says. */
      reason: Reason
    }
  | {
      /** `limits` end the session. */
      type: 'session.limitReached'
      /** `'idle'`: the session went unused for too long. `'lifetime'`: it lasted too long, used or not. */
      reason: 'idle' | 'lifetime'
    }
  | {
      /** Tokens the chart did not ask for: `setTokens`, another tab, or an answer that came after its deadline. */
      type: 'tokens.received'
      /** Facts of the tokens, which the session already holds. */
      facts: TokenFacts
      /** Whether they go on with a session, as those of a refresh. `false`: they are of another sign-in. */
      refreshed: boolean
    }
  | {
      /** Tokens arrived too late and were discarded. */
      type: 'tokens.discarded'
      /** `'session_over'`: their session had ended. `'superseded'`: the session went on with other tokens. */
      reason: Reason
    }
  | {
      /** The server did not revoke tokens of a session that has ended, at the second attempt either. */
      type: 'revocation.failed'
      /** Why the last attempt failed. */
      reason: Reason
      /** HTTP status of the answer to the last attempt, if there was one. */
      status?: number
    }
  | {
      /** Another tab or process changed the stored session. */
      type: 'store.changed'
    }
  | {
      /** The store or the lock of the coordinator failed. */
      type: 'store.failed'
      /** The `reason` of a `StorageError`, the name of another error, or `'failed'`. */
      reason: Reason
    }
  | {
      /** Look at the clock again: a request found the token due, or the machine was suspended. */
      type: 'clock.check'
    }
  | {
      /** A server answered 401 to a token. */
      type: 'request.unauthorized'
      /** The generation of that token. The chart ignores any but the current one. */
      generation: number
    }
  | {
      /** Requests began to wait. */
      type: 'request.held'
      /** Number of requests in this burst. */
      count: number
      /** Number of requests that wait in all, after the burst. */
      held: number
    }
  | {
      /** Requests no longer wait: they are sent for the first time. */
      type: 'request.released'
      /** Number of requests in this burst. */
      count: number
      /** Number of requests that wait in all, after the burst. */
      held: number
    }
  | {
      /** Requests were sent again with a new token after a 401. */
      type: 'request.replayed'
      /** Number of requests in this burst. */
      count: number
      /** Number of requests that wait in all, after the burst. */
      held: number
    }
  | {
      /** Waiting requests were rejected. */
      type: 'request.rejected'
      /** Number of requests in this burst. */
      count: number
      /** Number of requests that wait in all, after the burst. */
      held: number
      /** Why the last request of the burst was rejected; `'aborted'` if its caller aborted it. */
      reason: Reason
    }
  | {
      /** A server asks for more than a fresh token (RFC 6750 §3.1 `insufficient_scope`, RFC 9470). */
      type: 'request.stepUp'
      /** The scope that the server asks for, if it names one. */
      scope?: string
      /** Authentication context classes that the server accepts, separated by spaces (RFC 9470 §3). */
      acrValues?: string
      /** How long ago the user may have signed in, in seconds (RFC 9470 §3). */
      maxAge?: number
    }
  | {
      /** The network is back. */
      type: 'environment.online'
    }
  | {
      /** The network is missing. */
      type: 'environment.offline'
    }
  | {
      /** The page is visible again, or the machine woke from sleep: timers may be late. */
      type: 'environment.resumed'
    }
