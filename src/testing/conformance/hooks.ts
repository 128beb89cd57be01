import type { DescribeTransportOptions, TransportHooks } from './types.ts'

const NAMES = ['describe', 'it', 'expect'] as const

/**
 * The runner's functions: those given, else the global ones.
 *
 * @throws TypeError that names those there are not
 */
export const resolveHooks = (given: DescribeTransportOptions): TransportHooks => {
  const globals = globalThis as Partial<TransportHooks>
  const { describe = globals.describe, it = globals.it, expect = globals.expect } = given
  const found = { describe, it, expect }
  const missing = NAMES.filter((name) => typeof found[name] !== 'function')
  if (missing.length > 0) {
    throw new TypeError(
      `describeTransport: there is no ${missing.join(', no ')} here. Pass your test runner's as the third parameter: describeTransport(name, factory, { describe, it, expect }).`,
    )
  }
  return found as TransportHooks
}
