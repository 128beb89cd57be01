import type { KeepConnectedOptions } from './types.ts'

/** Validates the options and fills in the defaults. Delays are in milliseconds. */
export function resolveOptions({ renewal = 'reconnect', retry = {} }: KeepConnectedOptions) {
  const { minDelay = 1_000, maxDelay = 30_000, jitter = 0.5, stableAfter = 10_000 } = retry
  if (renewal !== 'reconnect' && renewal !== 'keep')
    throw new TypeError(`keepConnected: renewal must be 'reconnect' or 'keep', not ${String(renewal)}.`)
  checkRange('minDelay', minDelay, 1)
  checkRange('maxDelay', maxDelay, minDelay)
  checkRange('jitter', jitter, 0, 1)
  checkRange('stableAfter', stableAfter, 0)
  return { renewal, minDelay, maxDelay, jitter, stableAfter }
}

function checkRange(name: string, value: number, least: number, most = Number.MAX_VALUE) {
  if (value >= least && value <= most) return
  const range = most === Number.MAX_VALUE ? `at least ${least}` : `from ${least} to ${most}`
  throw new TypeError(`keepConnected: retry.${name} must be a number ${range}, not ${value}.`)
}
