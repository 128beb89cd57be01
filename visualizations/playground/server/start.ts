/** Serves the playground on one origin: its page, a token server with an API, and the controls of the buttons. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTokenServer, type TokenServer, type TokenServerRoute } from 'authchart/testing'
import { PAGE_HEADER } from '../headers.ts'
import { buildPage, type PageFiles } from './build-page.ts'
import { createConnections } from './connections.ts'
import { createControls } from './controls.ts'
import { send, toRequest } from './node-http.ts'
import { PAGE_HEADERS } from './policy.ts'
import { createRefreshFaults } from './refresh-faults.ts'
import { createServerClock } from './server-clock.ts'
import { slowApi } from './slow-api.ts'

export interface PlaygroundOptions {
  /** Default: 0, which takes a free port. */
  readonly port?: number
  /** The host name or address to listen on. Default: `'127.0.0.1'`. */
  readonly host?: string
  /** The API under `/api/`. Default: one with a latency for each path. */
  readonly api?: TokenServerRoute
  /** The lifetime of an access token, in milliseconds. Default: 20,000, short enough to watch a refresh. */
  readonly accessTokenLifetime?: number
}

export interface Playground {
  /** The address of the page, without a trailing slash. */
  readonly url: string
  /** The token server, for tests. */
  readonly server: TokenServer
  /** Stops serving, and closes all connections. */
  close(): Promise<void>
}

/** The latency of the token endpoint, in milliseconds. */
const TOKEN_DELAY = 600
/** How long the server accepts the previous refresh token, in milliseconds, because an answer may be lost. */
const GRACE = 10_000

const TOKEN_SERVER = /^\/(api\/|session$|token$|token\/revoke$|revoke$)/

/** Returns the host for the URL of the page. A wildcard address is not a valid host of a URL, so `localhost` replaces it. */
const hostOf = (host: string) => {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/**
 * Builds the page and serves it.
 *
 * @example
 * ```ts
 * const playground = await startPlayground({ port: 5180 })
 * console.log(playground.url)
 * await playground.close()
 * ```
 */
export async function startPlayground(options: PlaygroundOptions = {}): Promise<Playground> {
  return servePlayground(await buildPage(), options)
}

/** Like `startPlayground`, with a page that is already built. */
export async function servePlayground(
  files: PageFiles,
  { port = 0, host = '127.0.0.1', api = slowApi, accessTokenLifetime = 20_000 }: PlaygroundOptions = {},
): Promise<Playground> {
  const clock = createServerClock()
  const server = createTokenServer({
    jwt: true,
    accessTokenLifetime,
    reuseGrace: GRACE,
    scope: 'books:read books:write',
    now: clock.now,
    routes: { '/api/*': api },
  })
  server.tokenDelay = TOKEN_DELAY
  const connections = createConnections()
  const faults = createRefreshFaults(server)
  const control = createControls({ server, clock, connections, faults })

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response | undefined> {
    const { headers, method = '', socket, url = '/' } = incoming
    const [path = ''] = url.split('?', 1)
    if (path.startsWith('/playground/')) return control(incoming)
    if (TOKEN_SERVER.test(path)) {
      if (!connections.admit(String(headers[PAGE_HEADER]), socket)) return undefined
      return faults.handle(await toRequest(incoming, outgoing))
    }
    const file = files.get(path)
    if (!file) return new Response('File not found.', { status: 404 })
    if (method !== 'GET' && method !== 'HEAD') return new Response(null, { status: 405 })
    return new Response(file.body as BodyInit, { headers: { ...PAGE_HEADERS, 'content-type': file.type } })
  }

  const listener = createServer(async (incoming, outgoing) => {
    try {
      const reply = await answer(incoming, outgoing)
      if (reply) await send(reply, outgoing)
    } catch {
      // A fault dropped the answer, or the client has disconnected.
      incoming.socket.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(port, host, resolve)
  })
  const { port: taken } = listener.address() as AddressInfo

  return {
    url: `http://${hostOf(host)}:${taken}`,
    server,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        listener.closeAllConnections()
        // Ends requests that the server holds back.
        server.reset()
      }),
  }
}
