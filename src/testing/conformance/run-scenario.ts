import type { Auth } from '../../core/auth.ts'
import type { TokenServerOptions } from '../token-server/token-server.ts'
import { type Client, clientFor } from './client.ts'
import { createHarness, type Front, type Harness, type HarnessAuth } from './harness.ts'
import { watchRejections } from './rejections.ts'
import type { TransportClient, TransportFactory, TransportHooks } from './types.ts'

/** A harness that can connect the client under test. */
export interface TransportHarness extends Harness {
  /** Creates a client for this session and this server, with the factory. */
  connect(auth: HarnessAuth): Client
}

/** Creates a harness, which is closed after the scenario. */
export type SetUp = (options?: TokenServerOptions) => Promise<TransportHarness>

export type Scenario = (setUp: SetUp) => Promise<void>

/** How scenarios run. */
export interface Run extends Pick<TransportHooks, 'expect'> {
  /** Milliseconds for each scenario. */
  readonly timeout: number
  readonly openFront?: ((url: string) => Promise<Front>) | undefined
}

/**
 * Runs one scenario and cleans up after it in any case. It also fails if the scenario does not end within `timeout`
 * milliseconds, leaves an unhandled rejection, or sent an `Authorization` header without a token.
 */
export const runScenario = async (
  scenario: Scenario,
  factory: TransportFactory,
  { expect, timeout, openFront }: Run,
): Promise<void> => {
  const harnesses: Harness[] = []
  const clients: TransportClient[] = []
  let hasEnded = false
  const unhandledRejections = watchRejections()

  const setUp: SetUp = async (options) => {
    const harness = await createHarness(options, openFront)
    harnesses.push(harness)
    // After a timeout the cleanup has already run.
    if (hasEnded) await harness.close()
    return {
      ...harness,
      connect(auth) {
        const client = factory(auth as Auth, { origin: harness.url })
        clients.push(client)
        return clientFor(client)
      },
    }
  }

  const cleanUp = async () => {
    hasEnded = true
    for (const harness of harnesses) await harness.close()
    const closed = await Promise.allSettled(clients.map(async (client) => client.close?.()))
    const unhandled = await unhandledRejections()
    for (const result of closed) if (result.status === 'rejected') throw result.reason
    return unhandled
  }

  try {
    await endOf(scenario(setUp), timeout, () => harnesses.map((harness) => harness.summary()).join(' '))
  } catch (error) {
    // Report the first error, not one that followed from it.
    await cleanUp().catch(() => {})
    throw error
  }
  expect({ unhandledRejections: await cleanUp() }).toEqual({ unhandledRejections: [] })
  expect({ badHeaders: harnesses.flatMap((harness) => harness.badHeaders()) }).toEqual({ badHeaders: [] })
}

const endOf = (scenario: Promise<void>, timeout: number, summary: () => string) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The scenario did not end within ${timeout} ms. ${summary()}`)),
      timeout,
    )
    scenario.then(resolve, reject).finally(() => clearTimeout(timer))
  })
