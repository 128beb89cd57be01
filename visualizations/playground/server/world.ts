/** The server of the playground without its connections: the token server, its API, and the controls of the buttons. */
import { createTokenServer, type TokenServer, type TokenServerRoute } from 'authchart/testing'
import { OPENID_PATH, PAGE_HEADER } from '../headers.ts'
import { createConnections } from './connections.ts'
import { createControls } from './controls.ts'
import type { OpenId } from './openid.ts'
import { createRefreshFaults } from './refresh-faults.ts'
import { createServerClock } from './server-clock.ts'
import { slowApi } from './slow-api.ts'

export interface WorldOptions {
  /** The API under `/api/`. Default: one with a latency for each path. */
  readonly api?: TokenServerRoute
  /** The lifetime of an access token, in milliseconds. Default: 20,000, short enough to watch a refresh. */
  readonly accessTokenLifetime?: number
  /** A real OpenID provider that issues tokens for the API, too. Default: none. */
  readonly openid?: OpenId | undefined
  /** Whether the page itself sent a request to a control, and not another site. Default: every request is the page's. */
  readonly isOwn?: (request: Request) => boolean
}

export interface World {
  /** The token server, for tests. */
  readonly server: TokenServer
  /**
   * Answers a request of the page. `undefined`: the path is none of the server's. Rejects if the connection must be closed
   * without an answer.
   *
   * @param drop closes the connection of the request
   */
  handle(request: Request, drop: () => void): Promise<Response | undefined>
}

/** The lifetime of an access token, in milliseconds: short enough to watch a refresh. */
export const LIFETIME = 20_000
/** The latency of the token endpoint, in milliseconds. */
const TOKEN_DELAY = 600
/** How long the server accepts the previous refresh token, in milliseconds, because an answer may be lost. */
const GRACE = 10_000

const TOKEN_SERVER = /^\/(api\/|session$|token$|token\/revoke$|revoke$)/
/** The token server issues JWTs, the provider does not. */
const OPAQUE = /^(Bearer|DPoP) [^.]+$/

export function createWorld({
  api = slowApi,
  accessTokenLifetime = LIFETIME,
  openid,
  isOwn = () => true,
}: WorldOptions = {}): World {
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
  const faults = createRefreshFaults(server, answer)
  const control = createControls({ server, openid, clock, connections, faults, isOwn })

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (openid && pathname.startsWith(OPENID_PATH)) return openid.relay(request)
    if (!openid || !OPAQUE.test(request.headers.get('authorization') ?? '')) return server.handle(request)
    const owner = await openid.check(request)
    if (owner instanceof Response) return owner
    const rest = { scope: '', acr: undefined, authenticatedAt: clock.now() }
    return api.handler?.(request, { ...owner, ...rest }) ?? Response.json(owner)
  }

  return {
    server,
    async handle(request, drop) {
      const { pathname } = new URL(request.url)
      if (pathname.startsWith('/playground/')) return control(request)
      if (!TOKEN_SERVER.test(pathname) && !(openid && pathname.startsWith(`${OPENID_PATH}/`)))
        return undefined
      const close = connections.open(request.headers.get(PAGE_HEADER) ?? '', drop)
      try {
        return await faults.handle(request)
      } finally {
        close()
      }
    },
  }
}
