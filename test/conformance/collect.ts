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

/** What the suite declares, for a runner that writes down and runs nothing. */
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

/** The scenarios of one theme that a transport fails, and what each of them says. */
export const failuresOf = async (
  factory: TransportFactory,
  theme: string,
  own: Own = {},
): Promise<Readonly<Record<string, string>>> => {
  const chosen = collect(factory, own).filter((scenario) => scenario.theme === theme)
  expect(chosen.length).toBeGreaterThan(0)
  const failures: Record<string, string> = {}
  // At once, so that those which come to no end wait for theirs together.
  await Promise.all(
    chosen.map(async ({ title, run }) => {
      await run().catch((error: Error) => {
        failures[title] = error.message
      })
    }),
  )
  return failures
}
