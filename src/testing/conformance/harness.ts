import type { Auth, AuthEventMap } from '../../core/auth.ts'
import type { AuthOptions, RefreshRequest } from '../../core/options.ts'
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

export type HarnessAuth = Auth<Credentials>
export type HarnessOptions = Partial<AuthOptions<Credentials>>
export type HarnessRefresh = (request: RefreshRequest) => Promise<TokenResponse>
type Emitted = AuthEventMap['*']

/** A token server on loopback, and sessions that use it. */
export interface Harness {
  readonly server: TokenServer
  readonly url: string
  /** All events of all sessions, in order. */
  readonly events: Emitted[]
  /** The emitted events of one type. */
  emitted<T extends keyof AuthEventMap>(type: T): AuthEventMap[T][]
  /** Creates a session whose `refresh`, `signIn` and `revoke` call the server. */
  createAuth(options?: HarnessOptions): HarnessAuth
  /** Creates a session, signs in as `username` (default `'ada'`), and clears the server's log and counters and `events`. */
  signedIn(options?: HarnessOptions, username?: string): Promise<HarnessAuth>
  /** The `refresh` function of an app, for scenarios that wrap it. */
  readonly refresh: HarnessRefresh
  /** The requests that reached the API. */
  apiLog(): TokenServerRequest[]
  /** The requests that reached the token endpoint. */
  tokenLog(): TokenServerRequest[]
  /** The requests after the last request to the token endpoint. */
  sinceLastToken(): TokenServerRequest[]
  /** Requests whose `Authorization` header has something else than a token, such as `undefined`. */
  badHeaders(): TokenServerRequest[]
  /** The sessions and the last requests, for the error message of a scenario that does not end. */
  summary(): string
  /** Disposes of the sessions and closes the server. */
  close(): Promise<void>
}

/** The OAuth grant that a token request uses. */
export const grantOf = ({ bodyText }: Pick<TokenServerRequest, 'bodyText'>) =>
  new URLSearchParams(bodyText).get('grant_type')

export const isTokenRequest = ({ path }: { readonly path: string }) => path === '/token'

/** The maximum number of requests in a summary. */
const SUMMARY_LENGTH = 12

/** What requests to the token server pass through, and what sessions need for that. */
export interface Front {
  readonly url: string
  /** Sends token requests. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly session: HarnessOptions
  close(): Promise<void>
}

/** @param openFront puts something in front of the server, such as a check of proofs */
export const createHarness = async (
  serverOptions: TokenServerOptions = {},
  openFront?: (url: string) => Promise<Front>,
): Promise<Harness> => {
  const server = createTokenServer(serverOptions)
  const listening = await server.listen()
  const front = await openFront?.(listening.url)
  const url = front?.url ?? listening.url
  const auths: HarnessAuth[] = []
  const events: Emitted[] = []

  const post = async (
    path: string,
    parameters: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> => {
    const body = new URLSearchParams(parameters)
    const send = front?.fetch ?? fetch
    const response = await send(`${url}${path}`, { method: 'POST', body, signal })
    if (!response.ok) throw response
    return response
  }

  const refresh: HarnessRefresh = async ({ refreshToken, signal }) => {
    const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken ?? '' }
    // Not `json()`: in Bun it reads an empty body as `null`.
    return JSON.parse(await (await post('/token', parameters, signal)).text()) as TokenResponse
  }

  const create = (options: HarnessOptions = {}): HarnessAuth => {
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
      ...front?.session,
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
    summary() {
      const states = auths.map(({ state }) => state).join(', ') || 'none'
      const last = server.log.slice(-SUMMARY_LENGTH)
      const requests = last.map(({ method, path, status }) => `${method} ${path} ${status || 'unanswered'}`)
      const earlier = server.log.length - last.length
      return `Sessions: ${states}. Requests: ${earlier > 0 ? `${earlier} others, ` : ''}${requests.join(', ') || 'none'}.`
    },
    async close() {
      for (const auth of auths) auth.dispose()
      await front?.close()
      await listening.close()
    },
  }
}
