// Checked by `tsc`, never run. The test is that each line compiles, or fails as marked.
import type { ReactElement } from 'react'
import { expectTypeOf } from 'vitest'
import { requireSession, safeReturnPath } from '../../src/bindings/guard.ts'
import {
  AuthProvider,
  type AuthSnapshot,
  type AuthView,
  createAuthContext,
  SignedIn,
  useAuth,
  useAuthState,
  useReady,
  useSession,
} from '../../src/bindings/react.ts'
import { type Auth, type AuthState, createAuth, type Reason, type Session } from '../../src/index.ts'

interface Credentials {
  readonly username: string
  readonly password: string
}
interface Claims {
  readonly sub: string
  readonly roles: readonly string[]
}

const auth = createAuth<Credentials, Claims>({ refresh: () => ({ access_token: 'a' }) })
const plain = createAuth({ refresh: () => ({ access_token: 'a' }) })

// A custom context has typed credentials and claims everywhere.
const app = createAuthContext<typeof auth>()
export function Typed() {
  expectTypeOf(app.useAuth()).toEqualTypeOf<Auth<Credentials, Claims>>()
  expectTypeOf(app.useSession()).toEqualTypeOf<Session<Claims> | undefined>()
  expectTypeOf(app.useSession((session) => session?.claims?.roles)).toEqualTypeOf<
    readonly string[] | undefined
  >()
  expectTypeOf(app.useSession((session) => session?.claims?.roles.length ?? 0)).toEqualTypeOf<number>()
  expectTypeOf(app.useAuthState()).toEqualTypeOf<AuthState>()
  expectTypeOf(app.useAuthState(({ view }) => view)).toEqualTypeOf<AuthView>()
  expectTypeOf(app.useAuthState(({ reason }) => reason)).toEqualTypeOf<Reason | undefined>()
  expectTypeOf(app.useAuthState((snapshot) => snapshot)).toEqualTypeOf<AuthSnapshot<Session<Claims>>>()
  void app.useAuth().signIn({ username: 'ada', password: 'correct' })
  // @ts-expect-error a password is missing
  void app.useAuth().signIn({ username: 'ada' })
  // @ts-expect-error this claim does not exist
  app.useSession((session) => session?.claims?.role)
  app.useSession(
    (session) => session?.claims?.roles ?? [],
    (before, after) => {
      expectTypeOf(before).toEqualTypeOf<readonly string[]>()
      return before.length === after.length
    },
  )
  return null
}
expectTypeOf(<app.AuthProvider auth={auth} keepExpired />).toExtend<ReactElement>()
// @ts-expect-error the custom provider accepts only its own auth type
;<app.AuthProvider auth={plain} />
// @ts-expect-error auth is required
;<app.AuthProvider />

// Without a custom context, any auth fits, and its type is that of the type argument.
expectTypeOf(<AuthProvider auth={auth} />).toExtend<ReactElement>()
expectTypeOf(<AuthProvider auth={plain} />).toExtend<ReactElement>()
export function Plain() {
  expectTypeOf(useAuth()).toEqualTypeOf<Auth>()
  expectTypeOf(useAuth<typeof auth>()).toEqualTypeOf<Auth<Credentials, Claims>>()
  expectTypeOf(useSession()).toEqualTypeOf<Session | undefined>()
  expectTypeOf(useSession((session) => session?.claims?.roles)).toEqualTypeOf<unknown>()
  expectTypeOf(useAuthState()).toEqualTypeOf<AuthState>()
  expectTypeOf(useReady).returns.toBeVoid()
  return null
}

// Hooks that receive the auth have its types, with or without a provider.
export function Direct() {
  expectTypeOf(useSession(auth)).toEqualTypeOf<Session<Claims> | undefined>()
  expectTypeOf(useSession(auth, (session) => session?.claims?.sub)).toEqualTypeOf<string | undefined>()
  expectTypeOf(useAuthState(auth, ({ session }) => session?.claims?.roles)).toEqualTypeOf<
    readonly string[] | undefined
  >()
  expectTypeOf(app.useSession(plain)).toEqualTypeOf<Session | undefined>()
  useReady(auth)
  // @ts-expect-error that auth has no such claim
  useSession(auth, (session) => session?.claims?.role)
  // @ts-expect-error that is not an auth
  useSession({ session: undefined })
  return null
}

// Children and fallbacks may be anything that React renders.
expectTypeOf(<SignedIn fallback={<p>Sign in</p>}>{['text', 1, null]}</SignedIn>).toExtend<ReactElement>()
// @ts-expect-error a function cannot be rendered
;<SignedIn>{() => 'text'}</SignedIn>

// Guards accept any auth and any address.
expectTypeOf(
  requireSession(auth, { url: new URL('https://a.example'), loginPath: '/login' }),
).resolves.toEqualTypeOf<string | undefined>()
expectTypeOf(safeReturnPath(null)).toEqualTypeOf<string>()
// @ts-expect-error loginPath is required
void requireSession(auth, { url: '/' })
