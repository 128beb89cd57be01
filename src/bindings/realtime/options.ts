import type { KeepConnectedOptions } from './types.ts'

/** The waits, with every default filled in. */
export function checked({ renewal = 'reconnect', retry = {} }: KeepConnectedOptions) {
  const { minDelay = 1_000, maxDelay = 30_000, jitter = 0.5, stableAfter = 10_000 } = retry
  if (renewal !== 'reconnect' && renewal !== 'keep')
    throw new TypeError(`keepConnected: renewal must be 'reconnect' or 'keep', not ${String(renewal)}.`)
  check('minDelay', minDelay, 1)
  check('maxDelay', maxDelay, minDelay)
  check('jitter', jitter, 0, 1)
  check('stableAfter', stableAfter, 0)
  return { renewal, minDelay, maxDelay, jitter, stableAfter }
}

function check(name: string, value: number, least: number, most = Number.MAX_VALUE) {
  if (value >= least && value <= most) return
  const range = most === Number.MAX_VALUE ? `at least ${least}` : `from ${least} to ${most}`
  throw new TypeError(`keepConnected: retry.${name} must be a number ${range}, not ${value}.`)
}
