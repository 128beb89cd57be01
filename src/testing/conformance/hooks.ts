import type { DescribeTransportOptions, TransportHooks } from './types.ts'

const NAMES = ['describe', 'it', 'expect'] as const

/**
 * The functions of the test runner: the given ones, otherwise the global ones.
 *
 * @throws TypeError that names the missing functions
 */
export const resolveHooks = (given: DescribeTransportOptions): TransportHooks => {
  const globals = globalThis as Partial<TransportHooks>
  const { describe = globals.describe, it = globals.it, expect = globals.expect } = given
  const found = { describe, it, expect }
  const missing = NAMES.filter((name) => typeof found[name] !== 'function')
  if (missing.length > 0) {
    throw new TypeError(
      `describeTransport: ${missing.join(' and ')} not found. Pass the functions of your test runner as the third parameter: describeTransport(name, factory, { describe, it, expect }).`,
    )
  }
  return found as TransportHooks
}
