// Checked by `tsc`, never run. The test is that each line compiles, or fails as marked.
import { expectTypeOf } from 'vitest'
import type { TokenResponse } from '../../src/core/ports.ts'
import type { UserFacts } from '../../src/index.ts'
import {
  type AuthPool,
  type Bff,
  createAuthPool,
  createBff,
  type Fleet,
  type KeyRing,
  type ServerSession,
} from '../../src/server/index.ts'

declare const fleet: Fleet
declare const keys: KeyRing
declare const request: Request
const refresh = () => ({ access_token: 'a' })

interface User {
  readonly name: string
}
interface Claims {
  readonly sub: string
}

// The facts of the user have the type of what the `signIn` function answers.
const signIn = async (_: { username: string }): Promise<TokenResponse<User>> => ({ access_token: 'a' })
const pool = createAuthPool({ fleet, keys, refresh, signIn })
const bff = createBff({ pool, credentials: () => ({ username: 'ada' }) })
expectTypeOf(await bff.session(request)).toEqualTypeOf<
  ServerSession<Readonly<Record<string, unknown>>, User> | undefined
>()
expectTypeOf((await bff.session(request))?.user).toEqualTypeOf<User | undefined>()
expectTypeOf((await pool.signIn({ username: 'ada' })).session.user).toEqualTypeOf<User | undefined>()
expectTypeOf(await pool.use('key', (auth) => auth.session?.user)).toEqualTypeOf<User | undefined>()
// @ts-expect-error the name is a text
;(await bff.session(request))?.user?.name.toFixed()

// Without a type they are any JSON object, and the app may declare them.
const plain = createAuthPool({ fleet, keys, refresh, signIn: (_: string) => refresh() })
expectTypeOf(plain).toEqualTypeOf<AuthPool<string>>()
expectTypeOf(createBff({ pool: plain, credentials: () => 'ada' })).toEqualTypeOf<Bff>()
const declared = createAuthPool<string, Claims, User>({ fleet, keys, refresh })
expectTypeOf(createBff({ pool: declared, credentials: () => 'ada' })).toEqualTypeOf<Bff<Claims, User>>()
expectTypeOf(createAuthPool<string, Claims>({ fleet, keys, refresh })).toEqualTypeOf<
  AuthPool<string, Claims, UserFacts>
>()
