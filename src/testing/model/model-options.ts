import type { AuthOptions } from '../../core/options.ts'
import type { Endpoint } from './model-state.ts'

/** What the app under test starts with. */
export type ModelStart =
  /** Nobody is signed in, and the store is empty. */
  | 'signedOut'
  /** The store has a session whose access token works. */
  | 'stored'
  /** The store has a session whose access token has run out. */
  | 'storedExpired'
  /** The store fails. */
  | 'storageBroken'
  /** There is no store at all. */
  | 'noStorage'
  /** `initialTokens` that work. */
  | 'initialTokens'
  /** `initialTokens` whose access token has run out. */
  | 'initialTokensExpired'
  /** `initialTokens` whose refresh token is known to be dead. */
  | 'initialTokensLast'
  /** An HttpOnly cookie holds a session; needs `silentSignIn`. */
  | 'cookie'

/**
 * How the app under test is set up, as far as its flows depend on it: the options of its `createAuth` by the same names
 * and with the same defaults, and the lifetime of its access tokens. Times are milliseconds.
 */
export interface ModelSettings
  extends Pick<
    AuthOptions,
    'ambiguousRefresh' | 'limits' | 'refreshAhead' | 'renew' | 'silentSignIn' | 'whenExpired'
  > {
  /** How long an access token lives. Default: 3,600,000. */
  readonly lifetime?: number
  readonly retry?: Pick<NonNullable<AuthOptions['retry']>, 'attempts' | 'minDelay' | 'maxDelay'>
  readonly timeouts?: Pick<NonNullable<AuthOptions['timeouts']>, 'refresh' | 'signIn' | 'revoke' | 'hold'>
  /** How long a 429 asks to wait (`Retry-After`). Default: 60,000. */
  readonly retryAfter?: number
  /** Default: `'signedOut'`. */
  readonly start?: ModelStart
  /** How the token endpoint is at the start. Default: `'answers'`. */
  readonly endpoint?: Endpoint
}

export interface ResolvedModelSettings {
  readonly lifetime: number
  readonly refreshAhead: number | undefined
  readonly renew: 'timer' | 'activity' | 'demand'
  readonly ambiguousRefresh: 'retry' | 'expire'
  readonly silentSignIn: boolean
  readonly whenExpired: 'reject' | 'hold'
  readonly attempts: number
  readonly minDelay: number
  readonly maxDelay: number
  readonly refreshTimeout: number
  readonly signInTimeout: number
  readonly revokeTimeout: number
  readonly holdTimeout: number
  readonly idle: number
  readonly absolute: number
  readonly retryAfter: number
  readonly start: ModelStart
  readonly endpoint: Endpoint
}

const never = Number.POSITIVE_INFINITY

export function resolveModelSettings(settings: ModelSettings): ResolvedModelSettings {
  const { retry, timeouts, limits, start = 'signedOut' } = settings
  return {
    lifetime: settings.lifetime ?? 3_600_000,
    refreshAhead: settings.refreshAhead,
    renew: settings.renew ?? 'timer',
    ambiguousRefresh: settings.ambiguousRefresh ?? 'retry',
    silentSignIn: settings.silentSignIn ?? start === 'cookie',
    whenExpired: settings.whenExpired ?? 'reject',
    attempts: retry?.attempts ?? 5,
    minDelay: retry?.minDelay ?? 250,
    maxDelay: retry?.maxDelay ?? 30_000,
    refreshTimeout: timeouts?.refresh ?? 10_000,
    signInTimeout: timeouts?.signIn ?? 30_000,
    revokeTimeout: timeouts?.revoke ?? 5_000,
    holdTimeout: timeouts?.hold ?? 30_000,
    idle: limits?.idle ?? never,
    absolute: limits?.absolute ?? never,
    retryAfter: settings.retryAfter ?? 60_000,
    start,
    endpoint: settings.endpoint ?? 'answers',
  }
}
