import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { closeGate as closeGateOf } from '../../src/testing/conformance/closed-gate.ts'
import type { TokenServerRequest } from '../../src/testing/token-server/token-server.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp, type TestAuth, type TestOptions } from '../conformance/harness.ts'

export { deferred } from '../../src/testing/conformance/waits.ts'

/** Signs in and closes the gate of the session; see the shared `closeGate`. Requests go through `createAuthFetch`. */
export const closeGate = async (options: TestOptions = {}) => {
  const harness = await setUp()
  const connect = (auth: TestAuth) => {
    const send = createAuthFetch(auth, { origins: [harness.url] })
    return { get: (path: string) => send(`${harness.url}${path}`) }
  }
  const { auth, open, first, refreshAborted } = await closeGateOf({ ...harness, connect }, options)
  return { ...harness, auth, open, first, refreshAborted }
}

/** The requests for one path, in order of arrival. */
export const to = (log: readonly TokenServerRequest[], path: string) =>
  log.filter((request) => request.path === path)

export interface Seen {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
}

export interface Origin {
  readonly url: string
  readonly port: number
  readonly log: Seen[]
  /** How many connections there have been. */
  readonly connections: () => number
}

/** A bare server on loopback that answers as its handler says, closed after the test. */
export const startOrigin = async (
  answer: (seen: Seen, reply: ServerResponse) => Reply | undefined | Promise<Reply | undefined>,
): Promise<Origin> => {
  const log: Seen[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = incoming
    const seen = { method, url, headers, body: Buffer.concat(chunks) }
    log.push(seen)
    const reply = await answer(seen, outgoing)
    // A handler that returned no reply writes one itself.
    if (!reply) return
    outgoing.statusCode = reply.status ?? 200
    for (const [name, value] of Object.entries(reply.headers ?? {})) outgoing.setHeader(name, value)
    outgoing.end(reply.body)
  })
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, log, connections: () => connections }
}

/** A logged error or answer must not show a token, nor a part of one. */
export const TOKEN_MARKER = /\b[ar]t-\d+-\d+-[0-9a-f]+/
