// Checked by `tsc`, never run: what compiles here, and what does not, is the test.
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
  createAuth,
  type RefreshRequest,
  type RefreshTimeoutError,
  type RefreshUnavailableError,
  type Session,
  type SessionStorage,
  type Signal,
  type TokenResponse,
} from '../../src/index.ts'
import { memoryStorage, webStorage } from '../../src/storage/index.ts'

const refresh = () => ({ access_token: 'a' })

// createAuth: credentials are what signIn takes, claims are what the app says they are.
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
// @ts-expect-error it must give a token response
createAuth({ refresh: () => 'token' })
// @ts-expect-error 'sometimes' is no way to renew
createAuth({ refresh, renew: 'sometimes' })

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

// refresh may be sync or async, and is told what it needs.
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

// A session is read-only, and holds no token.
expectTypeOf<keyof Session>().toEqualTypeOf<
  'subject' | 'claims' | 'scope' | 'expiresAt' | 'generation' | 'epoch'
>()
// @ts-expect-error it cannot be changed
if (auth.session) auth.session.generation = 2

// getAccessToken gives a string, unless nobody may be signed in.
expectTypeOf(auth.getAccessToken()).resolves.toEqualTypeOf<string>()
expectTypeOf(auth.getAccessToken({ minValidity: 5 })).resolves.toEqualTypeOf<string>()
expectTypeOf(auth.getAccessToken({ allowAnonymous: true })).resolves.toEqualTypeOf<string | undefined>()

// Events are known by name.
expectTypeOf(auth.on('refreshFailed', () => {})).toEqualTypeOf<() => void>()
auth.on('refreshFailed', (event) => {
  expectTypeOf(event.attempt).toEqualTypeOf<number>()
  expectTypeOf(event.retryAt).toEqualTypeOf<number | undefined>()
})
auth.on('*', (event) => expectTypeOf(event).toEqualTypeOf<AuthEmitted>())
expectTypeOf<keyof AuthEventMap>().toEqualTypeOf<AuthEmitted['type'] | '*'>()
// @ts-expect-error there is no such event
auth.on('loggedIn', () => {})

// States are known by name, and are the chart's.
expectTypeOf(auth.state).toEqualTypeOf<AuthState>()
type NamesIn<Value> = Value extends string ? Value : keyof Value
expectTypeOf<AuthState>().toEqualTypeOf<NamesIn<SnapshotFrom<AuthMachine>['value']>>()

// The actor is XState's, for its selectors and parents.
expectTypeOf(auth.actor.getSnapshot()).toEqualTypeOf<SnapshotFrom<AuthMachine>>()
expectTypeOf(auth.actor.getSnapshot().context.generation).toEqualTypeOf<number>()
expectTypeOf(auth.actor).toExtend<ActorRefFrom<typeof authMachine>>()
expectTypeOf(auth.actor.getSnapshot().hasTag).parameter(0).toEqualTypeOf<'busy' | 'session' | 'settled'>()
setup({ actors: { auth: authMachine } }).createMachine({
  invoke: {
    src: 'auth',
    input: { policy: { attempts: 1, ambiguousRefresh: 'retry', silentSignIn: false, restores: false } },
  },
})
// @ts-expect-error the chart hears no such event
auth.actor.send({ type: 'session.forget' })

// Stores are ports; anything that reads, writes and clears will do.
expectTypeOf(memoryStorage()).toEqualTypeOf<SessionStorage>()
expectTypeOf(webStorage).parameter(0).toEqualTypeOf<Storage | (() => Storage)>()
createAuth({
  refresh,
  storage: { read: async () => undefined, write: async () => {}, clear: async () => {} },
})

// Errors can be told apart.
expectTypeOf<RefreshTimeoutError>().toExtend<RefreshUnavailableError>()
expectTypeOf<RefreshUnavailableError>().toExtend<AuthError>()
declare const error: AuthError
if (error.code === 'session_expired') expectTypeOf(error.reason).toExtend<string | undefined>()
// @ts-expect-error there is no such code
if (error.code === 'logged_out') throw error
// @ts-expect-error it is abstract
new AuthError('x')

// bearerRequest gives what its transport gives.
expectTypeOf(
  bearerRequest(auth, {
    send: async (authorization) => {
      expectTypeOf(authorization).toEqualTypeOf<string | undefined>()
      return new Response()
    },
    challenge: ({ status }) => (status === 401 ? 'renew' : undefined),
    replayable: true,
    key: () => 'GET /',
  }),
).resolves.toEqualTypeOf<Response>()

// A token response is what RFC 6749 says, in either spelling.
expectTypeOf<{ access_token: string; token_type: string; expires_in: number }>().toExtend<TokenResponse>()
expectTypeOf<{ accessToken: string; expiresAt: Date }>().toExtend<TokenResponse>()

{
  using scoped = createAuth({ refresh })
  expectTypeOf(scoped.dispose).returns.toBeVoid()
}
