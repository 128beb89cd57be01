/** The realtime helper, as its users see it. */
import type { Clock, Environment } from '../../core/ports.ts'

/** What `open` is given for one connection. */
export interface ConnectionRequest {
  /** The access token. It belongs in a header, a subprotocol or the first message, never in a URL. */
  readonly accessToken: string
  /** Counts the token sets of the session. */
  readonly generation: number
  /** Aborts when the connection has to go: another token, another user, nobody, or `stop()`. */
  readonly signal: AbortSignal
}

/** A connection that tells its end by an event: a `WebSocket`, or an `EventSource`. */
export interface Connection {
  close(): void
  addEventListener(type: 'close' | 'error', listener: (event: Event) => void): void
  removeEventListener(type: 'close' | 'error', listener: (event: Event) => void): void
}

/**
 * Opens one connection. It gives the connection, or a promise: of one, or one that lasts as long as the connection does and
 * ends it when the signal aborts, such as the reading of a stream. What it throws is a try that failed.
 */
export type Open = (request: ConnectionRequest) => Connection | Promise<unknown>

/** Why a try failed, or a connection ended, and when the next one is made. */
export interface ConnectionRetry {
  /** The `close` or `error` event, or what `open` threw. `undefined` where its promise resolved. */
  readonly cause: unknown
  /** How many tries have failed in a row. */
  readonly attempt: number
  /** Milliseconds until the next one. */
  readonly delay: number
}

/** Options of `keepConnected`. */
export interface KeepConnectedOptions {
  /** What a new token does to a connection: `'reconnect'`, or `'keep'` where the server asks once only. Default: `'reconnect'`. */
  readonly renewal?: 'reconnect' | 'keep'
  /** Waits between tries, in milliseconds; each is twice as long as the one before. */
  readonly retry?: {
    /** Default: 1,000. */
    readonly minDelay?: number
    /** Default: 30,000. */
    readonly maxDelay?: number
    /** How much of a wait is left to chance, from 0 to 1. Default: 0.5. */
    readonly jitter?: number
    /** How long a connection has to last for the waits to begin anew. Default: 10,000. */
    readonly stableAfter?: number
  }
  /**
   * Whether the end of a connection says that its token is not taken: a new one is got then, once. Default: an answer with
   * the status 401, such as a `Response` that `open` rejects with, or the close code 3000 (Unauthorized, in IANA's registry).
   */
  readonly isChallenge?: (cause: unknown) => boolean
  /** Told before each wait, for logs. */
  readonly onRetry?: (retry: ConnectionRetry) => void
  /** Default: the system's. */
  readonly clock?: Clock
  /** Default: the page's, where there is one. */
  readonly environment?: Environment
}
