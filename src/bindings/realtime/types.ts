/** The public types of `keepConnected`. */
import type { Clock, Environment } from '../../core/ports.ts'

/** The parameter of `open`, for one connection. */
export interface ConnectionRequest {
  /** The access token. It belongs in a header, a subprotocol or the first message, never in a URL. */
  readonly accessToken: string
  /** The number of the current token set of the session. */
  readonly generation: number
  /** Aborts when the connection has to close: after a new token, a change of user, the end of the session, or `stop()`. */
  readonly signal: AbortSignal
}

/** A connection that reports its end by an event, such as a `WebSocket` or an `EventSource`. */
export interface Connection {
  /** Ends the connection. Called when the signal of `open` aborts, and also after the connection has ended by itself. */
  close(): void
  /** Adds a listener. An `error` counts as the end only of connections without `onclose`, such as an `EventSource`. */
  addEventListener(type: 'close' | 'error', listener: (event: Event) => void): void
  /** Removes a listener that `addEventListener` has added. */
  removeEventListener(type: 'close' | 'error', listener: (event: Event) => void): void
}

/**
 * Opens one connection. It returns the connection, or a promise of one. It may also return a promise that settles when the
 * connection ends, such as the reading of a stream; that must end when the signal aborts. An error is a failed attempt.
 */
export type Open = (request: ConnectionRequest) => Connection | Promise<unknown>

/** Why an attempt failed or a connection ended, and when the next attempt follows. */
export interface ConnectionRetry {
  /** The `close` or `error` event, or what `open` threw. `undefined` if its promise resolved. */
  readonly cause: unknown
  /** How many attempts have failed in a row. */
  readonly attempt: number
  /** Milliseconds until the next attempt. */
  readonly delay: number
}

/** Options of `keepConnected`. */
export interface KeepConnectedOptions {
  /**
   * What happens to the connection when there is a new token. Use `'keep'` if the server checks the token only once.
   * Default: `'reconnect'`.
   */
  readonly renewal?: 'reconnect' | 'keep'
  /** Delays between attempts, in milliseconds. Each is twice as long as the one before. */
  readonly retry?: {
    /** The first delay, in milliseconds. Default: 1,000. */
    readonly minDelay?: number
    /** The longest delay, in milliseconds. Default: 30,000. */
    readonly maxDelay?: number
    /** The random part of each delay, from 0 to 1. Default: 0.5. */
    readonly jitter?: number
    /** How long a connection has to last to reset the delays, in milliseconds. Default: 10,000. */
    readonly stableAfter?: number
  }
  /**
   * Whether a connection ended because the server rejected its token. One refresh is then requested. Default: a response with
   * the status 401, such as a `Response` that `open` rejects with; an upgrade that was answered with 401, if the client says so
   * as the package `ws` does (browsers do not); or the close code 3000 (Unauthorized, in IANA's registry).
   */
  readonly isChallenge?: (cause: unknown) => boolean
  /** Called before each delay, for logs. */
  readonly onRetry?: (retry: ConnectionRetry) => void
  /** The source of time. Default: the system clock. */
  readonly clock?: Clock
  /** The source of network and visibility events. Default: the page, if there is one. */
  readonly environment?: Environment
}
