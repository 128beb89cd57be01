import type { Reason } from './vocabulary.ts'

/** What every emitted event carries. */
export interface AuthFacts {
  /** When it happened, in milliseconds since the Unix epoch. */
  readonly at: number
  /** The session it happened in. Each sign-in and each sign-out raises the number. */
  readonly epoch: number
  /** The token set at that time. Each new token set raises the number. */
  readonly generation: number
  /**
   * Why it happened. Always set on `refreshFailed`, `expired`, `signedOut`, `requestRejected`, `storageFailed`, `discarded` and
   * `revocationFailed`. A `transition` has it while no session has begun since one ended; others never have it.
   */
  readonly reason?: Reason
}

/** What the chart emits, and `auth.on` receives. Nothing in it is secret. */
export type AuthEmitted =
  | ({
      /** The chart came to rest in a state. `from` and `to` are paths such as `refreshing.attempt.backingOff`. */
      type: 'transition'
      /** Path of the state before. */
      from: string
      /** Path of the state now. */
      to: string
    } & AuthFacts)
  | ({
      /** A session began: by a sign-in, `setTokens`, a cookie, or another tab. Restoring a stored one emits no event. */
      type: 'signedIn'
    } & AuthFacts)
  | ({
      /** The session has new tokens: `generation` is theirs. */
      type: 'refreshed'
    } & AuthFacts)
  | ({
      /** One attempt to refresh failed. */
      type: 'refreshFailed'
      /** Which attempt of this refresh failed, counted from 1. */
      attempt: number
      /** Whether the refresh token was rejected for good, so that no attempt follows. */
      fatal: boolean
      /** HTTP status of the token endpoint's answer, if there was one. */
      status?: number
      /** When the next attempt is due, in milliseconds since the Unix epoch; missing if the failure was fatal. */
      retryAt?: number
    } & AuthFacts)
  | ({
      /** The session ended without a sign-out: `reason` says why. */
      type: 'expired'
    } & AuthFacts)
  | ({
      /** The user signed out, here or elsewhere, or the stored session was removed. `epoch` is the one after the session. */
      type: 'signedOut'
    } & AuthFacts)
  | ({
      /** Requests began to wait. One event reports a whole burst. */
      type: 'requestHeld'
      /** Number of requests in this burst. */
      count: number
      /** Number of requests that wait in all, after the burst. */
      held: number
    } & AuthFacts)
  | ({
      /** Requests were sent again with a new token after a 401. One event reports a whole burst. */
      type: 'requestReplayed'
      /** Number of requests in this burst. */
      count: number
      /** Number of requests that wait in all, after the burst. */
      held: number
    } & AuthFacts)
  | ({
      /** Waiting requests were rejected. One event reports a whole burst; `reason` is that of its last request. */
      type: 'requestRejected'
      /** Number of requests in this burst. */
      count: number
      /** Number of requests that wait in all, after the burst. */
      held: number
    } & AuthFacts)
  | ({
      /** A server asks for more than a fresh token (RFC 6750 §3.1 `insufficient_scope`, RFC 9470). */
      type: 'stepUpRequired'
      /** The scope that the server asks for, if it names one. */
      scope?: string
      /** Authentication context classes that the server accepts, separated by spaces (RFC 9470 §3). */
      acrValues?: string
      /** How long ago the user may have signed in, in seconds (RFC 9470 §3). */
      maxAge?: number
    } & AuthFacts)
  | ({
      /** The store or the lock of the coordinator failed. The session goes on in memory. */
      type: 'storageFailed'
    } & AuthFacts)
  | ({
      /** Tokens arrived too late and were discarded. `reason`: `'session_over'` or `'superseded'`. */
      type: 'discarded'
    } & AuthFacts)
  | ({
      /** The server did not revoke tokens of a session that has ended: they are valid until they expire (RFC 7009 §2.2.1). */
      type: 'revocationFailed'
      /** HTTP status of the answer to the last attempt, if there was one. */
      status?: number
    } & AuthFacts)
