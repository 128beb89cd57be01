import type { FailureVerdict } from './failure.ts'
import type { Clock, Coordinator, Environment, SessionStorage, Signal, TokenResponse } from './ports.ts'

/** What a `refresh` function is given. */
export interface RefreshRequest {
  /** The refresh token; `undefined` in cookie mode, where the browser sends it. */
  readonly refreshToken: string | undefined
  /** Aborts at `timeouts.refresh` and at `dispose()`. No caller's abort reaches it. */
  readonly signal: Signal
  /** The scope granted last (RFC 6749 §6). */
  readonly scope: string | undefined
}

/** What a `revoke` function is given: what the session leaves behind. */
export interface RevocableTokens {
  /** Empty where the session ended before it got one (`persist`), or is in a cookie that was not tried yet. */
  readonly accessToken: string
  readonly refreshToken: string | undefined
}

/** What the store may hold. */
export type PersistMode = 'all' | 'refresh-token' | 'none'

/** Where renewals come from. */
export type RenewMode =
  /** The clock, early, whether or not anybody sends a request. */
  | 'timer'
  /** The clock, early, as long as requests were sent since the last renewal. */
  | 'activity'
  /** The first request that finds the token due. */
  | 'demand'

/** Options of `createAuth`. All times are milliseconds. */
export interface AuthOptions<Credentials = unknown> {
  /**
   * Exchanges the refresh token. It may throw anything: a `Response`, an HTTP client's error, an OAuth error body. Use a
   * client without this library's transport in it.
   */
  readonly refresh: (request: RefreshRequest) => TokenResponse | PromiseLike<TokenResponse>
  readonly signIn?: (
    credentials: Credentials,
    options: { readonly signal: Signal },
  ) => TokenResponse | PromiseLike<TokenResponse>
  /** Revokes tokens at sign-out (RFC 7009), and tokens that came for a session that was over by then. */
  readonly revoke?: (tokens: RevocableTokens, options: { readonly signal: Signal }) => unknown

  readonly storage?: SessionStorage
  /**
   * What the store may hold: `'all'`; `'refresh-token'`, and then access and ID tokens stay in memory, so that each start and
   * each tab makes an exchange of its own; or `'none'`, which also removes what is there. In cookie mode, where there is no
   * refresh token to keep, `'refresh-token'` leaves a record that says there is a session, and holds no token at all.
   * Default: `'all'`.
   */
  readonly persist?: PersistMode
  readonly coordinator?: Coordinator
  readonly environment?: Environment
  readonly clock?: Clock

  /** Tokens at hand when the app starts. They win over the store. */
  readonly initialTokens?: TokenResponse
  /**
   * How long before its expiry a token is renewed. At most half its lifetime. Default: a fifth of the lifetime, at most
   * 60,000.
   */
  readonly refreshAhead?: number
  /** Default: `'timer'`. */
  readonly renew?: RenewMode
  /** Cookie mode: try one refresh at the start, for a session that lives in an HttpOnly cookie. Default: `false`. */
  readonly silentSignIn?: boolean
  readonly retry?: {
    /** Tries of one refresh. Default: 5. */
    readonly attempts?: number
    /** The first backoff. Default: 250. */
    readonly minDelay?: number
    /** The longest backoff, and the cool-down after the last try. Default: 30,000. */
    readonly maxDelay?: number
    /** How much of a backoff is left to chance: 1 (or `true`) is full jitter, 0 (or `false`) none. Default: 1. */
    readonly jitter?: number | boolean
  }
  /**
   * Names more failures that end the session, beside those the library knows to be fatal. To save a session from one of
   * those, throw something else from `refresh`.
   */
  readonly isFatal?: (error: unknown, verdict: FailureVerdict) => boolean | undefined
  readonly timeouts?: {
    /** One try of the exchange. Default: 10,000. */
    readonly refresh?: number
    /** Default: 30,000. */
    readonly signIn?: number
    /** Default: 5,000. */
    readonly revoke?: number
    /** How long a request waits for a token. Default: 30,000. */
    readonly hold?: number
    /**
     * How long an exchange waits for the coordinator's lock, before it goes without. Default: as long as a sibling's exchange
     * may take, `refresh` and `storage` together.
     */
    readonly lock?: number
    /** One operation of the store. Default: 2,000. */
    readonly storage?: number
  }
  /** How many requests may wait at once. Default: 100,000. */
  readonly queueLimit?: number
  /** What becomes of requests after the session expired. Default: `'reject'`. */
  readonly whenExpired?: 'reject' | 'hold'
  /**
   * What to do when a refresh token was sent and no answer came: it may be spent. `'retry'` trusts the server's grace
   * window; `'expire'` never presents it again. Default: `'retry'`.
   */
  readonly ambiguousRefresh?: 'retry' | 'expire'
  readonly limits?: {
    /**
     * How long a session lives without a request, in this tab or in any other that shares the store. Default: no limit.
     */
    readonly idle?: number
    /** How long a session lives at all. Default: no limit. */
    readonly absolute?: number
  }
  readonly release?: {
    /** How many held requests go at once after a refresh. Default: all. */
    readonly concurrency?: number
  }
  /** How many emitted events `auth.history` keeps. Default: 100. */
  readonly historyLimit?: number
}

type Numbers<T> = { readonly [K in keyof Required<T>]: number }

/** Options with every default filled in. */
export interface Settings {
  readonly refreshAhead: number | undefined
  readonly renew: RenewMode
  readonly silentSignIn: boolean
  readonly persist: PersistMode
  readonly retry: Numbers<NonNullable<AuthOptions['retry']>>
  readonly timeouts: Numbers<NonNullable<AuthOptions['timeouts']>>
  readonly limits: Numbers<NonNullable<AuthOptions['limits']>>
  readonly queueLimit: number
  readonly concurrency: number
  readonly historyLimit: number
  readonly whenExpired: 'reject' | 'hold'
  readonly ambiguousRefresh: 'retry' | 'expire'
}

const never = Number.POSITIVE_INFINITY

/**
 * Checks the options at the door.
 *
 * @throws TypeError that names the option, what it must be and what it was
 */
export function settle(options: AuthOptions<never>): Settings {
  if (typeof options?.refresh !== 'function') throw wrong('refresh', 'a function', options?.refresh)
  for (const name of ['signIn', 'revoke', 'isFatal'] as const) {
    const value = options[name]
    if (value !== undefined && typeof value !== 'function') throw wrong(name, 'a function', value)
  }
  const { retry, timeouts, limits } = options
  const jitter = retry?.jitter ?? 1
  const refresh = number('timeouts.refresh', timeouts?.refresh ?? 10_000, 0)
  const storage = number('timeouts.storage', timeouts?.storage ?? 2_000, 0)
  return {
    refreshAhead:
      options.refreshAhead === undefined ? undefined : number('refreshAhead', options.refreshAhead, 0),
    renew: oneOf('renew', options.renew, ['timer', 'activity', 'demand']),
    silentSignIn: options.silentSignIn === true,
    persist: oneOf('persist', options.persist, ['all', 'refresh-token', 'none']),
    retry: {
      attempts: number('retry.attempts', retry?.attempts ?? 5, 1),
      minDelay: number('retry.minDelay', retry?.minDelay ?? 250, 0),
      maxDelay: number('retry.maxDelay', retry?.maxDelay ?? 30_000, 0),
      jitter: number('retry.jitter', typeof jitter === 'boolean' ? Number(jitter) : jitter, 0, 1),
    },
    timeouts: {
      refresh,
      storage,
      signIn: number('timeouts.signIn', timeouts?.signIn ?? 30_000, 0),
      revoke: number('timeouts.revoke', timeouts?.revoke ?? 5_000, 0),
      hold: number('timeouts.hold', timeouts?.hold ?? 30_000, 0),
      lock: number('timeouts.lock', timeouts?.lock ?? refresh + storage, 0),
    },
    limits: {
      idle: number('limits.idle', limits?.idle ?? never, 1),
      absolute: number('limits.absolute', limits?.absolute ?? never, 1),
    },
    queueLimit: number('queueLimit', options.queueLimit ?? 100_000, 0),
    concurrency: number('release.concurrency', options.release?.concurrency ?? never, 1),
    historyLimit: number('historyLimit', options.historyLimit ?? 100, 0),
    whenExpired: oneOf('whenExpired', options.whenExpired, ['reject', 'hold']),
    ambiguousRefresh: oneOf('ambiguousRefresh', options.ambiguousRefresh, ['retry', 'expire']),
  }
}

const wrong = (name: string, must: string, value: unknown) =>
  new TypeError(
    `createAuth: ${name} must be ${must}, not ${typeof value === 'object' ? 'an object' : String(value)}.`,
  )

function number(name: string, value: unknown, least: number, most = never): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw wrong(name, `a number of at least ${least}${most < never ? ` and at most ${most}` : ''}`, value)
  }
  return value
}

function oneOf<const T extends string>(name: string, value: T | undefined, choices: readonly [T, ...T[]]): T {
  if (value === undefined) return choices[0]
  if (!choices.includes(value)) throw wrong(name, choices.map((choice) => `'${choice}'`).join(' or '), value)
  return value
}
