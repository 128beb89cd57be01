import type { TransportFactory } from '../../src/testing/index.ts'
import { conform } from '../conformance/conform.ts'
import type { Transport } from '../conformance/transports.ts'
import { overPort } from './in-process.ts'

/** Wraps a transport so that it runs on a page whose session is in a worker. */
export const factoryOverWorker =
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

export const conformOverWorker = (transport: Transport) =>
  conform(transport, ', with the session in a worker', factoryOverWorker(transport))
