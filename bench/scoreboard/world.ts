import { listenOverHttp } from '../../src/testing/token-server/listener.ts'
import type { TokenServerRequest } from '../../src/testing/token-server/requests.ts'
import {
  createTokenServer,
  type TokenServer,
  type TokenServerOptions,
} from '../../src/testing/token-server/token-server.ts'
import type { Adapter, Handle, Peer, PeerClient, PeerWorld, TokenAnswer, Variant } from './types.ts'

const HOUR = 3_600_000

export interface OpenOptions {
  /** Opens the session with tokens that expired an hour ago, for the server and for everybody who reads their lifetime. */
  readonly expired?: boolean
  /** Omits `expires_in` from all token responses. */
  readonly withoutLifetime?: boolean
  readonly server?: TokenServerOptions
}

/** One server, one library, one signed-in user. */
export interface Stage {
  readonly server: TokenServer
  readonly client: PeerClient
  readonly origin: string
  /** The requests that reached the API. */
  apiLog(path?: string): TokenServerRequest[]
  /** The requests that reached the token endpoint. */
  tokenLog(): TokenServerRequest[]
  /** Replaces what the token endpoint answers from now on. */
  alterTokens(alter: (answer: TokenAnswer) => unknown): void
}

export interface Scene {
  /** Opens a session of Ada. */
  open(options?: OpenOptions): Promise<Stage>
  /** Another origin on another host, with its own server. */
  openForeign(): Promise<{ readonly origin: string; readonly server: TokenServer }>
  close(): Promise<void>
}

const isToken = ({ path }: TokenServerRequest) => path === '/token'

export function createScene(peer: Peer, adapter: Adapter, variant: Variant): Scene {
  const closers: (() => unknown)[] = []

  const openForeign = async () => {
    const server = createTokenServer()
    const { url, close } = await server.listen({ hostname: 'localhost' })
    closers.push(close)
    return { origin: url, server }
  }

  const open = async ({ expired = false, withoutLifetime = false, server: options }: OpenOptions = {}) => {
    let age = 0
    const now = options?.now ?? Date.now
    const server = createTokenServer({ jwt: peer.jwt ?? false, ...options, now: () => now() - age })
    // A token server counts the lifetime from its own clock. A client that reads the answer now counts from now.
    const withAge = ({ expires_in = 0, ...rest }: TokenAnswer): TokenAnswer =>
      withoutLifetime ? rest : { ...rest, expires_in: expires_in - age / 1000 }
    let alter: ((answer: TokenAnswer) => unknown) | undefined

    const forward: Handle = async (request) => {
      const response = await server.handle(request)
      const { pathname } = new URL(request.url)
      if (pathname !== '/token' || !response.ok) return response
      if (!age && !withoutLifetime && !alter) return response
      const answer = await response
        .clone()
        .json()
        .catch(() => undefined)
      if (typeof answer !== 'object' || answer === null) return response
      return Response.json((alter ?? ((same) => same))(withAge(answer)) ?? null)
    }
    const world: PeerWorld & { origin: string; expired: boolean } = {
      origin: '',
      expired,
      issue: (user) => withAge(server.issue(user)),
    }
    const backend = adapter.backend?.(forward, world) ?? forward
    const listening = await listenOverHttp(backend, {}, () => server.reset())
    closers.push(listening.close)
    world.origin = listening.url

    if (expired) age = (options?.accessTokenLifetime ?? HOUR) + HOUR
    const client = await adapter.open(world, variant)
    closers.unshift(() => client.close?.())
    await client.signIn('ada')
    age = 0
    world.expired = false
    server.reset()
    return {
      server,
      client,
      origin: world.origin,
      apiLog: (path) => server.log.filter((e) => (path ? e.path === path : e.path.startsWith('/api/'))),
      tokenLog: () => server.log.filter(isToken),
      alterTokens: (next) => {
        alter = next
      },
    } satisfies Stage
  }

  return {
    open,
    openForeign,
    async close() {
      for (const close of closers) await close()
    },
  }
}
