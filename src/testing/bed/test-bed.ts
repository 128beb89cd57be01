import type { AuthEmitted } from '../../../machines/index.ts'
import type { Auth } from '../../core/auth.ts'
import { bearerRequest } from '../../core/bearer-request.ts'
import { AuthError } from '../../core/errors.ts'
import type { AuthOptions } from '../../core/options.ts'
import type { SessionRecord, TokenResponse } from '../../core/ports.ts'
import { createAuth } from '../../defaults.ts'
import type { TransportClient, TransportFactory } from '../conformance/types.ts'
import {
  type ModelSettings,
  type ResolvedModelSettings,
  resolveModelSettings,
} from '../model/model-options.ts'
import { type Outcome, placeOf } from '../model/model-state.ts'
import { createTokenServer, type HeldApiRequest, type TokenServer } from '../token-server/token-server.ts'
import { createVirtualClock, settled, type VirtualClock } from '../virtual-clock.ts'
import { createEndpointMode, type EndpointMode } from './endpoint-mode.ts'
import { createTestEnvironment, type TestEnvironment } from './test-environment.ts'
import { createTestStore, type TestStore } from './test-store.ts'

export interface TestBedCredentials {
  readonly username: string
  readonly password: string
}
export type TestBedAuth = Auth<TestBedCredentials>

export interface TestBedOptions extends ModelSettings {
  /**
   * The transport that sends the requests: over real HTTP, as do the token requests then. Default: a plain one, answered
   * in process.
   */
  readonly transport?: TransportFactory
  /** Whether the store keeps the first read waiting, until `bed.store.release()`. Default: `false`. */
  readonly holdsStore?: boolean
  /** More options for its `createAuth`. Those that the bed needs itself win: `clock`, `storage`, `environment`. */
  readonly auth?: Partial<AuthOptions<TestBedCredentials>>
}

/** What a session looks like from outside. */
export interface Observed {
  readonly place: string
  readonly subject: string | undefined
  readonly epoch: number
  readonly generation: number
  /** Requests that wait. */
  readonly held: number
  /** How requests and refreshes came out since the last look. */
  readonly outcomes: readonly Outcome[]
  /** Names of the events emitted since the last look, transitions left out. */
  readonly emitted: readonly string[]
}

/** A session with everything around it under the test's control. */
export interface TestBed {
  readonly auth: TestBedAuth
  readonly server: TokenServer
  readonly clock: VirtualClock
  readonly store: TestStore
  readonly environment: TestEnvironment
  readonly endpoint: EndpointMode
  readonly settings: ResolvedModelSettings
  /** Where the API is. */
  readonly origin: string
  /** Requests whose answer the API keeps back. */
  readonly flying: HeldApiRequest[]
  /** Sends a request; how it came out is seen in `look()`. */
  send(path: string, name?: 'request' | 'stepUp'): void
  /** Watches a promise of the session; how it came out is seen in `look()`. */
  watch(promise: Promise<unknown>, name: 'refresh' | 'signIn'): void
  /** Tokens for a session that somebody else signed in to. */
  recordOf(tokens: TokenResponse, more: Partial<SessionRecord>): SessionRecord
  /** Comes back when nothing moves any more. */
  settle(): Promise<void>
  /** Lets time pass, in milliseconds, and waits for what each timer sets going. */
  pass(ms: number): Promise<void>
  /** Sets the clock of the session alone, in milliseconds from now. */
  setClock(ms: number): void
  look(): Observed
  /** Disposes of the session and closes the server. */
  close(): Promise<void>
}

/** How long the network may take, in milliseconds of real time, before a bed that does not settle is given up. */
const PATIENCE = 10_000

/** Names a call to the token endpoint, so that the bed knows it again at the server. */
const CALL = 'x-test-call'

/**
 * Makes a session on virtual time, with a token server, a store and a network that do as the test says.
 *
 * @param options how the session is set up and what it starts with
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
  let cookie: string | undefined

  /** Calls of the session's own functions that are on their way, and how many wait for the endpoint to recover. */
  const calls = new Set<string>()
  let parked = 0
  let count = 0
  async function call<T>(work: (id: string) => Promise<T>): Promise<T> {
    if (!environment.online()) throw new TypeError('fetch failed')
    const id = `${++count}`
    calls.add(id)
    try {
      return await work(id)
    } finally {
      calls.delete(id)
    }
  }
  async function post(
    path: string,
    form: Record<string, string>,
    { id = '', signal }: { readonly id?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Response> {
    const headers = new Headers({ [CALL]: id })
    if (cookie !== undefined && form.refresh_token === undefined) headers.set('cookie', cookie)
    const response = await send(`${origin}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers,
      ...(signal && { signal }),
    })
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie
    if (!response.ok) throw response
    return response
  }
  const ask = async (
    form: Record<string, string>,
    from: { readonly id: string; readonly signal: AbortSignal },
  ) => (await post('/token', form, from)).json() as Promise<TokenResponse>

  const recordOf: TestBed['recordOf'] = (tokens, more) => ({
    version: 1,
    id: `tab-${clock.now()}`,
    rotation: 0,
    startedAt: clock.now(),
    receivedAt: clock.now(),
    accessToken: tokens.access_token ?? '',
    ...(tokens.refresh_token ? { refreshToken: tokens.refresh_token } : {}),
    expiresAt: clock.now() + settings.lifetime,
    subject: 'ada',
    ...more,
  })

  const { start } = settings
  if (start === 'stored') store.record = recordOf(server.issue('ada'), {})
  if (start === 'storedExpired') store.record = recordOf(server.issue('ada'), { expiresAt: clock.now() })
  store.broken = start === 'storageBroken'
  if (options.holdsStore) store.hold()
  if (start === 'cookie') {
    await post('/token', { grant_type: 'password', username: 'ada', password: 'correct', cookie: '1' })
  }
  await endpoint.set(settings.endpoint, async () => {})

  const { attempts, minDelay, maxDelay, idle, absolute } = settings
  const auth: TestBedAuth = createAuth<TestBedCredentials>({
    refresh: ({ refreshToken, signal }) =>
      call((id) => {
        if (refreshToken !== undefined)
          return ask({ grant_type: 'refresh_token', refresh_token: refreshToken }, { id, signal })
        return ask({ grant_type: 'refresh_token', cookie: '1' }, { id, signal }).then((tokens) => ({
          ...tokens,
          subject: 'ada',
        }))
      }),
    signIn: ({ username, password }, { signal }) =>
      call(async (id) => ({
        ...(await ask({ grant_type: 'password', username, password }, { id, signal })),
        subject: username,
      })),
    revoke: ({ accessToken, refreshToken }, { signal }) =>
      call(async () => {
        parked++
        await endpoint.untilAnswered()
        parked--
        await post('/revoke', { token: refreshToken ?? accessToken }, { signal })
      }),
    ...options.auth,
    ...(settings.refreshAhead !== undefined && { refreshAhead: settings.refreshAhead }),
    renew: settings.renew,
    silentSignIn: settings.silentSignIn,
    ambiguousRefresh: settings.ambiguousRefresh,
    whenExpired: settings.whenExpired,
    retry: { attempts, minDelay, maxDelay, jitter: 0 },
    timeouts: {
      ...options.auth?.timeouts,
      refresh: settings.refreshTimeout,
      signIn: settings.signInTimeout,
      revoke: settings.revokeTimeout,
      hold: settings.holdTimeout,
    },
    limits: {
      ...(idle < Number.POSITIVE_INFINITY && { idle }),
      ...(absolute < Number.POSITIVE_INFINITY && { absolute }),
    },
    ...(start.startsWith('initialTokens') && {
      initialTokens: {
        ...server.issue('ada'),
        subject: 'ada',
        ...(start === 'initialTokensExpired' && { expires_in: 0 }),
        ...(start === 'initialTokensLast' && { refresh_token_expires_in: 0 }),
      },
    }),
    ...(start !== 'noStorage' && { storage: store }),
    environment,
    clock,
  })

  const emitted: AuthEmitted[] = []
  auth.on('*', (event) => void emitted.push(event))
  const outcomes: Outcome[] = []
  const client: TransportClient = options.transport?.(auth, { origin }) ?? plainClient(auth, server)
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

  const isHeld = () => auth.actor.getSnapshot().context.held
  /** Whether everything that was begun waits for the test, and nothing for the network. */
  const kept = () => parked + endpoint.waiting.filter(({ headers }) => calls.has(headers[CALL] ?? '')).length
  const isStill = () => calls.size === kept() && sent === isHeld() + flying.length

  async function settle() {
    const start = performance.now()
    for (let still = 0; still < 2; still = isStill() ? still + 1 : 0) {
      await clock.advance(0)
      if (performance.now() - start < PATIENCE) continue
      const waits = `${calls.size} calls, of which ${kept()} are held; ${sent} requests, of which ${isHeld()} + ${flying.length} are`
      throw new Error(`The test bed does not come to rest: ${waits}.`)
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
      let left = ms
      await settle()
      while (clock.nextIn !== undefined && clock.nextIn <= left) {
        const step = clock.nextIn
        left -= step
        await clock.advance(step)
        await settle()
      }
      await clock.advance(left)
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

/** The replay algorithm over the server itself: no client of its own, no socket. */
function plainClient(auth: TestBedAuth, server: TokenServer): TransportClient {
  return {
    async request(path, { method }) {
      const response = await bearerRequest<Response>(auth, {
        send: (authorization) =>
          server.fetch(path, { method, headers: authorization === undefined ? {} : { authorization } }),
        challenge: ({ status, headers }) => {
          if (status !== 401) return undefined
          return headers.get('www-authenticate')?.includes('insufficient_user_authentication') ? {} : 'renew'
        },
        replayable: true,
        key: () => `${method} ${path}`,
      })
      return { status: response.status, body: await response.text() }
    },
  }
}
