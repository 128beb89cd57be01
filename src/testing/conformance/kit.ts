import { runScenario, type Scenario } from './run-scenario.ts'
import type { DescribeTransportOptions, TransportFactory, TransportHooks } from './types.ts'

/** What the files of `scenarios/` write their scenarios with. */
export interface Kit {
  readonly expect: TransportHooks['expect']
  theme(title: string, body: () => void): void
  scenario(title: string, scenario: Scenario): void
  /** A refusal as the client gives it, to match an answer with. */
  refused(status: 401 | 403): { readonly status: number; readonly givenAs?: string }
  isAbort(error: unknown, reason: unknown): boolean
  readonly isTimeout: DescribeTransportOptions['isTimeout']
}

/** What the runner has beyond the scenario's own time: to clean up in, and to hear why it did not end. */
const MARGIN = 5_000

export const createKit = (
  factory: TransportFactory,
  { describe, it, expect }: TransportHooks,
  { isAbort = isUsualAbort, isTimeout, givesRefusalsAs, timeout = 10_000 }: DescribeTransportOptions,
): Kit => ({
  expect,
  theme(title, body) {
    describe(title, body)
  },
  scenario(title, scenario) {
    it(title, () => runScenario(scenario, factory, { expect, timeout }), timeout + MARGIN)
  },
  refused: (status) => ({ status, ...(givesRefusalsAs !== undefined && { givenAs: givesRefusalsAs }) }),
  isAbort,
  isTimeout,
})

const isUsualAbort = (error: unknown, reason: unknown) => {
  if (error === reason) return true
  // No `instanceof`: under Jest, errors of Node come from another realm.
  const { name, cause } = Object(error) as { readonly name?: unknown; readonly cause?: unknown }
  return name === 'AbortError' || (cause !== undefined && cause === reason)
}
