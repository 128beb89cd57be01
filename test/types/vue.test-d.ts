// Checked by `tsc`, never run: what compiles here, and what does not, is the test.
import { expectTypeOf } from 'vitest'
import { type ComputedRef, createApp, defineComponent, h, type Plugin } from 'vue'
import {
  type AuthSnapshot,
  type AuthView,
  createAuthContext,
  createAuthPlugin,
  Expired,
  Restoring,
  SignedIn,
  SignedOut,
  useAuth,
  useAuthState,
  useReady,
  useSession,
} from '../../src/bindings/vue.ts'
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

// A context of one's own knows credentials and claims everywhere.
const app = createAuthContext<typeof auth>()
export function useTyped() {
  expectTypeOf(app.useAuth()).toEqualTypeOf<Auth<Credentials, Claims>>()
  expectTypeOf(app.useSession()).toEqualTypeOf<ComputedRef<Session<Claims> | undefined>>()
  expectTypeOf(app.useSession((session) => session?.claims?.roles)).toEqualTypeOf<
    ComputedRef<readonly string[] | undefined>
  >()
  expectTypeOf(app.useSession((session) => session?.claims?.roles.length ?? 0)).toEqualTypeOf<
    ComputedRef<number>
  >()
  expectTypeOf(app.useAuthState()).toEqualTypeOf<ComputedRef<AuthState>>()
  expectTypeOf(app.useAuthState(({ view }) => view)).toEqualTypeOf<ComputedRef<AuthView>>()
  expectTypeOf(app.useAuthState(({ reason }) => reason)).toEqualTypeOf<ComputedRef<Reason | undefined>>()
  expectTypeOf(app.useAuthState((snapshot) => snapshot).value).toEqualTypeOf<AuthSnapshot<Session<Claims>>>()
  void app.useAuth().signIn({ username: 'ada', password: 'correct' })
  // @ts-expect-error a password is missing
  void app.useAuth().signIn({ username: 'ada' })
  // @ts-expect-error there is no such claim
  app.useSession((session) => session?.claims?.role)
  // @ts-expect-error it is read-only
  app.useSession().value = undefined
  app.useSession(
    (session) => session?.claims?.roles ?? [],
    (before, after) => {
      expectTypeOf(before).toEqualTypeOf<readonly string[]>()
      return before.length === after.length
    },
  )
}
expectTypeOf(app.createAuthPlugin(auth, { keepExpired: true })).toExtend<Plugin>()
// @ts-expect-error its plugin takes that auth and no other
app.createAuthPlugin(plain)
// @ts-expect-error an auth is needed
app.createAuthPlugin()

// Those without a context of one's own take any auth, and know of it what is said of it.
createApp({}).use(createAuthPlugin(auth)).use(createAuthPlugin(plain))
export function usePlain() {
  expectTypeOf(useAuth()).toEqualTypeOf<Auth>()
  expectTypeOf(useAuth<typeof auth>()).toEqualTypeOf<Auth<Credentials, Claims>>()
  expectTypeOf(useSession()).toEqualTypeOf<ComputedRef<Session | undefined>>()
  expectTypeOf(useSession((session) => session?.claims?.roles)).toEqualTypeOf<ComputedRef<unknown>>()
  expectTypeOf(useAuthState()).toEqualTypeOf<ComputedRef<AuthState>>()
  expectTypeOf(useReady).returns.toEqualTypeOf<Promise<void>>()
}

// Given the auth, they know it, in a component or outside of them.
export function useDirect() {
  expectTypeOf(useSession(auth)).toEqualTypeOf<ComputedRef<Session<Claims> | undefined>>()
  expectTypeOf(useSession(auth, (session) => session?.claims?.sub)).toEqualTypeOf<
    ComputedRef<string | undefined>
  >()
  expectTypeOf(useAuthState(auth, ({ session }) => session?.claims?.roles)).toEqualTypeOf<
    ComputedRef<readonly string[] | undefined>
  >()
  expectTypeOf(app.useSession(plain)).toEqualTypeOf<ComputedRef<Session | undefined>>()
  void useReady(auth)
  // @ts-expect-error a claim of that auth
  useSession(auth, (session) => session?.claims?.role)
  // @ts-expect-error that is no auth
  useSession({ session: undefined })
}

// The components are components: in templates, in render functions, and registered by name.
export const page = defineComponent({
  components: { SignedIn, SignedOut, Expired, Restoring, Mine: app.SignedIn },
  render: () => [
    h(SignedIn, null, { default: () => [h('p', 'in')], fallback: () => [h('p', 'out')] }),
    h(app.Restoring, { key: 'restoring', class: 'quiet' }),
  ],
})
createApp({}).component('SignedIn', SignedIn)
expectTypeOf<InstanceType<typeof SignedIn>['$slots']>().toHaveProperty('fallback')
