/**
 * A server with sessions: `npm run example server`. Sign in with any user name and the password "correct".
 *
 * `REDIS_URL` or `DATABASE_URL` names a database. Then you can start it twice, with `PORT=3001`, and both share the sessions if they
 * have the same `SESSION_KEY` and `TOKEN_SERVER`.
 */
import { serve } from '@hono/node-server'
import { honoBff } from 'authchart/hono'
import { createAuthPool, createBff, keyRing } from 'authchart/server'
import { Hono } from 'hono'
import { openFleet } from './fleet.ts'
import { page } from './page.ts'
import { startTokenServer } from './token-server.ts'

const { PORT = '3000', SESSION_KEY, TOKEN_SERVER } = process.env
const tokens = TOKEN_SERVER ?? (await startTokenServer())

const post = async (path: string, fields: Readonly<Record<string, string>>) => {
  const response = await fetch(tokens + path, { method: 'POST', body: new URLSearchParams(fields) })
  if (!response.ok) throw response
  return path === '/revoke' ? response : response.json()
}

const { name, fleet, close } = await openFleet()
const pool = createAuthPool({
  fleet,
  keys: keyRing({ example: SESSION_KEY ?? crypto.getRandomValues(new Uint8Array(32)) }),
  signIn: (user: { username: string; password: string }) => post('/session', user),
  refresh: ({ refreshToken = '' }) =>
    post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }),
  revoke: ({ refreshToken, accessToken }) => post('/revoke', { token: refreshToken ?? accessToken }),
})
const bff = createBff({
  pool,
  credentials: (request) => request.json() as Promise<{ username: string; password: string }>,
  cookie: { secure: false },
  apis: { '/api': { to: `${tokens}/api` } },
})

const app = new Hono()
app.use(honoBff(bff))
app.get('/', async (context) => context.html(page(await bff.session(context.req.raw), pool.counts)))

const server = serve({ fetch: app.fetch, port: Number(PORT), hostname: '127.0.0.1' }, ({ port }) => {
  console.log(`\nThe example server: http://localhost:${port}/ (sessions in ${name}, tokens from ${tokens})`)
  console.log('Sign in with any user name and the password "correct".')
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, async () => {
    server.close()
    await pool.dispose()
    await close()
    process.exit()
  })
