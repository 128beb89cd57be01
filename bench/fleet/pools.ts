import { type AuthPoolOptions, createAuthPool, type Fleet, keyRing } from '../../src/server/index.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'

interface User {
  readonly username: string
}

/** A token server with reuse detection, and pools whose refreshes it answers after `delay` milliseconds. */
export function tokenWorld(delay: number) {
  const server = createTokenServer({ accessTokenLifetime: 3_600_000 })
  const post = async (path: string, fields: Record<string, string>) =>
    (await server.fetch(path, { method: 'POST', body: new URLSearchParams(fields) })).json()
  const createPool = (fleet: Fleet, resident: AuthPoolOptions['resident'] = { most: 20_000 }) =>
    createAuthPool({
      fleet,
      keys: keyRing({ bench: new Uint8Array(32).fill(1) }),
      resident,
      signIn: ({ username }: User) => post('/session', { username, password: 'correct' }),
      async refresh({ refreshToken = '' }) {
        await new Promise((resolve) => setTimeout(resolve, delay))
        return post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken })
      },
    })
  return { server, createPool }
}

export type Pool = ReturnType<ReturnType<typeof tokenWorld>['createPool']>

/** Signs users in. Returns the keys of their sessions. */
export async function signInUsers(pool: Pool, users: number): Promise<string[]> {
  const keys: string[] = []
  while (keys.length < users) {
    const some = Array.from(
      { length: Math.min(100, users - keys.length) },
      (_, n) => `user${keys.length + n}`,
    )
    const sessions = await Promise.all(some.map((username) => pool.signIn({ username })))
    keys.push(...sessions.map(({ key }) => key))
  }
  return keys
}
