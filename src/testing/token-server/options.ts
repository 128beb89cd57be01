import type { Clock } from '../../core/ports.ts'
import { checkFunction, checkNumber, checkWords, wrongKind } from './checks.ts'
import { checkRoutes, type TokenServerRoute } from './routes.ts'

/**
 * How a {@link TokenServer} behaves. Every duration is in milliseconds, except `maxAge` of a route.
 */
export interface TokenServerOptions {
  /**
   * Where the server is for `fetch` (default `'https://auth.test'`): what relative URLs are relative to. Name it in the
   * `origins` of a transport.
   */
  readonly origin?: string
  /** Life of an access token in ms (default 3_600_000). `expires_in` has it in seconds, with fractions. */
  readonly accessTokenLifetime?: number
  /** Whether a refresh replaces the refresh token (default true). If not, answers have no `refresh_token`. */
  readonly rotate?: boolean
  /** Ms in which the previous refresh token may be presented again and gets new tokens (default 0). */
  readonly reuseGrace?: number
  /** Whether a refresh kills the older access tokens of its session at once (default false). */
  readonly previousAccessTokenDies?: boolean
  /** Tells the time and keeps all waits, such as a virtual clock (default: the system's time and timers). */
  readonly clock?: Clock
  /** Tells the time alone, in ms since the epoch (default: that of `clock`). Waits go by `clock`. */
  readonly now?: () => number
  /** Ms added to the clock when `iat`, `exp` and `auth_time` of a JWT are written (default 0). */
  readonly clockSkew?: number
  /**
   * Whether access tokens are JWTs (default false: opaque strings) with `iat`, `exp`, `sub` and, where the session has
   * them, `scope`, `acr` and `auth_time` (RFC 9068 section 2.2). They are not signed.
   */
  readonly jwt?: boolean
  /** The user of sessions made by `issue()` (default `'ada'`). */
  readonly subject?: string
  /** The scope of sessions that ask for none, separated by spaces (default: none). */
  readonly scope?: string
  /** Whether the cookie of cookie mode is `Secure` (default false). Browsers differ on whether plain http on this machine is. */
  readonly secureCookie?: boolean
  /**
   * A header, such as `'x-requested-by'`, that requests in cookie mode must carry, whatever its value; they are answered 403
   * without. No page of another origin can send one unless a preflight lets it (default: none).
   */
  readonly csrfHeader?: string
  /**
   * What paths under `/api/` ask for and answer. A path that ends in `/*` stands for all below it; an exact path goes
   * before it, and a longer one before a shorter one.
   */
  readonly routes?: Readonly<Record<string, TokenServerRoute>>
}

/** Options with every default filled in. */
export type Settings = Required<TokenServerOptions>

/** Looked up at each call, so that whoever fakes them later is heard. */
const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
}

/**
 * Checks the options at the door.
 *
 * @throws TypeError where an option is of the wrong kind
 * @throws RangeError where a number is out of range
 */
export const settle = (options: TokenServerOptions): Settings => {
  const { clock = systemClock } = options
  const settings: Settings = {
    accessTokenLifetime: 3_600_000,
    rotate: true,
    reuseGrace: 0,
    previousAccessTokenDies: false,
    clockSkew: 0,
    jwt: false,
    subject: 'ada',
    scope: '',
    secureCookie: false,
    csrfHeader: '',
    routes: {},
    ...options,
    clock,
    now: options.now ?? (() => clock.now()),
    origin: checkOrigin(options.origin ?? 'https://auth.test'),
  }
  checkNumber(named('accessTokenLifetime'), settings.accessTokenLifetime, 0)
  checkNumber(named('reuseGrace'), settings.reuseGrace, 0, Number.POSITIVE_INFINITY)
  checkNumber(named('clockSkew'), settings.clockSkew, -Number.MAX_VALUE)
  checkWords(named('scope'), settings.scope)
  checkFunction(named('now'), settings.now)
  for (const method of ['now', 'setTimeout', 'clearTimeout'] as const) {
    checkFunction(named(`clock.${method}`), clock[method])
  }
  for (const name of ['rotate', 'previousAccessTokenDies', 'jwt', 'secureCookie'] as const) {
    if (typeof settings[name] !== 'boolean') throw wrongKind(named(name), 'true or false', settings[name])
  }
  if (typeof settings.csrfHeader !== 'string') {
    throw wrongKind(named('csrfHeader'), 'the name of a header', settings.csrfHeader)
  }
  checkRoutes(named('routes'), settings.routes)
  return settings
}

const named = (option: string): string => `createTokenServer: ${option}`

const checkOrigin = (value: string): string => {
  const url = parse(value)
  if (!url || !/^https?:$/.test(url.protocol) || `${url.origin}/` !== url.href) {
    throw wrongKind(named('origin'), "an http or https origin, such as 'https://auth.test'", value)
  }
  return url.origin
}

const parse = (value: string): URL | undefined => {
  try {
    return new URL(value)
  } catch {
    return undefined
  }
}
