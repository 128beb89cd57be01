import { expect } from 'vitest'
import {
  type DescribeTransportOptions,
  describeTransport,
  type TransportFactory,
} from '../../src/testing/index.ts'

export interface Collected {
  readonly theme: string
  readonly title: string
  readonly run: () => Promise<void>
}

type Own = Omit<DescribeTransportOptions, 'describe' | 'it'>

/** Collects the declared scenarios without running them. */
export const collect = (factory: TransportFactory, own: Own = {}): Collected[] => {
  const collected: Collected[] = []
  const groups: string[] = []
  describeTransport('a transport', factory, {
    expect,
    ...own,
    describe(title, body) {
      groups.push(title)
      body()
      groups.pop()
    },
    it: (title, run) => collected.push({ theme: groups.slice(1).join(' > '), title, run }),
  })
  return collected
}

/** Runs one theme for a transport. Returns the error message of each failed scenario, by its title. */
export const failuresOf = async (
  factory: TransportFactory,
  theme: string,
  own: Own = {},
): Promise<Readonly<Record<string, string>>> => {
  const chosen = collect(factory, own).filter((scenario) => scenario.theme === theme)
  expect(chosen.length).toBeGreaterThan(0)
  const failures: Record<string, string> = {}
  // In parallel, so that scenarios that never end reach their timeout together.
  await Promise.all(
    chosen.map(async ({ title, run }) => {
      await run().catch((error: Error) => {
        failures[title] = error.message
      })
    }),
  )
  return failures
}
