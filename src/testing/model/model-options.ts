import { type SessionLimitsOptions, sessionLimits } from '../../core/features/session-limits.ts'
import type { AuthOptions, Settings } from '../../core/options.ts'
import { resolveOptions } from '../../core/resolve-options.ts'

/** How the token endpoint answers at the moment. */
export type Endpoint =
  /** Acts on the request and answers. */
  | 'answers'
  /** Answers 500. */
  | 'fails'
  /** Answers 429 with `Retry-After`. */
  | 'limits'
  /** Acts on the request, and the connection breaks before the answer. */
  | 'loses'
  /** Holds requests until the mode changes. */
  | 'holds'

/** What the app under test starts with. */
export type ModelStart =
  /** No session, and an empty store. */
  | 'signedOut'
  /** A stored session whose access token works. */
  | 'stored'
  /** A stored session whose access token has expired. */
  | 'storedExpired'
  /** A store that fails. */
  | 'storageBroken'
  /** No store. */
  | 'noStorage'
  /** `initialTokens` that work. */
  | 'initialTokens'
  /** `initialTokens` whose access token has expired. */
  | 'initialTokensExpired'
  /** `initialTokens` whose refresh token is known to have expired. */
  | 'initialTokensLast'
  /** A session in an HttpOnly cookie; needs `silentSignIn`. */
  | 'cookie'

type Retry = NonNullable<AuthOptions['retry']>
type Timeouts = NonNullable<AuthOptions['timeouts']>

/**
 * The options of the app's `createAuth` that change its flows, by the same names and with the same defaults, and the
 * lifetime of its access tokens. Times are milliseconds.
 */
export interface ModelSettings
  extends Pick<AuthOptions, 'ambiguousRefresh' | 'refreshAhead' | 'refreshOn' | 'whenExpired'> {
  /** How long an access token lives. Default: 3,600,000. */
  readonly lifetime?: number
  /** The option `retry` of the app. The model waits for each whole backoff, as with `jitter: 0`. */
  readonly retry?: Pick<Retry, 'attempts' | 'minDelay' | 'maxDelay'>
  /** The option `timeouts` of the app, as far as it changes what users can see. */
  readonly timeouts?: Pick<Timeouts, 'refresh' | 'signIn' | 'revoke' | 'hold'>
  /** What the app gives to `sessionLimits`. */
  readonly limits?: SessionLimitsOptions
  /** Whether the app uses `fromCookie()`. Default: whether `start` is `'cookie'`. */
  readonly silentSignIn?: boolean
  /** How long a 429 asks to wait (`Retry-After`). Default: 60,000. */
  readonly retryAfter?: number
  /** Default: `'signedOut'`. */
  readonly start?: ModelStart
  /** How the token endpoint answers at the start. Default: `'answers'`. */
  readonly endpoint?: Endpoint
}

type FromApp = 'ambiguousRefresh' | 'refreshAhead' | 'refreshOn' | 'whenExpired' | 'retry' | 'timeouts'

/** The settings with all defaults. */
export interface ResolvedModelSettings
  extends Required<Omit<ModelSettings, FromApp | 'limits'>>,
    Pick<Settings, FromApp> {
  /** Infinity: no limit. */
  readonly limits: Required<SessionLimitsOptions>
}

const STARTS =
  'signedOut stored storedExpired storageBroken noStorage initialTokens initialTokensExpired initialTokensLast cookie'
const ENDPOINTS = 'answers fails limits loses holds'

/** @throws TypeError if a setting is wrong */
export function resolveModelSettings(settings: ModelSettings): ResolvedModelSettings {
  const { start = 'signedOut', endpoint = 'answers', lifetime = 3_600_000, retryAfter = 60_000 } = settings
  const { silentSignIn = start === 'cookie', limits } = settings
  for (const [name, value] of Object.entries({ lifetime, retryAfter })) {
    if (!(typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY))
      throw new TypeError(`The model's ${name} must be a number of milliseconds above 0, not ${value}.`)
  }
  assertOneOf('start', start, STARTS.split(' '))
  assertOneOf('endpoint', endpoint, ENDPOINTS.split(' '))
  sessionLimits(limits)
  const { ambiguousRefresh, refreshAhead, refreshOn, whenExpired, retry, timeouts } = settings
  const given = { ambiguousRefresh, refreshAhead, refreshOn, whenExpired, retry, timeouts }
  // The app's own check, and its own defaults.
  const resolved = resolveOptions({ ...given, refresh: () => ({}) } as AuthOptions<never>)
  const { idle = Number.POSITIVE_INFINITY, absolute = Number.POSITIVE_INFINITY } = limits ?? {}
  return { ...resolved, lifetime, retryAfter, start, endpoint, silentSignIn, limits: { idle, absolute } }
}

function assertOneOf(name: string, value: string, choices: readonly string[]) {
  if (choices.includes(value)) return
  throw new TypeError(`The model's ${name} must be one of ${choices.join(', ')}, not ${value}.`)
}
