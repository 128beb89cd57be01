/** What the core asks of the world around it. Everything here is an interface; nothing runs. */
import type { UserNames } from '../../machines/policies.ts'
import type { Reason } from '../../machines/vocabulary.ts'

/** The part of an `AbortSignal` that the library uses; any `AbortSignal` fits. */
export interface AbortSignalLike {
  /** Whether the signal was aborted. It never becomes `false` again. */
  readonly aborted: boolean
  /** What the promise of an aborted call rejects with; `undefined` before the abort. */
  readonly reason: unknown
  /** Adds a listener that is called once, at the abort. A signal that was aborted before does not call it. */
  addEventListener(type: 'abort', listener: () => void): void
  /** Removes a listener. An unknown listener is not an error. */
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
export interface TokenResponse<User = object> {
  /** The access token: visible ASCII, at most 65,536 characters. An answer needs this or `accessToken`. RFC 6749 §5.1. */
  readonly access_token?: string
  /** The same as `access_token`, which wins if both are set. */
  readonly accessToken?: string
  /**
   * The next refresh token. Without one, the previous one is kept, unless the tokens belong to another user. RFC 6749
   * §6.
   */
  readonly refresh_token?: string | null | undefined
  /** The same as `refresh_token`, which wins if both are set. */
  readonly refreshToken?: string | null | undefined
  /**
   * Lifetime of the access token from now on, in seconds. It wins over `expires_at` and over a JWT's `exp`. RFC 6749
   * §5.1.
   */
  readonly expires_in?: number | string | null | undefined
  /** The same as `expires_in`, which wins if both are set. */
  readonly expiresIn?: number | string | null | undefined
  /** When the access token expires: a `Date`, an ISO string, or seconds or milliseconds since the Unix epoch. */
  readonly expires_at?: number | string | Date | null | undefined
  /** The same as `expires_at`, which wins if both are set. */
  readonly expiresAt?: number | string | Date | null | undefined
  /** Lifetime of the refresh token from now on, in seconds. Default: unknown, until the server rejects it. */
  readonly refresh_token_expires_in?: number | string | null | undefined
  /** The same as `refresh_token_expires_in`, which wins if both are set. */
  readonly refreshTokenExpiresIn?: number | string | null | undefined
  /**
   * `Bearer`, or `DPoP` with the option `proof`, in upper or lower case. Any other type is refused. Default: `Bearer`.
   * RFC 6749 §7.1.
   */
  readonly token_type?: string | null | undefined
  /** The same as `token_type`, which wins if both are set. */
  readonly tokenType?: string | null | undefined
  /** The granted scope, separated by spaces. Without it, the previous one is kept. RFC 6749 §3.3. */
  readonly scope?: string | null | undefined
  /** The ID token, whose claims are read unverified. Without one, the previous one is kept. OpenID Connect Core §12.2. */
  readonly id_token?: string | null | undefined
  /** The same as `id_token`, which wins if both are set. */
  readonly idToken?: string | null | undefined
  /** The private key that the tokens are bound to, as JSON, for the record. Without it, the previous one is kept. */
  readonly proofKey?: object | undefined
  /** The user the tokens belong to, for servers whose tokens do not say so (no `id_token`, no JWT). */
  readonly subject?: string | null | undefined
  /**
   * What the app shows of its user: `auth.session.user`. A JSON object of at most 65,536 characters and 16 levels; others are
   * ignored. It is stored with the session, and kept by refreshes that leave it out. Values that are
   * one of the tokens are removed.
   */
  readonly user?: User | null | undefined
}

/** Facts of a user, if the app does not declare them: any JSON object. */
export type UserFacts = Readonly<Record<string, unknown>>

/** The facts that the type of a `signIn` function names; any JSON object if it names none. */
export type KnownUser<User> = [keyof User] extends [never] ? UserFacts : User

/** What a branch asks of the token endpoint. See `createBranch`. */
export interface BranchRequest {
  /** Parameters to add to the request, such as `resource` (RFC 8707 §2.2) and `scope` (RFC 6749 §6). A name may be repeated. */
  readonly parameters: [name: string, value: string][]
}

/** What an app may know of its session: everything but the tokens. */
export interface Session<Claims = Readonly<Record<string, unknown>>, User = UserFacts> {
  /**
   * The user: the `subject` of the token response, or `sub` of the ID token or of a JWT access token; `undefined` if
   * none says it.
   */
  readonly subject?: string
  /** What the server answered under `user`, at the sign-in or at a later refresh. For display, not for decisions. */
  readonly user?: User
  /** Claims of the ID token, or of an access token that is a JWT. Unverified: for display, not for decisions. */
  readonly claims?: Claims
  /** The scope that the server granted last, separated by spaces; `undefined` if it never said so (RFC 6749 §5.1). */
  readonly scope?: string
  /** When the access token expires, in milliseconds since the Unix epoch; `undefined` if unknown. */
  readonly expiresAt: number | undefined
  /** The number of the token set: each one has a higher number in this tab or process. */
  readonly generation: number
  /** The number of the session: each sign-in and each sign-out in this tab or process raises it. */
  readonly epoch: number
}

/** What is stored between visits. It holds tokens: treat it as a secret. */
export interface SessionRecord {
  /** The format of the record. A record with another number counts as none. */
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
  /** The refresh token. Missing in cookie mode, or if the server gave none. */
  readonly refreshToken?: string
  /** The ID token. Missing if the server gave none, or if `persist` is `'refresh-token'`. */
  readonly idToken?: string
  /** When the access token expires, in milliseconds since the Unix epoch. Missing if unknown or not stored. */
  readonly expiresAt?: number
  /** When the refresh token expires, in milliseconds since the Unix epoch. Missing if unknown. */
  readonly refreshTokenExpiresAt?: number
  /** The scope that the server granted last, separated by spaces. Missing if it never said so. */
  readonly scope?: string
  /** What `session.subject` shows. Missing if the user is unknown. */
  readonly subject?: string
  /** `'DPoP'` if the tokens are bound to a key (RFC 9449); otherwise they are bearer tokens. */
  readonly tokenType?: 'DPoP'
  /** The key that the tokens are bound to, as the port `proof` names it. */
  readonly keyId?: string
  /** The key that the tokens are bound to, if the session itself keeps it: a secret, such as a private JWK. */
  readonly proofKey?: object
  /** How the app and the tokens name the user. Without it, `subject` and the tokens in the record say so. */
  readonly user?: UserNames
  /** The facts of `session.user`. */
  readonly profile?: UserFacts
}

/**
 * The store of a session. Each method may answer at once or with a promise. If one fails, the session goes on in memory
 * and `storageFailed` is emitted. Make one of your own with `defineStorage`.
 */
export interface SessionStorage {
  /** Returns the record as it was written, or nothing. Anything that is not a valid record counts as nothing. */
  read(): unknown
  /** Stores the record in the place of the one before. Not called if the store has `replace`. */
  write(record: SessionRecord): unknown
  /**
   * Removes the record.
   *
   * @param ended the session that ended, if it is known. A store with `replace` keeps a session that `ended` does not cover,
   * and remembers `ended` for as long as a late answer may come
   */
  clear(ended?: EndedSession): unknown
  /**
   * Writes the record in one step with the look at what is stored, if nothing newer is there: the stored tokens were refreshed
   * less often, or belong to an earlier sign-in. A store that has it is used through it instead of `write`. The session is
   * then written again if the store lost it or fell back to an older state.
   *
   * @param expected the stored tokens that `record` replaces; `undefined` if a session begins
   * @returns `'written'`; `'newer'` if something newer is stored; `'gone'` if that session has ended. Or a promise for it
   */
  replace?(record: SessionRecord, expected: StoredRotation | undefined): Replaced | PromiseLike<Replaced>
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

/** Names a token set in a store: a sign-in, and how often its tokens were refreshed. */
export interface StoredRotation {
  /** The `id` of the record: that of its sign-in. */
  readonly id: string
  /** How often the tokens were refreshed since the sign-in. */
  readonly rotation: number
}

/**
 * A session that ended. It covers the session of that `id` up to that `rotation`, and each one that started earlier. A sign-out
 * has `Infinity` for both numbers, because it covers any session.
 */
export interface EndedSession extends StoredRotation {
  /** When it started, in milliseconds since the Unix epoch. */
  readonly startedAt: number
}

/** What came of `SessionStorage.replace`. */
export type Replaced =
  /** The record is stored. */
  | 'written'
  /** Something newer is stored, and stays. */
  | 'newer'
  /** The session of the record has ended. */
  | 'gone'

/** A message between tabs or processes. It never holds a token. */
export interface CoordinatorMessage {
  /** `'changed'`: the stored session is another one or has new tokens. `'ended'`: the session ended. */
  readonly type: 'changed' | 'ended'
  /** The epoch of the sender, which other tabs and processes number differently. */
  readonly epoch: number
  /** The generation of the sender, which other tabs and processes number differently. */
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
  /** Of `'ended'`: its tokens are not revoked, and neither are those of a refresh that still runs. */
  readonly spares?: true
}

/**
 * A turn to refresh that another process may take over, for example because this one was stopped. It keeps a refresh token
 * from being presented twice, which a lock alone cannot.
 */
export interface Turn {
  /** Grows with each turn of that name. */
  readonly fence: number
  /** The holder of an earlier turn presented the refresh token of this rotation, and its answer never reached the store. */
  readonly interrupted?: {
    /** How often the tokens had been refreshed to which that refresh token belongs. */
    readonly rotation: number
  }
  /**
   * Records that the refresh token of that session's rotation leaves now, and extends the turn.
   *
   * @returns `false` if another process has taken over, or the store has another session; then nothing may be sent
   */
  present(presented: StoredRotation): Promise<boolean>
  /** Whether the turn has certainly not been taken over, by a clock that cannot be set. */
  holds(): boolean
  /** What came of the presented token is known, and it is in no answer that could still come. */
  settle(): void
}

/** How to wait for a turn. */
export interface TurnWait {
  /** Ends the wait: `exclusive` then rejects with its reason, and the task is not run. */
  readonly signal: AbortSignalLike
  /** Bounds the wait for the lock, in milliseconds. */
  readonly timeout: number
  /** How long the answer to a presented refresh token may take to reach the store, in milliseconds. Default: 12,000. */
  readonly patience?: number
  /**
   * Whether the turn is still wanted: another process may have refreshed the tokens meanwhile. If it is not, the wait may end with
   * an error.
   */
  readonly isWanted?: () => boolean
}

/** Keeps tabs or processes that share a session from sending its refresh token at the same time. */
export interface Coordinator {
  /**
   * What follows if the lock cannot be had. `'preferred'`: the refresh goes on without it, because the server forgives two
   * refreshes at once, or the risk is small. `'required'`: it is attempted again later. Default: `'preferred'`.
   */
  readonly lock?: 'preferred' | 'required'
  /**
   * Runs `task` while no other tab or process runs one of that name. Passes it a turn if others may take over meanwhile.
   *
   * @throws if the lock cannot be had in time; then `task` was not run
   */
  exclusive<T>(name: string, task: (turn?: Turn) => Promise<T>, wait: TurnWait): Promise<T>
  /** Sends a message to the other tabs or processes, and not to this one. Need not wait for them. An error is reported. */
  announce(message: CoordinatorMessage): void
  /**
   * Calls back for each message of another tab or process, in any order.
   *
   * @returns removes the listener
   */
  subscribe(listener: (message: CoordinatorMessage) => void): () => void
}

/** What happened to the machine or the page: its network came or went, it became visible, or it woke from sleep. */
export type EnvironmentSignal =
  /** The network is back. */
  | 'online'
  /** The network is missing. */
  | 'offline'
  /** The page or the app can be seen again. */
  | 'visible'
  /** The machine or the page was suspended and goes on: timers are late. */
  | 'wake'

/** The machine that the session runs on. */
export interface Environment {
  /** `false` only if the network is certainly missing. */
  online(): boolean
  /**
   * Calls back each time that happens.
   *
   * @returns removes the listener
   */
  subscribe(kind: EnvironmentSignal, listener: () => void): () => void
}

/**
 * Time. `setTimeout` must take any delay: above 2^31-1 ms it waits on, and `Infinity` never comes.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /**
   * Calls back once, after `delay` milliseconds.
   *
   * @returns what `clearTimeout` takes
   */
  setTimeout(callback: () => void, delay: number): unknown
  /** Cancels a timer. Does nothing if it has run already. */
  clearTimeout(handle: unknown): void
  /** Calls back in the next turn of the event loop. With it, timers of a busy process wait until it has caught up. */
  turn?(callback: () => void): void
}

/** What the library made of a failed refresh. An app's `isFatal` may add to it. */
export interface FailureVerdict {
  /** Whether no further attempt can change the failure, so that the session ends as soon as no access token works. */
  readonly fatal: boolean
  /** The OAuth error code of the answer (RFC 6749 §5.2), or a word of the library such as `'network'`. */
  readonly reason: Reason
  /** HTTP status of the token endpoint's answer; `undefined` if no answer came or it has no status. */
  readonly status: number | undefined
}
