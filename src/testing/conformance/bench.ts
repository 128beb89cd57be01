import type { Auth, AuthEventMap } from '../../core/auth.ts'
import type { AuthOptions } from '../../core/options.ts'
import type { TokenResponse } from '../../core/ports.ts'
import { createAuth } from '../../defaults.ts'
import {
  createTokenServer,
  type TokenServer,
  type TokenServerOptions,
  type TokenServerRequest,
} from '../token-server/token-server.ts'

export interface Credentials {
  readonly username: string
  readonly password?: string
}

export type BenchAuth = Auth<Credentials>
export type BenchOptions = Partial<AuthOptions<Credentials>>
export type BenchRefresh = AuthOptions['refresh']
type Emitted = AuthEventMap['*']

/** A server on loopback, and sessions at it. */
export interface Bench {
  readonly server: TokenServer
  readonly url: string
  /** Everything the auths emitted, in order. */
  readonly events: Emitted[]
  /** The emitted events of one kind. */
  emitted<T extends keyof AuthEventMap>(type: T): AuthEventMap[T][]
  /** An auth whose `refresh`, `signIn` and `revoke` call the server. */
  createAuth(options?: BenchOptions): BenchAuth
  /** The same, signed in as `username` (default `'ada'`), with the server's log and counters and `events` empty again. */
  signedIn(options?: BenchOptions, username?: string): Promise<BenchAuth>
  /** The exchange as an app would write it, for scenarios that wrap it. */
  readonly refresh: BenchRefresh
  /** The requests that reached the API. */
  apiLog(): TokenServerRequest[]
  /** The requests that reached the token endpoint. */
  tokenLog(): TokenServerRequest[]
  /** What reached the server after the last request to the token endpoint. */
  sinceLastToken(): TokenServerRequest[]
  /** Requests whose `Authorization` header was made of something that is no token. */
  badHeaders(): TokenServerRequest[]
  /** Where everything stands, for whoever has to find out why a scenario does not end. */
  account(): string
  /** Disposes of the auths and closes the server. */
  close(): Promise<void>
}

export const isTokenRequest = ({ path }: { readonly path: string }) => path === '/token'

/** Requests that an account names at most. */
const LAST = 12

export const createBench = async (serverOptions: TokenServerOptions = {}): Promise<Bench> => {
  const server = createTokenServer(serverOptions)
  const { url, close } = await server.listen()
  const auths: BenchAuth[] = []
  const events: Emitted[] = []

  const post = async (
    path: string,
    parameters: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> => {
    const body = new URLSearchParams(parameters)
    const response = await fetch(`${url}${path}`, { method: 'POST', body, signal })
    if (!response.ok) throw response
    return response
  }

  const refresh: BenchRefresh = async ({ refreshToken, signal }) => {
    const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken ?? '' }
    return (await post('/token', parameters, signal)).json() as TokenResponse
  }

  const create = (options: BenchOptions = {}): BenchAuth => {
    const auth = createAuth<Credentials>({
      refresh,
      signIn: async ({ username, password = 'correct' }, { signal }) => {
        const response = await post('/token', { grant_type: 'password', username, password }, signal)
        return { ...((await response.json()) as TokenResponse), subject: username }
      },
      revoke: async ({ accessToken, refreshToken }, { signal }) => {
        await post('/revoke', { token: refreshToken ?? accessToken }, signal)
      },
      retry: { minDelay: 1, jitter: 0 },
      ...options,
    })
    auths.push(auth)
    auth.on('*', (event) => events.push(event))
    return auth
  }

  return {
    server,
    url,
    events,
    emitted: (type) => events.filter((event) => type === '*' || event.type === type) as never,
    createAuth: create,
    async signedIn(options, username = 'ada') {
      const auth = create(options)
      await auth.signIn({ username })
      server.reset()
      events.length = 0
      return auth
    },
    refresh,
    apiLog: () => server.log.filter(({ path }) => path.startsWith('/api/')),
    tokenLog: () => server.log.filter(isTokenRequest),
    sinceLastToken: () => server.log.slice(server.log.map(isTokenRequest).lastIndexOf(true) + 1),
    badHeaders: () =>
      server.log.filter(({ authorization }) =>
        /^(bearer)?$|undefined|null|NaN|\[object/i.test(authorization?.trim() ?? 'none'),
      ),
    account() {
      const states = auths.map(({ state }) => state).join(', ') || 'none'
      const last = server.log.slice(-LAST)
      const requests = last.map(({ method, path, status }) => `${method} ${path} ${status || 'unanswered'}`)
      const earlier = server.log.length - last.length
      return `Sessions: ${states}. Requests: ${earlier > 0 ? `${earlier} others, ` : ''}${requests.join(', ') || 'none'}.`
    },
    async close() {
      for (const auth of auths) auth.dispose()
      await close()
    },
  }
}
