import type { AuthEmitted } from '../../../machines/index.ts'
import type { Auth } from '../../core/auth.ts'
import { AuthError } from '../../core/errors.ts'
import { defineCoordinator, defineStorage } from '../../core/features/share.ts'
import type { AuthOptions } from '../../core/options.ts'
import type { SessionRecord, TokenResponse } from '../../core/ports.ts'
import { createAuth } from '../../defaults.ts'
import type { TransportClient, TransportFactory } from '../conformance/types.ts'
import { placeOf } from '../model/chart-parts.ts'
import {
  type ModelSettings,
  type ResolvedModelSettings,
  resolveModelSettings,
} from '../model/model-options.ts'
import type { Outcome } from '../model/model-state.ts'
import { createTokenServer, type HeldApiRequest, type TokenServer } from '../token-server/token-server.ts'
import { createVirtualClock, settled, type VirtualClock } from '../virtual-clock.ts'
import { createEndpointMode, type EndpointMode } from './endpoint-mode.ts'
import { createPlainClient } from './plain-client.ts'
import { initialTokens, sessionOptions, timeoutOptions } from './session-options.ts'
import { createTestEnvironment, type TestEnvironment } from './test-environment.ts'
import { createTestStore, type TestStore } from './test-store.ts'
import { createTokenClient, type TestBedCredentials } from './token-client.ts'

export type TestBedAuth = Auth<TestBedCredentials>

export interface TestBedOptions extends ModelSettings {
  /**
   * The transport that sends the requests. With it, API and token requests use real HTTP. Default: a plain transport that is
   * answered in process.
   */
  readonly transport?: TransportFactory
  /** Whether the store holds reads until `bed.store.release()`. Default: `false`. */
  readonly holdsStore?: boolean
  /** More options for `createAuth`, except those that the settings have and those that the test controls. */
  readonly auth?: Partial<Omit<AuthOptions<TestBedCredentials>, OptionsOfBed>>
}

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
  readonly subject: string | undefined
  readonly epoch: number
  readonly generation: number
  /** The number of held requests. */
  readonly held: number
  /** Outcomes of requests and refreshes since the last `look()`. */
  readonly outcomes: readonly Outcome[]
  /** Names of the events emitted since the last `look()`, except transitions. */
  readonly emitted: readonly string[]
}

/** A session whose server, clock, store and network the test controls. */
export interface TestBed {
  readonly auth: TestBedAuth
  readonly server: TokenServer
  readonly clock: VirtualClock
  readonly store: TestStore
  readonly environment: TestEnvironment
  readonly endpoint: EndpointMode
  readonly settings: ResolvedModelSettings
  /** The origin of the API. */
  readonly origin: string
  /** Requests that the API holds. */
  readonly flying: HeldApiRequest[]
  /** Sends a request. `look()` reports its outcome. */
  send(path: string, name?: 'request' | 'stepUp'): void
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
 */
export async function createTestBed(options: TestBedOptions = {}): Promise<TestBed> {
  const settings = resolveModelSettings(options)
  const clock = createVirtualClock()
  let skew = 0
  const server = createTokenServer({
    accessTokenLifetime: settings.lifetime,
    reuseGrace: Number.POSITIVE_INFINITY,
    now: () => clock.now() - skew,
  })
  const served = options.transport && (await server.listen())
  const origin = served?.url ?? server.origin
  const send = served ? globalThis.fetch : server.fetch
  const store = createTestStore()
  const environment = createTestEnvironment()
  const endpoint = createEndpointMode(server, settings.retryAfter)
  const tokenClient = createTokenClient(send, origin, environment, endpoint)

  const recordOf = recordsOf(clock, settings.lifetime)
  const { start } = settings
  if (start === 'stored') store.record = recordOf(server.issue('ada'), {})
  if (start === 'storedExpired') store.record = recordOf(server.issue('ada'), { expiresAt: clock.now() })
  store.broken = start === 'storageBroken'
  if (options.holdsStore) store.hold()
  if (start === 'cookie') await tokenClient.signInWithCookie()
  await endpoint.set(settings.endpoint, async () => {})

  const auth: TestBedAuth = createAuth<TestBedCredentials>({
    ...tokenClient.functions,
    ...options.auth,
    ...sessionOptions(settings),
    timeouts: { ...options.auth?.timeouts, ...timeoutOptions(settings) },
    ...initialTokens(settings, server),
    ...(start !== 'noStorage' && {
      storage: defineStorage(store),
      coordinator: defineCoordinator(store.coordinator),
    }),
    environment,
    clock,
  })

  const emitted: AuthEmitted[] = []
  auth.on('*', (event) => void emitted.push(event))
  const outcomes: Outcome[] = []
  const client: TransportClient = options.transport?.(auth, { origin }) ?? createPlainClient(auth, server)
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

  const bed: TestBed = {
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
    async pass(ms) {
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
    },
    setClock(ms) {
      skew += ms
      clock.jump(ms)
    },
    look() {
      const { session, actor } = auth
      const { context, value } = actor.getSnapshot()
      return {
        place: placeOf(value),
        subject: session?.subject,
        epoch: context.epoch,
        generation: context.generation,
        held: context.held,
        outcomes: outcomes.splice(0),
        emitted: emitted
          .splice(0)
          .map(({ type }) => type)
          .filter((type) => type !== 'transition'),
      }
    },
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

/** Creates store records for new sessions of a user. */
const recordsOf =
  (clock: VirtualClock, lifetime: number): TestBed['recordOf'] =>
  (tokens, more) => ({
    version: 1,
    id: `tab-${clock.now()}`,
    rotation: 0,
    startedAt: clock.now(),
    receivedAt: clock.now(),
    accessToken: tokens.access_token ?? '',
    ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}),
    expiresAt: clock.now() + lifetime,
    subject: 'ada',
    ...more,
  })
