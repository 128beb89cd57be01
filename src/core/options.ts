import type { RefreshTrigger } from '../../machines/vocabulary.ts'
import type {
  CookieFeature,
  CoordinatorFeature,
  LimitsFeature,
  ProofFeature,
  StorageFeature,
} from './features/feature.ts'
import type { BranchRequest, Clock, Environment, FailureVerdict, Signal, TokenResponse } from './ports.ts'

/** What a token endpoint answered: its fields, or the whole `Response`, whose JSON is then read. */
export type TokenAnswer<User = object> =
  | TokenResponse<User>
  | (typeof globalThis extends { Response: { prototype: infer R extends object } } ? R : never)

/** What a `refresh` function receives. */
export interface RefreshRequest {
  /** The refresh token; `undefined` in cookie mode, where the browser sends it. */
  readonly refreshToken: string | undefined
  /**
   * Aborts at `timeouts.refresh`; at `dispose()` only if no store and no cookie can keep the answer. No caller's abort
   * reaches it.
   */
  readonly signal: Signal
  /** The scope granted last (RFC 6749 §6). */
  readonly scope: string | undefined
  /** The ID token received last. The next one must name the same user (OpenID Connect Core §12.2). */
  readonly idToken: string | undefined
  /** The key that the tokens are bound to, if the session keeps it: the `proofKey` of an earlier answer. */
  readonly proofKey?: object | undefined
  /** Set if a branch asks: the token must be for another API. */
  readonly branch?: BranchRequest
}

/** What a `signIn` function receives beside the credentials. */
export interface SignInOptions {
  /** Aborts at `timeouts.signIn`, and at `dispose()`. */
  readonly signal: Signal
  /**
   * Aborts when the user signs out, or when another sign-in replaces this one. Then ask the user nothing more. If the server has
   * issued tokens, return them all the same: they are revoked.
   */
  readonly cancelled: Signal
}

/** What a `revoke` function receives: the tokens of the session that ended. */
export interface RevocableTokens {
  /** Empty if the session ended before it had one (`persist`), or if it is in a cookie that was not tried yet. */
  readonly accessToken: string
  /**
   * The refresh token; `undefined` in cookie mode, or if the server gave none. Revoking it revokes its family (RFC 7009
   * §2.1).
   */
  readonly refreshToken: string | undefined
}

/** What the store may hold. */
export type PersistMode =
  /** The whole session. */
  | 'all'
  /** The session without its access and ID tokens, so that each start begins with a refresh. */
  | 'refresh-token'
  /** Nothing: what is stored is removed. */
  | 'none'

/** Options of `createAuth`. All times are milliseconds. */
export interface AuthOptions<Credentials = unknown, User = object> {
  /**
   * Sends the refresh token to the token endpoint and returns its answer. A refusal may be returned, too, or thrown: a
   * `Response`, an HTTP client's error, an OAuth error body. Use a client without this library's transport in it.
   */
  readonly refresh: (request: RefreshRequest) => TokenAnswer | PromiseLike<TokenAnswer>
  /** The type of `user` in its answer is that of `auth.session.user`. */
  readonly signIn?: (
    credentials: Credentials,
    options: SignInOptions,
  ) => TokenAnswer<User> | PromiseLike<TokenAnswer<User>>
  /** Releases what credentials hold, such as a window, when `auth.signIn` rejects. Maybe `signIn` was never called. */
  readonly signInFailed?: (credentials: unknown) => void
  /** Revokes tokens at sign-out (RFC 7009), and tokens that arrived for a session that had ended. */
  readonly revoke?: (tokens: RevocableTokens, options: { readonly signal: Signal }) => unknown

  /** The store of the session: `webStorage()`, `encryptedStorage()`, …, or one of your own in `defineStorage()`. */
  readonly storage?: StorageFeature
  /**
   * What the store may hold: `'all'`; `'refresh-token'`, and then access and ID tokens stay in memory, so that each start and
   * each tab begins with a refresh of its own; or `'none'`, which also removes what is there. In cookie mode, which has no
   * refresh token to store, `'refresh-token'` leaves a record that says that there is a session, and holds no token at all.
   * Default: `'all'`.
   */
  readonly persist?: PersistMode
  /** Lets tabs or processes take turns: `tabCoordinator()`, …, or one of your own in `defineCoordinator()`. */
  readonly coordinator?: CoordinatorFeature
  /** Binds the tokens to a key and proves with each request that the session has it (RFC 9449): `dpopProofs()`. */
  readonly proof?: ProofFeature
  /** The signals of the machine: network, visibility, sleep. Default: those of the page or worker; elsewhere none. */
  readonly environment?: Environment
  /** Time and timers, for tests. Default: those of the system. */
  readonly clock?: Clock

  /** Tokens that the app has when it starts. They win over the store. */
  readonly initialTokens?: TokenResponse<User>
  /**
   * How long before its expiry a token is refreshed. At most half its lifetime. Default: a fifth of the lifetime, at most
   * 60,000.
   */
  readonly refreshAhead?: number
  /** What starts a refresh. Default: `'timer'`. */
  readonly refreshOn?: RefreshTrigger
  /** Cookie mode: `fromCookie()` tries one refresh at the start, for a session that lives in an HttpOnly cookie. */
  readonly silentSignIn?: CookieFeature
  /** How a failed refresh is attempted again, before it cools down. */
  readonly retry?: {
    /** Attempts of one refresh. Default: 5. */
    readonly attempts?: number
    /** The first backoff. Default: 250. */
    readonly minDelay?: number
    /** The longest backoff, and the cool-down after the last attempt. Default: 30,000. */
    readonly maxDelay?: number
    /** Share of a backoff that is random: 1 is full jitter, 0 none. Default: 1. */
    readonly jitter?: number
  }
  /**
   * Names more failures that end the session, beside those that the library knows to be fatal. To save a session from one of
   * those, throw something else from `refresh`.
   */
  readonly isFatal?: (error: unknown, verdict: FailureVerdict) => boolean | undefined
  /** How long each kind of work may take, in milliseconds. `Infinity`: as long as it takes. */
  readonly timeouts?: {
    /** One attempt of a refresh. Default: 10,000. */
    readonly refresh?: number
    /** One sign-in, and one call of the handler of `onStepUp`. Default: 30,000. */
    readonly signIn?: number
    /** One revocation, and so the wait for it in `signOut()`. Default: 5,000. */
    readonly revoke?: number
    /** How long a request waits for a token. Default: 30,000. */
    readonly hold?: number
    /**
     * How long a refresh waits for the coordinator's lock, before it goes on without it. Default: as long as another tab's
     * refresh may take: two times `refresh`, because a late answer is awaited, and `storage`.
     */
    readonly lock?: number
    /** One operation of the store. Default: 2,000. */
    readonly storage?: number
  }
  /** How many requests may wait at once. Default: 100,000. */
  readonly queueLimit?: number
  /** What happens to requests after the session expired. Default: `'reject'`. */
  readonly whenExpired?: 'reject' | 'hold'
  /**
   * The app has a single user, always the same: for example a device or a service. Then what waited in an expired session
   * goes on with the next one, even if no token names its user. Otherwise two sessions whose users are unknown belong to two
   * users, and what waited is rejected with the reason `user_changed`. Default: `false`.
   */
  readonly singleUser?: boolean
  /**
   * What to do when a refresh token was sent and no answer came: it may be spent. `'retry'` relies on the server's grace
   * period; `'expire'` never sends it again. Default: `'retry'`.
   */
  readonly ambiguousRefresh?: 'retry' | 'expire'
  /** How long a session may last: `sessionLimits({ idle, absolute })`. Default: no limit. */
  readonly limits?: LimitsFeature
  /** How requests that waited are sent after a refresh. */
  readonly release?: {
    /** How many held requests are sent at once after a refresh. Default: all. */
    readonly concurrency?: number
  }
  /** How many emitted events `auth.history` holds. Default: 100. */
  readonly historyLimit?: number
}

type Numbers<T> = { readonly [K in keyof Required<T>]: number }

/** Options with every default filled in. */
export interface Settings {
  /**
   * How long before its expiry a token is refreshed, in milliseconds; `undefined`: a fifth of the lifetime, at most
   * 60,000.
   */
  readonly refreshAhead: number | undefined
  /** What starts a refresh. */
  readonly refreshOn: RefreshTrigger
  readonly persist: PersistMode
  /** Attempts and backoffs of a refresh; delays in milliseconds. */
  readonly retry: Numbers<NonNullable<AuthOptions['retry']>>
  /** How long each kind of work may take, in milliseconds. */
  readonly timeouts: Numbers<NonNullable<AuthOptions['timeouts']>>
  readonly queueLimit: number
  readonly concurrency: number
  readonly historyLimit: number
  /** What happens to requests after the session expired. */
  readonly whenExpired: 'reject' | 'hold'
  /** What happens to a refresh token whose answer was lost. */
  readonly ambiguousRefresh: 'retry' | 'expire'
  readonly singleUser: boolean
}
