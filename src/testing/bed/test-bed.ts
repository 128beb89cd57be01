import type { AuthEmitted } from '../../../machines/index.ts'
import type { Auth } from '../../core/auth.ts'
import { AuthError } from '../../core/errors.ts'
import { defineCoordinator, defineStorage } from '../../core/features/share.ts'
import type { AuthOptions } from '../../core/options.ts'
import type { SessionRecord, TokenResponse, UserFacts } from '../../core/ports.ts'
import { createAuth } from '../../defaults.ts'
import type { TransportClient, TransportFactory } from '../conformance/types.ts'
import { placeOf } from '../model/chart-parts.ts'
import {
  type ModelSettings,
  type ResolvedModelSettings,
  resolveModelSettings,
} from '../model/model-options.ts'
import type { Outcome } from '../model/model-state.ts'
import {
  createTokenServer,
  type HeldApiRequest,
  type TokenServer,
  type TokenServerOptions,
} from '../token-server/token-server.ts'
import { createVirtualClock, settled, type VirtualClock } from '../virtual-clock.ts'
import { recordsOf } from './bed-records.ts'
import {
  type AnyClaims,
  type Facts,
  factsOf,
  readCredentials,
  type TestBedCredentials,
  type TestBedUsers,
} from './bed-users.ts'
import { createEndpointMode, type EndpointMode } from './endpoint-mode.ts'
import { createPlainClient } from './plain-client.ts'
import { initialTokens, sessionOptions, timeoutOptions } from './session-options.ts'
import { createTestEnvironment, type TestEnvironment } from './test-environment.ts'
import { createTestStore, type TestStore } from './test-store.ts'
import { createTokenClient } from './token-client.ts'

export interface TestBedOptions<Credentials = TestBedCredentials, Claims = AnyClaims, User = UserFacts>
  extends ModelSettings,
    TestBedUsers<Credentials, Claims, User> {
  /** More options for the token server: what its API answers. */
  readonly server?: Pick<TokenServerOptions, 'routes' | 'scope' | 'previousAccessTokenDies'>
  /**
   * The transport that sends the requests. With it, API and token requests use real HTTP. Default: a plain transport that is
   * answered in process.
   */
  readonly transport?: TransportFactory
  /** Whether the store holds reads until `bed.store.release()`. Default: `false`. */
  readonly holdsStore?: boolean
  /** More options for `createAuth`, except those that the settings have and those that the test controls. */
  readonly auth?: Partial<Omit<AuthOptions<Credentials, User>, OptionsOfBed>>
}

type SignIn<Credentials, User> = NonNullable<AuthOptions<Credentials, User>['signIn']>

type OptionsOfBed =
  | Exclude<keyof ModelSettings, 'timeouts'>
  | 'clock'
  | 'environment'
  | 'initialTokens'
  | 'storage'

/** The observable state of a session. */
export interface Observed {
  /** The path of the chart's state. */
  readonly place: string
  /** The user who is signed in; `undefined` without a session. */
  readonly subject: string | undefined
  /** The number of the session: each sign-in and each sign-out raises it. */
  readonly epoch: number
  /** The number of the token set: each new token set raises it. */
  readonly generation: number
  /** The number of held requests. */
  readonly held: number
  /** Outcomes of requests and refreshes since the last `look()`. */
  readonly outcomes: readonly Outcome[]
  /** Names of the events emitted since the last `look()`, except transitions. */
  readonly emitted: readonly string[]
}

/**
 * A session whose server, clock, store and network the test controls. Its types are those of the app: `TestBed<Credentials,
 * Claims, User>`.
 */
export interface TestBed<Credentials = TestBedCredentials, Claims = AnyClaims, User = UserFacts> {
  /** The session under test, which the app gets. */
  readonly auth: Auth<Credentials, Claims, User>
  /** The token server and its API: faults, grants, and the log of requests. */
  readonly server: TokenServer
  /** The clock of the session and, without the changes of `setClock`, of the server. It moves only by a call. */
  readonly clock: VirtualClock
  /** The store of the session. It is empty, and not used, if `start` is `'noStorage'`. */
  readonly store: TestStore
  /** The network and the page, whose signals the test sends. */
  readonly environment: TestEnvironment
  /** How the token endpoint answers. */
  readonly endpoint: EndpointMode
  /** The settings with all defaults, as the model has them. */
  readonly settings: ResolvedModelSettings
  /** The origin of the API. */
  readonly origin: string
  /** Requests that the API holds. */
  readonly flying: HeldApiRequest[]
  /** Sends a request. `look()` reports its outcome. */
  send(path: string, name?: 'request' | 'stepUp'): void
  /**
   * Signs a user in, whatever the credentials of the app look like. `look()` reports the outcome.
   *
   * @param password Default: `'correct'`
   */
  signIn(username: string, password?: string): void
  /** A token response of a new session of a user, for `auth.setTokens`. */
  tokensOf(username: string): TokenResponse
  /** Watches a promise of the session. `look()` reports its outcome. */
  watch(promise: Promise<unknown>, name: 'refresh' | 'signIn'): void
  /** A store record for tokens of another tab's session. */
  recordOf(tokens: TokenResponse, more: Partial<SessionRecord>): SessionRecord
  /** Resolves when the bed is idle: nothing runs, except what the test holds. */
  settle(): Promise<void>
  /** Advances the time by `ms` milliseconds, and waits until the bed is idle after each timer. */
  pass(ms: number): Promise<void>
  /** Changes the clock of the session by `ms` milliseconds. The server's clock stays. */
  setClock(ms: number): void
  /** Returns the observable state, and what happened since the last call. */
  look(): Observed
  /** Disposes of the session and closes the server. */
  close(): Promise<void>
}

/** How long `settle` waits for the network before it fails, in milliseconds of real time. */
const SETTLE_TIMEOUT = 10_000

/**
 * Creates a session on virtual time, with a token server, a store and a network that the test controls.
 *
 * @param options the options of the session, and its state at the start
 * @returns the bed; close it after the test
 *
 * @example
 * ```ts
 * const bed = await createTestBed({
 *   start: 'stored',
 *   credentials: ({ email, pin }: { email: string; pin: string }) => ({ username: email, password: pin }),
 *   user: (subject) => ({ name: subject === 'ada' ? 'Ada Lovelace' : 'Grace Hopper' }),
 *   server: { routes: { '/api/items': { handler: () => Response.json(['Tea', 'Milk']) } } },
 * })
 * const api = createAuthFetch(bed.auth, { fetch: bed.server.fetch, origins: [bed.origin] })
 * ```
 */
export async function createTestBed<
  Credentials = TestBedCredentials,
  Claims = AnyClaims,
  User extends object = UserFacts,
>(options: TestBedOptions<Credentials, Claims, User> = {}): Promise<TestBed<Credentials, Claims, User>> {
  const settings = resolveModelSettings(options)
  const clock = createVirtualClock()
  let skew = 0
  const server = createTokenServer({
    ...options.server,
    accessTokenLifetime: settings.lifetime,
    reuseGrace: Number.POSITIVE_INFINITY,
    now: () => clock.now() - skew,
  })
  const served = options.transport && (await server.listen())
  const origin = served?.url ?? server.origin
  const send = served ? globalThis.fetch : server.fetch
  const store = createTestStore()
  const environment = createTestEnvironment()
  const facts = factsOf(options)
  const endpoint = createEndpointMode(server, settings.retryAfter)
  const tokenClient = createTokenClient(send, origin, environment, endpoint, facts)

  const tokensOf = (username: string): TokenResponse<User> => ({
    ...server.issue(username),
    ...(facts(username) as Facts<User>),
  })
  const recordOf = recordsOf(clock, settings.lifetime, facts)
  const { start } = settings
  if (start === 'stored') store.record = recordOf(server.issue('ada'), {})
  if (start === 'storedExpired') store.record = recordOf(server.issue('ada'), { expiresAt: clock.now() })
  store.broken = start === 'storageBroken'
  if (options.holdsStore) store.hold()
  if (start === 'cookie') await tokenClient.signInWithCookie()
  await endpoint.set(settings.endpoint, async () => {})

  const signIn = tokenClient.functions.signIn as SignIn<Credentials, User>
  /** Credentials of `bed.signIn`, which are those of the token server. */
  const own = new WeakSet<object>()
  const auth = createAuth<Credentials, Claims, User>({
    ...tokenClient.functions,
    ...options.auth,
    signIn(credentials, more) {
      if (own.has(credentials as object)) return signIn(credentials, more)
      if (options.auth?.signIn) return options.auth.signIn(credentials, more)
      return signIn(readCredentials(options, credentials) as Credentials, more)
    },
    ...sessionOptions(settings),
    timeouts: { ...options.auth?.timeouts, ...timeoutOptions(settings) },
    ...initialTokens(settings, tokensOf),
    ...(start !== 'noStorage' && {
      storage: defineStorage(store),
      coordinator: defineCoordinator(store.coordinator),
    }),
    environment,
    clock,
  }) as Auth<Credentials, Claims, User>

  const emitted: AuthEmitted[] = []
  auth.on('*', (event) => void emitted.push(event))
  const outcomes: Outcome[] = []
  const client: TransportClient =
    options.transport?.(auth as unknown as Auth, { origin }) ?? createPlainClient(auth, server)
  const flying: HeldApiRequest[] = []
  let sent = 0

  const codeOf = (error: unknown) =>
    error instanceof AuthError ? error.code : `failed with ${String(error)}`
  function watch(promise: Promise<unknown>, name: 'refresh' | 'signIn') {
    promise.then(
      () => {
        if (name === 'refresh') outcomes.push('refresh: renewed')
      },
      (error) => {
        if (name === 'refresh') outcomes.push(`refresh: ${codeOf(error)}`)
      },
    )
  }

  const heldCount = () => auth.actor.getSnapshot().context.held
  /** Whether everything that was started waits for the test, and nothing for the network. */
  const isIdle = () => tokenClient.running() === tokenClient.held() && sent === heldCount() + flying.length

  async function settle() {
    const start = performance.now()
    for (let idleTurns = 0; idleTurns < 2; idleTurns = isIdle() ? idleTurns + 1 : 0) {
      await clock.advance(0)
      if (performance.now() - start < SETTLE_TIMEOUT) continue
      const waits = `${tokenClient.running()} calls, ${tokenClient.held()} of them held; ${sent} requests, ${heldCount()} + ${flying.length} of them held`
      throw new Error(`The test bed did not become idle within ${SETTLE_TIMEOUT} ms: ${waits}.`)
    }
  }

  const bed: TestBed<Credentials, Claims, User> = {
    auth,
    server,
    clock,
    store,
    environment,
    endpoint,
    settings,
    origin,
    flying,
    recordOf,
    watch,
    settle,
    tokensOf,
    signIn(username, password = 'correct') {
      const credentials = { username, password }
      own.add(credentials)
      watch(auth.signIn(credentials as Credentials), 'signIn')
    },
    send(path, name = 'request') {
      sent++
      client
        .request(path, { method: 'GET' })
        .then(
          ({ status }) =>
            status === 200 ? 'answered' : status === 401 ? 'unauthorized' : `answered ${status}`,
          codeOf,
        )
        .then((outcome) => {
          sent--
          if (name === 'request') outcomes.push(`request: ${outcome}`)
        })
        .catch(() => {})
    },
    pass: (ms) => passTime(clock, settle, ms),
    setClock(ms) {
      skew += ms
      clock.jump(ms)
    },
    look: () => ({ ...observe(auth), outcomes: outcomes.splice(0), emitted: namesOf(emitted.splice(0)) }),
    async close() {
      auth.dispose()
      await client.close?.()
      await served?.close()
      server.reset()
      await settled()
    },
  }
  await settle()
  return bed
}

/** Advances the time from timer to timer. */
async function passTime(clock: VirtualClock, settle: () => Promise<void>, ms: number) {
  let remaining = ms
  await settle()
  while (clock.nextIn !== undefined && clock.nextIn <= remaining) {
    const step = clock.nextIn
    remaining -= step
    await clock.advance(step)
    await settle()
  }
  await clock.advance(remaining)
  await settle()
}

function observe({ session, actor }: Pick<Auth<never, unknown, unknown>, 'session' | 'actor'>) {
  const { context, value } = actor.getSnapshot()
  const { epoch, generation, held } = context
  return { place: placeOf(value), subject: session?.subject, epoch, generation, held }
}

const namesOf = (emitted: readonly AuthEmitted[]) =>
  emitted.map(({ type }) => type).filter((type) => type !== 'transition')
