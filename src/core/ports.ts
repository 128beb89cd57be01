/** What the core asks of the world around it. Everything here is an interface; nothing runs. */
import type { UserNames } from '../../machines/policies.ts'
import type { Reason } from '../../machines/vocabulary.ts'

/** The part of an `AbortSignal` that the library uses; any `AbortSignal` fits. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** `AbortSignal` if the surrounding types have it, or else the part of it that the library needs. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer S extends AbortSignalLike } }
  ? S
  : AbortSignalLike

/**
 * A token endpoint's answer: RFC 6749 §5.1, with the draft's `refresh_token_expires_in`, in the field's snake case or
 * in camel case. Lifetimes are in seconds, as a number or a numeric string; one of less than a second counts as unknown.
 * `expiresAt` is an instant: a `Date`, an ISO string, or a number of seconds or milliseconds since the Unix epoch.
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
  /** The user the tokens belong to, for servers whose tokens do not say so (no `id_token`, no JWT). */
  readonly subject?: string | null | undefined
}

/** What an app may know of its session: everything but the tokens. */
export interface Session<Claims = Readonly<Record<string, unknown>>> {
  readonly subject?: string
  /** Claims of the ID token, or of an access token that is a JWT. Unverified: for display, not for decisions. */
  readonly claims?: Claims
  readonly scope?: string
  /** When the access token expires, in milliseconds since the Unix epoch; `undefined` if unknown. */
  readonly expiresAt: number | undefined
  readonly generation: number
  readonly epoch: number
}

/** What is stored between visits. It holds tokens: treat it as a secret. */
export interface SessionRecord {
  readonly version: 1
  /** Identifies the sign-in that this record descends from. */
  readonly id: string
  /** How often its tokens were refreshed. */
  readonly rotation: number
  /** When the user signed in, in milliseconds since the Unix epoch. */
  readonly startedAt: number
  /** When these tokens were received, in milliseconds since the Unix epoch. */
  readonly receivedAt: number
  /** `null` if `persist` is `'refresh-token'`: a session restored from the record begins with a refresh. */
  readonly accessToken: string | null
  readonly refreshToken?: string
  readonly idToken?: string
  readonly expiresAt?: number
  readonly refreshTokenExpiresAt?: number
  readonly scope?: string
  readonly subject?: string
  /** How the app and the tokens name the user. Without it, `subject` and the tokens in the record say so. */
  readonly user?: UserNames
}

/**
 * The store of a session. Each method may answer at once or with a promise. If one fails, the session goes on in memory
 * and `storageFailed` is emitted. Make one of your own with `defineStorage`.
 */
export interface SessionStorage {
  /** Returns the record as it was written, or nothing. Anything that is not a valid record counts as nothing. */
  read(): unknown
  write(record: SessionRecord): unknown
  clear(): unknown
  /** Calls back when another tab or process changed the record; returns a function that stops it. */
  subscribe?(onChange: () => void): () => void
  /**
   * Returns the instant that `writeLastUse` was given last, by any tab that shares the store. It is stored beside the record,
   * so that writing it cannot harm a token. Without these two methods each tab applies the idle limit by itself.
   */
  readLastUse?(): unknown
  /** Stores when the session was last used, in milliseconds since the Unix epoch. `clear` removes it. */
  writeLastUse?(at: number): unknown
}

/** A message between tabs or processes. It never holds a token. */
export interface CoordinatorMessage {
  readonly type: 'changed' | 'ended'
  readonly epoch: number
  readonly generation: number
  /**
   * Of `'ended'`: why the session expired, or `'signed_out'`. Of `'changed'`: `'signed_in'` if a user has just signed in.
   * Tabs with 0.1 leave it out: then the user signed out.
   */
  readonly reason?: Reason
  /** The session that began or ended, by the `id` of its record. Missing if unknown: then it is the current one. */
  readonly session?: string
  /** How often the tokens that ended were refreshed. Newer tokens do not end with them. */
  readonly rotation?: number
  /**
   * When the session that began or ended started, in milliseconds since the Unix epoch. Without `session`: only sessions
   * that started before have ended.
   */
  readonly startedAt?: number
}

/** Keeps tabs or processes that share a session from sending its refresh token at the same time. */
export interface Coordinator {
  /**
   * Runs `task` while no other tab or process runs one of that name. `timeout` bounds the wait for the lock, in milliseconds.
   *
   * @throws if the lock cannot be had in that time; then `task` was not run
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

/** The machine that the session runs on. */
export interface Environment {
  /** `false` only if the network is certainly missing. */
  online(): boolean
  subscribe(kind: EnvironmentSignal, listener: () => void): () => void
}

/**
 * Time. `setTimeout` must take any delay: above 2^31-1 ms it waits on, and `Infinity` never comes.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(handle: unknown): void
  /** Calls back in the next turn of the event loop. With it, timers of a busy process wait until it has caught up. */
  turn?(callback: () => void): void
}

/** What the library made of a failed refresh. An app's `isFatal` may add to it. */
export interface FailureVerdict {
  readonly fatal: boolean
  readonly reason: Reason
  readonly status: number | undefined
}
