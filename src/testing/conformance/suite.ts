import { type Run, runScenario, type Scenario } from './run-scenario.ts'
import type { DescribeTransportOptions, TransportFactory, TransportHooks } from './types.ts'

/** The functions that the files of `scenarios/` use to declare scenarios. */
export interface Suite {
  readonly expect: TransportHooks['expect']
  theme(title: string, body: () => void): void
  scenario(title: string, scenario: Scenario): void
  /** The expected refusal, as the client reports it. */
  refused(status: 401 | 403): { readonly status: number; readonly givenAs?: string }
  isAbort(error: unknown, reason: unknown): boolean
  readonly isTimeout: DescribeTransportOptions['isTimeout']
}

/** Extra time for the runner, in milliseconds: to clean up, and to report why a scenario did not end. */
const MARGIN = 5_000

export const createSuite = (
  factory: TransportFactory,
  { describe, it, expect }: TransportHooks,
  { isAbort = isUsualAbort, isTimeout, givesRefusalsAs, timeout = 30_000 }: DescribeTransportOptions,
  openFront: Run['openFront'],
): Suite => ({
  expect,
  theme(title, body) {
    describe(title, body)
  },
  scenario(title, scenario) {
    it(title, () => runScenario(scenario, factory, { expect, timeout, openFront }), timeout + MARGIN)
  },
  refused: (status) => ({ status, ...(givesRefusalsAs !== undefined && { givenAs: givesRefusalsAs }) }),
  isAbort,
  isTimeout,
})

const isUsualAbort = (error: unknown, reason: unknown) => {
  if (error === reason) return true
  // Not `instanceof`: under Jest, errors of Node come from another realm.
  const { name, cause } = Object(error) as { readonly name?: unknown; readonly cause?: unknown }
  return name === 'AbortError' || (cause !== undefined && cause === reason)
}
