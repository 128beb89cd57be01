/** Serves the playground: its page, a token server with an API, and what the buttons do to them, on one origin. */
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
  /** 0 (default) takes a free one. */
  readonly port?: number
  /** The name or address to listen at. Default: `'127.0.0.1'`. */
  readonly host?: string
  /** What answers under `/api/`. Default: an API that takes its time. */
  readonly api?: TokenServerRoute
  /** How long an access token lives, in milliseconds. Default: 20,000, short enough to watch its renewal. */
  readonly accessTokenLifetime?: number
}

export interface Playground {
  /** The address of the page, without a trailing slash. */
  readonly url: string
  /** What issues the tokens, for tests. */
  readonly server: TokenServer
  /** Stops serving, and cuts off what is under way. */
  close(): Promise<void>
}

/** How long the token endpoint takes, in milliseconds. */
const TOKEN_DELAY = 600
/** How long the previous refresh token is taken again, in milliseconds: an answer may be lost. */
const GRACE = 10_000

const TOKEN_SERVER = /^\/(api\/|token$|token\/revoke$|revoke$)/

/** A page has to be called by a name, and takes tokens to this machine only: not to an address that stands for all of them. */
const nameOf = (host: string) => {
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

/** `startPlayground`, for a page that is built already. */
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
    if (!file) return new Response('There is no such file.', { status: 404 })
    if (method !== 'GET' && method !== 'HEAD') return new Response(null, { status: 405 })
    return new Response(file.body as BodyInit, { headers: { ...PAGE_HEADERS, 'content-type': file.type } })
  }

  const listener = createServer(async (incoming, outgoing) => {
    try {
      const reply = await answer(incoming, outgoing)
      if (reply) await send(reply, outgoing)
    } catch {
      // Dropped as told, or the client has gone.
      incoming.socket.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(port, host, resolve)
  })
  const { port: taken } = listener.address() as AddressInfo

  return {
    url: `http://${nameOf(host)}:${taken}`,
    server,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        listener.closeAllConnections()
        // Ends what it holds back.
        server.reset()
      }),
  }
}
