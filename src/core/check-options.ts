import { ATTACH, type Feature } from './features/feature.ts'
import type { AuthOptions } from './options.ts'
import { explainOptions } from './platform/hints.ts'

/** The functions an app may give, and the features that bring their own code, with what makes each. */
const FUNCTIONS = ['signIn', 'signInFailed', 'revoke', 'isFatal'] as const
const FEATURES = {
  storage: 'defineStorage({ read, write, clear })',
  coordinator: 'defineCoordinator({ exclusive, announce, subscribe })',
  limits: 'sessionLimits({ idle, absolute })',
  silentSignIn: 'fromCookie()',
  proof: 'dpopProofs()',
} as const

/** Every option, so that a wrong name is noticed. */
const NAMES: { readonly [Name in keyof Required<AuthOptions>]: true } = {
  refresh: true,
  signIn: true,
  signInFailed: true,
  revoke: true,
  storage: true,
  persist: true,
  coordinator: true,
  proof: true,
  environment: true,
  clock: true,
  initialTokens: true,
  refreshAhead: true,
  refreshOn: true,
  silentSignIn: true,
  retry: true,
  isFatal: true,
  timeouts: true,
  queueLimit: true,
  whenExpired: true,
  singleUser: true,
  ambiguousRefresh: true,
  limits: true,
  release: true,
  historyLimit: true,
}
const ALL = Object.keys(NAMES)
/** Options that are objects of options. */
const GROUPS = ['retry', 'timeouts', 'release'] as const
const TIMEOUTS = ['refresh', 'signIn', 'revoke', 'hold', 'lock', 'storage'] as const

/**
 * Checks the options of `createAuth`.
 *
 * @throws TypeError that names the option, what it must be and what it was
 */
export function checkOptions(options: AuthOptions<never>): void {
  if (typeof options?.refresh !== 'function')
    throw wrong('createAuth: refresh', 'a function', options?.refresh)
  for (const name of FUNCTIONS) {
    const value = options[name]
    if (value !== undefined && typeof value !== 'function')
      throw wrong(`createAuth: ${name}`, 'a function', value)
  }
  for (const name of GROUPS) {
    const value = options[name]
    if (value !== undefined && (typeof value !== 'object' || value === null))
      throw wrong(`createAuth: ${name}`, 'an object', value)
  }
  explainOptions('createAuth', options, ALL)
  explainOptions('createAuth: retry', options.retry, ['attempts', 'minDelay', 'maxDelay', 'jitter'])
  explainOptions('createAuth: timeouts', options.timeouts, TIMEOUTS)
  explainOptions('createAuth: release', options.release, ['concurrency'])
  if ('renew' in options) throw new TypeError('createAuth: renew is called refreshOn.')
  for (const [name, maker] of Object.entries(FEATURES)) {
    const value: unknown = options[name as keyof typeof FEATURES]
    if (value !== undefined && typeof (value as Partial<Feature> | null)?.[ATTACH] !== 'function') {
      throw wrong(`createAuth: ${name}`, `made by a function of the library, such as ${maker}`, value)
    }
  }
  const { retry, timeouts } = options
  checkNumber('createAuth: refreshAhead', options.refreshAhead, 0)
  checkNumber('createAuth: retry.attempts', retry?.attempts, 1)
  checkNumber('createAuth: retry.minDelay', retry?.minDelay, 0)
  checkNumber('createAuth: retry.maxDelay', retry?.maxDelay, 0)
  checkNumber('createAuth: retry.jitter', retry?.jitter, 0, 1)
  for (const name of TIMEOUTS) checkNumber(`createAuth: timeouts.${name}`, timeouts?.[name], 0)
  checkNumber('createAuth: queueLimit', options.queueLimit, 0)
  checkNumber('createAuth: release.concurrency', options.release?.concurrency, 1)
  checkNumber('createAuth: historyLimit', options.historyLimit, 0)
  checkChoice('createAuth: refreshOn', options.refreshOn, ['timer', 'activity', 'demand'])
  checkChoice('createAuth: persist', options.persist, ['all', 'refresh-token', 'none'])
  checkChoice('createAuth: whenExpired', options.whenExpired, ['reject', 'hold'])
  checkChoice('createAuth: ambiguousRefresh', options.ambiguousRefresh, ['retry', 'expire'])
  if (options.singleUser !== undefined && typeof options.singleUser !== 'boolean')
    throw wrong('createAuth: singleUser', 'true or false', options.singleUser)
}

/**
 * Checks that an option is a number within bounds, if it is given.
 *
 * @param option the function that takes it, and its name
 * @throws TypeError
 */
export function checkNumber(
  option: string,
  value: unknown,
  least: number,
  most = Number.POSITIVE_INFINITY,
): void {
  if (value === undefined || (typeof value === 'number' && value >= least && value <= most)) return
  const upTo = most < Number.POSITIVE_INFINITY ? ` and at most ${most}` : ''
  throw wrong(option, `a number of at least ${least}${upTo}`, value)
}

function checkChoice(option: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return
  throw wrong(option, choices.map((choice) => `'${choice}'`).join(' or '), value)
}

/** An error that says what an option is instead. It quotes no text, which may be a secret in the wrong place. */
const wrong = (option: string, must: string, value: unknown) =>
  new TypeError(`${option} must be ${must}, not ${kindOf(value)}.`)

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'function') return 'a function'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
