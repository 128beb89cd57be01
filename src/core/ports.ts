/** What the core asks of the world. Everything here is an interface; nothing runs. */
import type { Reason } from '../../machines/index.ts'

/** The part of an `AbortSignal` the library listens to; any `AbortSignal` fits. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** `AbortSignal` as the surrounding types know it, or the part of it the library needs where they do not. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S extends AbortSignalLike } }
  ? S
  : AbortSignalLike

/**
 * A token endpoint's answer: RFC 6749 §5.1, with the draft's `refresh_token_expires_in`, in the field's snake case or
 * in camel case. Lifetimes are in seconds, as a number or a numeric string; `expiresAt` is an instant: a `Date`, an ISO
 * string, or a number of seconds or milliseconds since the Unix epoch.
 */
export interface TokenResponse {
  readonly access_token?: string
  readonly accessToken?: string
  readonly refresh_token?: string | null | undefined
  readonly refreshToken?: string | null | undefined
  readonly expires_in?: number | string | null | undefined
  readonly expiresIn?: number | string | null | undefined
  readonly expires_at?: number | string | Date | null | undefined
  readonly expiresAt?: number | string | Date | null | undefined
  readonly refresh_token_expires_in?: number | string | null | undefined
  readonly refreshTokenExpiresIn?: number | string | null | undefined
  readonly token_type?: string | null | undefined
  readonly tokenType?: string | null | undefined
  readonly scope?: string | null | undefined
  readonly id_token?: string | null | undefined
  readonly idToken?: string | null | undefined
  /** Who the tokens belong to, for servers whose tokens do not say (no `id_token`, no JWT). */
  readonly subject?: string | null | undefined
}

/** What is kept between visits. It holds tokens: treat it as the secret it is. */
export interface SessionRecord {
  readonly version: 1
  /** Names the sign-in this record descends from. */
  readonly id: string
  /** How often its tokens were renewed. */
  readonly rotation: number
  /** When the user signed in, in milliseconds since the Unix epoch. */
  readonly startedAt: number
  /** When these tokens were received, in milliseconds since the Unix epoch. */
  readonly receivedAt: number
  /** `null` where `persist` is `'refresh-token'`: whoever reads the record gets one by an exchange. */
  readonly accessToken: string | null
  readonly refreshToken?: string
  readonly idToken?: string
  readonly expiresAt?: number
  readonly refreshTokenExpiresAt?: number
  readonly scope?: string
  readonly subject?: string
}

/**
 * Where a session is kept. Sync or async; what it throws degrades the session to memory and is told as
 * `storageFailed`.
 */
export interface SessionStorage {
  /** Gives the record as it was written, or nothing. Anything that is not a valid record counts as nothing. */
  read(): unknown
  write(record: SessionRecord): unknown
  clear(): unknown
  /** Calls back when somebody else changed the record; returns the way to stop. */
  subscribe?(onChange: () => void): () => void
  /**
   * Gives the instant that `writeLastUse` was given last, by whoever shares the store. It is kept beside the record, so that
   * writing it can harm no token. A store without these two leaves `limits.idle` to each tab, and to the time since it began.
   */
  readLastUse?(): unknown
  /** Keeps when the session was last used, in milliseconds since the Unix epoch. `clear` forgets it. */
  writeLastUse?(at: number): unknown
}

/** What tabs and processes tell each other: never a token. */
export interface CoordinatorMessage {
  readonly type: 'changed' | 'ended'
  readonly epoch: number
  readonly generation: number
  readonly reason?: Reason
  /** The session that ended, by the `id` of its record; absent where it is not known, and then it is whichever there is. */
  readonly session?: string
}

/** Keeps tabs or processes that share a session from exchanging its refresh token at the same time. */
export interface Coordinator {
  /**
   * Runs `task` while nobody else runs one of that name. `timeout` bounds the wait for the lock, in milliseconds; where
   * it passes, or the lock cannot be had, the promise rejects and `task` was not run.
   */
  exclusive<T>(
    name: string,
    task: () => Promise<T>,
    options: { signal: AbortSignalLike; timeout: number },
  ): Promise<T>
  announce(message: CoordinatorMessage): void
  subscribe(listener: (message: CoordinatorMessage) => void): () => void
}

export type EnvironmentSignal = 'online' | 'offline' | 'visible' | 'wake'

/** The machine the session runs on. */
export interface Environment {
  /** `false` only where it is sure that there is no network. */
  online(): boolean
  subscribe(kind: EnvironmentSignal, listener: () => void): () => void
}

/**
 * Time. `setTimeout` must take any delay: above 2^31-1 ms it waits on, and `Infinity` is never.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(handle: unknown): void
}
