import type { Clock } from '../../core/ports.ts'
import { checkFunction, checkNumber, checkWords, wrongKind } from './checks.ts'
import type { TokenServerForm } from './endpoints.ts'
import { checkRoutes, type TokenServerRoute } from './routes.ts'

/**
 * How a {@link TokenServer} behaves. Every duration is in milliseconds, except `maxAge` of a route.
 */
export interface TokenServerOptions extends TokenServerForm {
  /**
   * The origin that `fetch` resolves relative URLs against (default `'https://auth.test'`). Add it to the `origins` of a
   * transport.
   */
  readonly origin?: string
  /** Lifetime of an access token in milliseconds (default 3_600_000). `expires_in` has it in seconds, with fractions. */
  readonly accessTokenLifetime?: number
  /** Whether a refresh rotates the refresh token (default true). If not, answers have no `refresh_token`. */
  readonly rotate?: boolean
  /** Milliseconds in which the previous refresh token may be used again and gets new tokens (default 0). */
  readonly reuseGrace?: number
  /** Whether a refresh revokes the older access tokens of its session (default false). */
  readonly previousAccessTokenDies?: boolean
  /** The clock for the time and for all waits, such as a virtual clock (default: the system's time and timers). */
  readonly clock?: Clock
  /** Returns the time in milliseconds since the epoch (default: that of `clock`). Waits always use `clock`. */
  readonly now?: () => number
  /** Milliseconds added to the clock for `iat`, `exp` and `auth_time` of a JWT (default 0). */
  readonly clockSkew?: number
  /**
   * Whether access tokens are JWTs (default false: opaque strings). They have `iat`, `exp` and `sub`, and `scope`, `acr` and
   * `auth_time` if the session has them (RFC 9068 section 2.2). They are not signed.
   */
  readonly jwt?: boolean
  /** The user of sessions created by `issue()` (default `'ada'`). */
  readonly subject?: string
  /** The scope of sessions that request none, separated by spaces (default: none). */
  readonly scope?: string
  /** Whether the cookie of cookie mode is `Secure` (default false). Not all browsers accept that over http on localhost. */
  readonly secureCookie?: boolean
  /**
   * A header, such as `'x-requested-by'`, that requests in cookie mode must have, with any value. Without it they are answered
   * 403. A page of another origin can send such a header only if a preflight allows it (default: none).
   */
  readonly csrfHeader?: string
  /**
   * What paths of the API require and answer. A path that ends in `/*` matches every path below it. An exact path wins
   * over it, and a longer path over a shorter one.
   */
  readonly routes?: Readonly<Record<string, TokenServerRoute>>
}

/** Options with every default filled in. */
export type Settings = Required<Omit<TokenServerOptions, keyof TokenServerForm>> & {
  readonly form: TokenServerForm
}

/** Looks the globals up at each call, so that fake timers installed later take effect. */
const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError if an option is of the wrong kind
 * @throws RangeError if a number is out of range
 */
export const resolveOptions = (options: TokenServerOptions): Settings => {
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
    form: options,
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
  checkRoutes(named('routes'), settings.routes, options.paths?.api)
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
