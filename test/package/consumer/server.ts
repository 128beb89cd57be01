// Compiled with the types of Node, without those of a browser.
import { createAuth } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { createAuthPool, createBff, keyRing, memoryFleet } from 'authchart/server'
import { createTokenServer } from 'authchart/testing'

const keys = keyRing({ '2026-11': crypto.getRandomValues(new Uint8Array(32)) })
const pool = createAuthPool({
  fleet: memoryFleet(),
  keys,
  signIn: (user: { username: string }) => ({ access_token: user.username }),
  refresh: ({ refreshToken }) => ({ access_token: `${refreshToken}` }),
})
export const status = (key: string) =>
  pool.use(key, async (auth) => (await createAuthFetch(auth)('https://api.example')).status)
// @ts-expect-error the pool signs in
export const signIn = (key: string) => pool.use(key, (auth) => auth.signIn({ username: 'ada' }))
export const bff = createBff({ pool })

const server = createTokenServer()
export const auth = createAuth({ refresh: () => server.issue('ada') })
