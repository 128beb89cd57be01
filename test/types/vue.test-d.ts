// Checked by `tsc`, never run. The test is that each line compiles, or fails as marked.
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

// A custom context has typed credentials and claims everywhere.
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
  // @ts-expect-error this claim does not exist
  app.useSession((session) => session?.claims?.role)
  // @ts-expect-error a computed ref is read-only
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
// @ts-expect-error the custom plugin accepts only its own auth type
app.createAuthPlugin(plain)
// @ts-expect-error auth is required
app.createAuthPlugin()

// Without a custom context, any auth fits, and its type is that of the type argument.
createApp({}).use(createAuthPlugin(auth)).use(createAuthPlugin(plain))
export function usePlain() {
  expectTypeOf(useAuth()).toEqualTypeOf<Auth>()
  expectTypeOf(useAuth<typeof auth>()).toEqualTypeOf<Auth<Credentials, Claims>>()
  expectTypeOf(useSession()).toEqualTypeOf<ComputedRef<Session | undefined>>()
  expectTypeOf(useSession((session) => session?.claims?.roles)).toEqualTypeOf<ComputedRef<unknown>>()
  expectTypeOf(useAuthState()).toEqualTypeOf<ComputedRef<AuthState>>()
  expectTypeOf(useReady).returns.toEqualTypeOf<Promise<void>>()
}

// Composables that receive the auth have its types, inside and outside of components.
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
  // @ts-expect-error that auth has no such claim
  useSession(auth, (session) => session?.claims?.role)
  // @ts-expect-error that is not an auth
  useSession({ session: undefined })
}

// The components work in templates, in render functions, and registered by name.
export const page = defineComponent({
  components: { SignedIn, SignedOut, Expired, Restoring, Mine: app.SignedIn },
  render: () => [
    h(SignedIn, null, { default: () => [h('p', 'in')], fallback: () => [h('p', 'out')] }),
    h(app.Restoring, { key: 'restoring', class: 'quiet' }),
  ],
})
createApp({}).component('SignedIn', SignedIn)
expectTypeOf<InstanceType<typeof SignedIn>['$slots']>().toHaveProperty('fallback')
