import { type AuthOptions, settle } from '../../core/options.ts'
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

const STARTS: readonly ModelStart[] = [
  'signedOut',
  'stored',
  'storedExpired',
  'storageBroken',
  'noStorage',
  'initialTokens',
  'initialTokensExpired',
  'initialTokensLast',
  'cookie',
]
const ENDPOINTS: readonly Endpoint[] = ['answers', 'fails', 'limits', 'loses', 'holds']

/** @throws TypeError where a setting is wrong */
export function resolveModelSettings(settings: ModelSettings): ResolvedModelSettings {
  const { start = 'signedOut', endpoint = 'answers', lifetime = 3_600_000, retryAfter = 60_000 } = settings
  const { refreshAhead, renew, ambiguousRefresh, whenExpired, limits, retry, timeouts } = settings
  for (const [name, value] of Object.entries({ lifetime, retryAfter })) {
    if (!(typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY))
      throw new TypeError(`The model's ${name} must be a number of milliseconds above 0, not ${value}.`)
  }
  assertOneOf('start', start, STARTS)
  assertOneOf('endpoint', endpoint, ENDPOINTS)
  // The app's own check, and its own defaults.
  const auth = settle({
    refresh: () => ({}),
    silentSignIn: settings.silentSignIn ?? start === 'cookie',
    ...(refreshAhead !== undefined && { refreshAhead }),
    ...(renew && { renew }),
    ...(ambiguousRefresh && { ambiguousRefresh }),
    ...(whenExpired && { whenExpired }),
    ...(limits && { limits }),
    ...(retry && { retry }),
    ...(timeouts && { timeouts }),
  })
  return {
    lifetime,
    retryAfter,
    start,
    endpoint,
    refreshAhead: auth.refreshAhead,
    renew: auth.renew,
    ambiguousRefresh: auth.ambiguousRefresh,
    silentSignIn: auth.silentSignIn,
    whenExpired: auth.whenExpired,
    attempts: auth.retry.attempts,
    minDelay: auth.retry.minDelay,
    maxDelay: auth.retry.maxDelay,
    refreshTimeout: auth.timeouts.refresh,
    signInTimeout: auth.timeouts.signIn,
    revokeTimeout: auth.timeouts.revoke,
    holdTimeout: auth.timeouts.hold,
    idle: auth.limits.idle,
    absolute: auth.limits.absolute,
  }
}

function assertOneOf(name: string, value: string, choices: readonly string[]) {
  if (choices.includes(value)) return
  throw new TypeError(`The model's ${name} must be one of ${choices.join(', ')}, not ${value}.`)
}
