// Checked by `tsc`, never run. The test is which lines compile and which do not.
import type { Signal } from '@angular/core'
import { expectTypeOf } from 'vitest'
import { createAuthContext, injectAuth, injectSession, provideAuth } from '../../src/bindings/angular.ts'
import { type Auth, type AuthState, createAuth, type Session } from '../../src/index.ts'

interface Claims {
  readonly roles: readonly string[]
}
const auth = createAuth<{ username: string }, Claims>({ refresh: () => ({ access_token: 'a' }) })
const own = createAuthContext<typeof auth>()

expectTypeOf(own.injectAuth()).toEqualTypeOf<typeof auth>()
expectTypeOf(own.injectSession()).toEqualTypeOf<Signal<Session<Claims> | undefined>>()
expectTypeOf(own.injectSession((session) => session?.claims?.roles ?? [])).toEqualTypeOf<
  Signal<readonly string[]>
>()
expectTypeOf(own.injectAuthState()).toEqualTypeOf<Signal<AuthState>>()
expectTypeOf(own.injectAuthState(({ held }) => held)).toEqualTypeOf<Signal<number>>()
expectTypeOf(own.injectAuthView().signedIn).toEqualTypeOf<Signal<boolean>>()

// Without a context, claims are unknown, unless the auth is passed.
expectTypeOf(injectAuth()).toEqualTypeOf<Auth>()
expectTypeOf(injectAuth<typeof auth>()).toEqualTypeOf<typeof auth>()
expectTypeOf(injectSession((session) => session?.claims)).toEqualTypeOf<
  Signal<Readonly<Record<string, unknown>> | undefined>
>()
expectTypeOf(injectSession(auth, (session) => session?.claims?.roles)).toEqualTypeOf<
  Signal<readonly string[] | undefined>
>()

provideAuth(auth)
provideAuth(() => auth, { keepExpired: true })
own.provideAuth(auth)
// @ts-expect-error an auth with other claims
own.provideAuth(createAuth<{ username: string }, { sub: string }>({ refresh: () => ({ access_token: 'a' }) }))
// @ts-expect-error unknown field
own.injectSession((session) => session?.token)
// @ts-expect-error the option loginPath is missing
own.authGuard({})
