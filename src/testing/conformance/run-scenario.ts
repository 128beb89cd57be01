import type { Auth } from '../../core/auth.ts'
import type { TokenServerOptions } from '../token-server/token-server.ts'
import { type Bench, type BenchAuth, createBench } from './bench.ts'
import { type Client, clientFor } from './client.ts'
import { watchRejections } from './rejections.ts'
import type { TransportClient, TransportFactory, TransportHooks } from './types.ts'

/** A bench with the client under test at it. */
export interface TransportBench extends Bench {
  /** A client of the factory's over this session, for this server. */
  connect(auth: BenchAuth): Client
}

/** A server of a scenario's own, gone after it. */
export type SetUp = (options?: TokenServerOptions) => Promise<TransportBench>

export type Scenario = (setUp: SetUp) => Promise<void>

/**
 * Runs one scenario and cleans up after it, whatever it came to. It fails, too, where it does not end within `timeout`
 * milliseconds, leaves a rejection to nobody, or sent a header that no token was in.
 */
export const runScenario = async (
  scenario: Scenario,
  factory: TransportFactory,
  { expect, timeout }: Pick<TransportHooks, 'expect'> & { readonly timeout: number },
): Promise<void> => {
  const benches: Bench[] = []
  const clients: TransportClient[] = []
  let isOver = false
  const unhandledRejections = watchRejections()

  const setUp: SetUp = async (options) => {
    const bench = await createBench(options)
    benches.push(bench)
    // Whoever gave up on the scenario has cleaned up already.
    if (isOver) await bench.close()
    return {
      ...bench,
      connect(auth) {
        const client = factory(auth as Auth, { origin: bench.url })
        clients.push(client)
        return clientFor(client)
      },
    }
  }

  const cleanUp = async () => {
    isOver = true
    for (const bench of benches) await bench.close()
    const closed = await Promise.allSettled(clients.map(async (client) => client.close?.()))
    const unhandled = await unhandledRejections()
    for (const result of closed) if (result.status === 'rejected') throw result.reason
    return unhandled
  }

  try {
    await endOf(scenario(setUp), timeout, () => benches.map((bench) => bench.account()).join(' '))
  } catch (error) {
    // What went wrong first is worth telling, and not what followed from it.
    await cleanUp().catch(() => {})
    throw error
  }
  expect({ unhandledRejections: await cleanUp() }).toEqual({ unhandledRejections: [] })
  expect({ badHeaders: benches.flatMap((bench) => bench.badHeaders()) }).toEqual({ badHeaders: [] })
}

const endOf = (scenario: Promise<void>, timeout: number, account: () => string) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The scenario has not ended within ${timeout} ms. ${account()}`)),
      timeout,
    )
    scenario.then(resolve, reject).finally(() => clearTimeout(timer))
  })
