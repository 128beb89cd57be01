import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { TokenServerRequest } from '../../src/testing/token-server/token-server.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { type Bench, nextEvent, setUp, type TestAuth, type TestOptions } from '../conformance/harness.ts'

/** A promise, and the way to resolve it. */
export const deferred = <T = void>() => {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** A bench whose gate is closed: a 401 has set a refresh going, which waits until it is let through. */
export interface ClosedGate extends Bench {
  readonly auth: TestAuth
  /** Lets the refresh through to the token endpoint. */
  open(): void
  /** The request whose 401 closed the gate. */
  readonly first: Promise<Response>
  /** Whether the refresh that is under way was told to stop. */
  readonly refreshAborted: () => boolean
}

export const closeGate = async (options: TestOptions = {}): Promise<ClosedGate> => {
  const bench = await setUp()
  const door = deferred()
  let aborted = false
  const auth = await bench.signedIn({
    ...options,
    refresh: async (request) => {
      request.signal.addEventListener('abort', () => {
        aborted = true
      })
      await door.promise
      return bench.refresh(request)
    },
  })
  bench.server.expireAccessTokens()
  const held = nextEvent(auth, 'requestHeld')
  const first = createAuthFetch(auth, { origins: [bench.url] })(`${bench.url}/api/first`)
  first.catch(() => {})
  await held
  return { ...bench, auth, open: () => door.resolve(), first, refreshAborted: () => aborted }
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

/** A bare server on loopback that answers as it is told, gone after the test. */
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
    // Whoever was given no reply writes one.
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

/** What an error or an answer shows to whoever logs it must not hold a token, nor a part of one. */
export const TOKEN_MARKER = /\b[ar]t-\d+-\d+-[0-9a-f]+/
