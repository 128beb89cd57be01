import { describe, expect, it } from 'vitest'
import { describeTransport, type TransportFactory } from '../../src/testing/index.ts'
import {
  axiosFetchTransport,
  fetchTransport,
  ofetchTransport,
  type Transport,
} from '../conformance/transports.ts'
import { overPort } from './in-process.ts'

/** A transport on a page, over a session in a worker. */
const factoryOf =
  ({ create }: Transport): TransportFactory =>
  (auth, { origin }) => {
    const { page, end } = overPort(auth, { origins: [origin] })
    const client = create(page as never, { origin })
    return {
      async request(path, init) {
        const { status, json, givenAs } = await client.request(path, init)
        return { status, body: json, givenAs }
      },
      close: end,
    }
  }

for (const transport of [fetchTransport, ofetchTransport, axiosFetchTransport]) {
  const { name, isAbort, isTimeout, givesRefusalsAs } = transport
  describeTransport(`${name}, with the session in a worker`, factoryOf(transport), {
    describe,
    it,
    expect,
    isAbort,
    isTimeout,
    givesRefusalsAs,
  })
}
