import { describe, expect, it } from 'vitest'
import { describeTransport } from '../../src/testing/index.ts'
import { overPort } from '../worker/in-process.ts'
import { angularTransport } from './angular-transport.ts'

const { name, create, isAbort, isTimeout, givesRefusalsAs } = angularTransport

/** `HttpClient` on a page, over a session in a worker. */
describeTransport(
  `${name}, with the session in a worker`,
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
  },
  { describe, it, expect, isAbort, isTimeout, givesRefusalsAs },
)
