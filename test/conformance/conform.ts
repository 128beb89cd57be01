import { describe, expect, it } from 'vitest'
import { describeTransport, type TransportFactory } from '../../src/testing/index.ts'
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
 */
export const conform = (transport: Transport, circumstance = '', factory = factoryOf(transport)) => {
  const { name, isAbort, isTimeout, givesRefusalsAs } = transport
  describeTransport(`${name}${circumstance}`, factory, {
    describe,
    it,
    expect,
    isAbort,
    isTimeout,
    givesRefusalsAs,
  })
}
