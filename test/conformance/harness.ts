import { expect, onTestFinished } from 'vitest'
import type { Auth, AuthEmitted, AuthEventMap, AuthOptions, TokenResponse } from '../../src/index.ts'
import { createAuth } from '../../src/index.ts'
import type {
  TokenServer,
  TokenServerOptions,
  TokenServerRequest,
} from '../../src/testing/token-server/token-server.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'

export interface Credentials {
  readonly username: string
  readonly password?: string
}

export type TestAuth = Auth<Credentials>
export type TestOptions = Partial<AuthOptions<Credentials>>

export interface Bench {
  readonly server: TokenServer
  readonly url: string
  /** Everything the auths emitted, in order. */
  readonly events: AuthEmitted[]
  /** The emitted events of one kind. */
  emitted<T extends keyof AuthEventMap>(type: T): AuthEventMap[T][]
  /** An auth whose `refresh`, `signIn` and `revoke` call the server; disposed of after the test. */
  createAuth(options?: TestOptions): TestAuth
  /** The same, signed in as `username` (default `'ada'`), with the server's log and counters and `events` empty again. */
  signedIn(options?: TestOptions, username?: string): Promise<TestAuth>
  /** The exchange as an app would write it, for scenarios that wrap it. */
  readonly refresh: AuthOptions['refresh']
  /** The requests that reached the API. */
  apiLog(): TokenServerRequest[]
  /** The requests that reached the token endpoint. */
  tokenLog(): TokenServerRequest[]
  /** What reached the server after the last request to the token endpoint. */
  sinceLastToken(): TokenServerRequest[]
}

/** Rejections that nobody handled, since the last test looked. */
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

/** Node tells of an unhandled rejection once the microtasks have run dry, so two turns of the loop are enough. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A server on loopback and a maker of auths, both gone after the test, which fails where a rejection was left alone. */
export const setUp = async (serverOptions: TokenServerOptions = {}): Promise<Bench> => {
  const server = createTokenServer(serverOptions)
  const { url, close } = await server.listen()
  const auths: TestAuth[] = []
  const events: AuthEmitted[] = []

  onTestFinished(async () => {
    for (const auth of auths) auth.dispose()
    await close()
    await turn()
    await turn()
    expect(unhandled.splice(0), 'rejections that nobody handled').toEqual([])
    expect(badHeaders(server.log), 'headers made of something that is no token').toEqual([])
  })

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

  const refresh: AuthOptions['refresh'] = async ({ refreshToken, signal }) => {
    const parameters = { grant_type: 'refresh_token', refresh_token: refreshToken ?? '' }
    return (await post('/token', parameters, signal)).json() as TokenResponse
  }

  const create = (options: TestOptions = {}): TestAuth => {
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
  }
}

const badHeaders = (log: readonly TokenServerRequest[]) =>
  log.filter(({ authorization }) =>
    /^(bearer)?$|undefined|null|NaN|\[object/i.test(authorization?.trim() ?? 'none'),
  )

export const isTokenRequest = ({ path }: { readonly path: string }) => path === '/token'

/** The next event of that kind, from now on. */
export const nextEvent = <T extends keyof AuthEventMap>(
  auth: Pick<TestAuth, 'on'>,
  type: T,
  matches: (event: AuthEventMap[T]) => boolean = () => true,
): Promise<AuthEventMap[T]> =>
  new Promise((resolve) => {
    const stop = auth.on(type, (event) => {
      if (!matches(event)) return
      stop()
      resolve(event)
    })
  })

/** When the chart enters the state of that path, from now on. */
export const entered = (auth: Pick<TestAuth, 'on'>, to: string) =>
  nextEvent(auth, 'transition', (event) => event.to === to)

/** Starts `n` things at once. */
export const times = <T>(n: number, start: (index: number) => Promise<T>): Promise<T>[] =>
  Array.from({ length: n }, (_, index) => start(index))

/** What each of them came to: the error where it rejected, the value where it did not. */
export const outcomes = async (promises: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((result) =>
    result.status === 'fulfilled' ? result.value : result.reason,
  )

/** A `Storage` as a page has it, over a `Map`. */
export const mapStorage = (): Storage => {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, String(value)),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  }
}
