import type { AuthPolicy } from '../../machines/index.ts'
import { checkOptions } from './check-options.ts'
import type { AuthOptions, Settings } from './options.ts'

const RETRY: Settings['retry'] = { attempts: 5, minDelay: 250, maxDelay: 30_000, jitter: 1 }

const TIMEOUTS = { refresh: 10_000, storage: 2_000, signIn: 30_000, revoke: 5_000, hold: 30_000 }

const DEFAULTS: Omit<Settings, 'retry' | 'timeouts' | 'concurrency'> = {
  refreshAhead: undefined,
  refreshOn: 'timer',
  persist: 'all',
  queueLimit: 100_000,
  historyLimit: 100,
  whenExpired: 'reject',
  ambiguousRefresh: 'retry',
  singleUser: false,
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError that names the option, what it must be and what it was
 */
export function resolveOptions(options: AuthOptions<never>): Settings {
  checkOptions(options)
  const timeouts = withDefaults(TIMEOUTS, options.timeouts)
  const lock = options.timeouts?.lock ?? 2 * timeouts.refresh + timeouts.storage
  return {
    ...withDefaults(DEFAULTS, options),
    retry: withDefaults(RETRY, options.retry),
    timeouts: { ...timeouts, lock },
    concurrency: options.release?.concurrency ?? Number.POSITIVE_INFINITY,
  }
}

/** The options that the chart decides by. */
export const policyOf = (
  { refreshOn, retry, ambiguousRefresh }: Pick<Settings, 'refreshOn' | 'retry' | 'ambiguousRefresh'>,
  start: Pick<AuthPolicy, 'silentSignIn' | 'restores'>,
): AuthPolicy => ({
  refreshOn,
  attempts: retry.attempts,
  coolDown: retry.maxDelay,
  ambiguousRefresh,
  ...start,
})

/** The defaults, replaced by what is given. */
function withDefaults<T extends object>(
  defaults: T,
  given: { readonly [Name in keyof T]?: T[Name] | undefined } | undefined,
): T {
  if (!given) return defaults
  const result = { ...defaults }
  for (const name in defaults) result[name] = given[name] ?? defaults[name]
  return result
}
