// Compiled with `ESNext.Disposable`.
import { createAuth } from 'authchart'
import type { AuthPool } from 'authchart/server'
import { createTokenServer } from 'authchart/testing'

export async function run(pool: AuthPool<{ name: string }>) {
  using auth = createAuth({ refresh: () => ({ access_token: 'one' }) })
  await using server = await createTokenServer().listen()
  await using others = pool
  // @ts-expect-error the pool ends the sessions of its tasks
  await others.use('key', (session) => session[Symbol.dispose]())
  return [auth.state, server.url]
}
