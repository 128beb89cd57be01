/** Serves the playground on one origin: its page, a token server with an API, and the controls of the buttons. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TokenServer } from 'authchart/testing'
import { buildPage, type PageFiles } from './build-page.ts'
import { send, toRequest } from './node-http.ts'
import { startOpenId } from './openid.ts'
import { PAGE_HEADERS } from './policy.ts'
import { createWorld, LIFETIME, type WorldOptions } from './world.ts'

export interface PlaygroundOptions extends Pick<WorldOptions, 'api' | 'accessTokenLifetime'> {
  /** Default: 0, which takes a free port. */
  readonly port?: number
  /** The host name or address to listen on. Default: `'127.0.0.1'`. */
  readonly host?: string
  /** Starts an OpenID provider, too. Default: `false`. */
  readonly openid?: boolean
}

export interface Playground {
  /** The address of the page, without a trailing slash. */
  readonly url: string
  /** The token server, for tests. */
  readonly server: TokenServer
  /** Stops serving, and closes all connections. */
  close(): Promise<void>
}

/** Returns the host for the URL of the page. A wildcard address is not a valid host of a URL, so `localhost` replaces it. */
const hostOf = (host: string) => {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** Whether the browser says that a page of this origin sent the request. */
const isOwn = ({ headers, url }: Request) => headers.get('origin') === new URL(url).origin

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
  { port = 0, host = '127.0.0.1', openid: hasOpenId = false, ...options }: PlaygroundOptions = {},
): Promise<Playground> {
  const openid = hasOpenId ? await startOpenId(options.accessTokenLifetime ?? LIFETIME) : undefined
  const world = createWorld({ ...options, openid, isOwn })

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Response> {
    const request = await toRequest(incoming, outgoing)
    const { pathname } = new URL(request.url)
    const answered = await world.handle(request, () => incoming.socket.destroy())
    if (answered) return answered
    const file = files.get(pathname)
    if (!file) return new Response('File not found.', { status: 404 })
    if (!/^(GET|HEAD)$/.test(request.method)) return new Response(null, { status: 405 })
    return new Response(file.body as BodyInit, { headers: { ...PAGE_HEADERS, 'content-type': file.type } })
  }

  const listener = createServer(async (incoming, outgoing) => {
    try {
      await send(await answer(incoming, outgoing), outgoing)
    } catch {
      // A fault dropped the answer, the page is offline, or the client has disconnected.
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
    server: world.server,
    async close() {
      await new Promise<void>((resolve) => {
        listener.close(() => resolve())
        listener.closeAllConnections()
        // Ends requests that the server holds back.
        world.server.reset()
      })
      await openid?.close()
    },
  }
}
