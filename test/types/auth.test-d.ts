// Checked by `tsc`, never run. The test is that each line compiles, or fails as marked.
import { expectTypeOf } from 'vitest'
import { type ActorRefFrom, type SnapshotFrom, setup } from 'xstate'
import { type AuthMachine, authMachine } from '../../machines/index.ts'
import {
  type AbortSignalLike,
  type Auth,
  type AuthEmitted,
  AuthError,
  type AuthEventMap,
  type AuthState,
  bearerRequest,
  type Coordinator,
  type CoordinatorFeature,
  createAuth,
  defineCoordinator,
  defineStorage,
  fromCookie,
  type RefreshRequest,
  type RefreshTimeoutError,
  type RefreshUnavailableError,
  type Session,
  type SessionStorage,
  type Signal,
  type StorageFeature,
  sessionLimits,
  type TokenResponse,
} from '../../src/index.ts'
import { memoryStorage, webStorage } from '../../src/storage/index.ts'

const refresh = () => ({ access_token: 'a' })

// createAuth: the credentials are the parameter of signIn; the app declares the claims.
const auth = createAuth({
  refresh,
  signIn: (credentials: { username: string; password: string }, { signal }) => {
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    return fetch('/token', { body: credentials.password, signal }).then((response) => response.json())
  },
})
expectTypeOf(auth).toEqualTypeOf<Auth<{ username: string; password: string }>>()
expectTypeOf(auth.signIn).parameters.toEqualTypeOf<[{ username: string; password: string }]>()
expectTypeOf(auth.signIn).returns.resolves.toEqualTypeOf<Session>()
// @ts-expect-error a password is missing
void auth.signIn({ username: 'ada' })
// @ts-expect-error refresh is required
createAuth({})
// A response is an answer, too.
expectTypeOf(
  createAuth({ refresh: () => fetch('/token'), signIn: (_: string) => fetch('/login') }),
).toEqualTypeOf<Auth<string>>()
// @ts-expect-error refresh must return a token response
createAuth({ refresh: () => 'token' })
// @ts-expect-error 'sometimes' is not a value of refreshOn
createAuth({ refresh, refreshOn: 'sometimes' })
// @ts-expect-error renew is called refreshOn
createAuth({ refresh, renew: 'timer' })

interface Claims {
  readonly sub: string
  readonly roles: readonly string[]
}
const typed = createAuth<string, Claims>({
  refresh,
  signIn: async () => ({ accessToken: 'a', expiresIn: '60' }),
})
expectTypeOf(typed.session?.claims).toEqualTypeOf<Claims | undefined>()
expectTypeOf(typed.refresh).returns.resolves.toEqualTypeOf<Session<Claims>>()

// refresh may be sync or async, and receives what it needs.
createAuth({
  refresh: ({ refreshToken, scope, signal }) => {
    expectTypeOf(refreshToken).toEqualTypeOf<string | undefined>()
    expectTypeOf(scope).toEqualTypeOf<string | undefined>()
    expectTypeOf(signal).toExtend<AbortSignal>()
    return Promise.resolve({ access_token: 'a', expires_at: new Date(), refresh_token: null })
  },
})
expectTypeOf<RefreshRequest['signal']>().toEqualTypeOf<Signal>()
expectTypeOf<AbortSignal>().toExtend<AbortSignalLike>()

// A session is read-only and contains no token.
expectTypeOf<keyof Session>().toEqualTypeOf<
  'subject' | 'user' | 'claims' | 'scope' | 'expiresAt' | 'generation' | 'epoch'
>()
// @ts-expect-error a session cannot be changed
if (auth.session) auth.session.generation = 2

// getAccessToken returns a string, unless it allows an anonymous session.
expectTypeOf(auth.getAccessToken()).resolves.toEqualTypeOf<string>()
expectTypeOf(auth.getAccessToken({ minValidity: 5 })).resolves.toEqualTypeOf<string>()
expectTypeOf(auth.getAccessToken({ allowAnonymous: true })).resolves.toEqualTypeOf<string | undefined>()

// Events are typed by name.
expectTypeOf(auth.on('refreshFailed', () => {})).toEqualTypeOf<() => void>()
auth.on('refreshFailed', (event) => {
  expectTypeOf(event.attempt).toEqualTypeOf<number>()
  expectTypeOf(event.retryAt).toEqualTypeOf<number | undefined>()
})
auth.on('*', (event) => expectTypeOf(event).toEqualTypeOf<AuthEmitted>())
expectTypeOf<keyof AuthEventMap>().toEqualTypeOf<AuthEmitted['type'] | '*'>()
// @ts-expect-error this event does not exist
auth.on('loggedIn', () => {})

// States are typed by name and equal those of the chart.
expectTypeOf(auth.state).toEqualTypeOf<AuthState>()
type NamesIn<Value> = Value extends string ? Value : keyof Value
expectTypeOf<AuthState>().toEqualTypeOf<NamesIn<SnapshotFrom<AuthMachine>['value']>>()

// The actor is an XState actor, for selectors and parent machines.
expectTypeOf(auth.actor.getSnapshot()).toEqualTypeOf<SnapshotFrom<AuthMachine>>()
expectTypeOf(auth.actor.getSnapshot().context.generation).toEqualTypeOf<number>()
expectTypeOf(auth.actor).toExtend<ActorRefFrom<typeof authMachine>>()
expectTypeOf(auth.actor.getSnapshot().hasTag)
  .parameter(0)
  .toEqualTypeOf<'busy' | 'session' | 'settled' | 'pass' | 'hold' | 'anonymous' | 'refuse'>()
setup({ actors: { auth: authMachine } }).createMachine({
  invoke: {
    src: 'auth',
    input: {
      policy: {
        refreshOn: 'timer',
        attempts: 1,
        coolDown: 30_000,
        ambiguousRefresh: 'retry',
        silentSignIn: false,
        restores: false,
      },
      session: {},
    },
  },
})
// @ts-expect-error the chart has no such event
auth.actor.send({ type: 'session.forget' })

// A store, a coordinator, limits and cookie mode are made by functions of the library.
expectTypeOf(memoryStorage()).toEqualTypeOf<StorageFeature>()
expectTypeOf<StorageFeature>().toExtend<SessionStorage>()
expectTypeOf<CoordinatorFeature>().toExtend<Coordinator>()
expectTypeOf(webStorage).parameter(0).toEqualTypeOf<Storage | (() => Storage)>()
const store = { read: async () => undefined, write: async () => {}, clear: async () => {} }
const peers = {
  exclusive: <T>(_: string, task: () => Promise<T>) => task(),
  announce() {},
  subscribe: () => () => {},
}
createAuth({
  refresh,
  storage: defineStorage(store),
  coordinator: defineCoordinator(peers),
  limits: sessionLimits({ idle: 60_000 }),
  silentSignIn: fromCookie(),
})
// @ts-expect-error a plain object is not a store: defineStorage makes one of it
createAuth({ refresh, storage: store })
// @ts-expect-error a plain object is not a coordinator: defineCoordinator makes one of it
createAuth({ refresh, coordinator: peers })
// @ts-expect-error plain numbers are not limits: sessionLimits makes them
createAuth({ refresh, limits: { idle: 60_000 } })
// @ts-expect-error cookie mode is made by fromCookie
createAuth({ refresh, silentSignIn: true })
// @ts-expect-error a store is not a coordinator
createAuth({ refresh, coordinator: memoryStorage() })
// @ts-expect-error a lifetime is a number of milliseconds
sessionLimits({ idle: '15 minutes' })

// Errors can be distinguished by their code.
expectTypeOf<RefreshTimeoutError>().toExtend<RefreshUnavailableError>()
expectTypeOf<RefreshUnavailableError>().toExtend<AuthError>()
declare const error: AuthError
if (error.code === 'session_expired') expectTypeOf(error.reason).toExtend<string | undefined>()
// @ts-expect-error this code does not exist
if (error.code === 'logged_out') throw error
// @ts-expect-error AuthError is abstract
new AuthError('x')

// bearerRequest resolves with the value of its transport.
expectTypeOf(
  bearerRequest(auth, {
    send: async (authorization) => {
      expectTypeOf(authorization).toEqualTypeOf<string | undefined>()
      return new Response()
    },
    challenge: ({ status }) => (status === 401 ? 'refresh' : undefined),
    replayable: true,
    key: () => 'GET /',
  }),
).resolves.toEqualTypeOf<Response>()

// A token response follows RFC 6749, in snake case or camel case.
expectTypeOf<{ access_token: string; token_type: string; expires_in: number }>().toExtend<TokenResponse>()
expectTypeOf<{ accessToken: string; expiresAt: Date }>().toExtend<TokenResponse>()

{
  using scoped = createAuth({ refresh })
  expectTypeOf(scoped.dispose).returns.toBeVoid()
}
