import { describe, expect, it } from 'vitest'
import { declareSuite } from '../../src/testing/conformance/describe-transport.ts'
import type { Front } from '../../src/testing/conformance/harness.ts'
import type { TransportFactory } from '../../src/testing/index.ts'
import type { Transport } from './transports.ts'

/** A transport of this package as a factory for the public suite. */
export const factoryOf =
  ({ create }: Transport): TransportFactory =>
  (auth, { origin }) => {
    const client = create(auth, { origin })
    return {
      async request(path, init) {
        const { status, json, givenAs } = await client.request(path, init)
        return { status, body: json, givenAs }
      },
    }
  }

/**
 * Runs the suite for a transport, with its own way of reporting refusals, aborts and timeouts.
 *
 * @param circumstance what is special about this run, for its title
 * @param factory creates the clients; set it if the run is special
 * @param openFront puts something in front of the token server
 */
export const conform = (
  transport: Transport,
  circumstance = '',
  factory = factoryOf(transport),
  openFront?: (url: string) => Promise<Front>,
) => {
  const { name, isAbort, isTimeout, givesRefusalsAs } = transport
  // Signatures are made and checked in this process, too.
  const timeout = openFront ? 30_000 : 10_000
  const options = { describe, it, expect, isAbort, isTimeout, givesRefusalsAs, timeout }
  declareSuite(`${name}${circumstance}`, factory, options, openFront)
}
