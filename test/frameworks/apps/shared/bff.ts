/** The backend of each app: sessions in Redis, tokens of the server that the test starts. */
import { redisFleet } from 'authchart/redis'
import { createAuthPool, createBff, keyRing } from 'authchart/server'
import { Redis } from 'ioredis'

const { TOKEN_SERVER = '', REDIS_URL = '', SESSION_KEY = '' } = process.env

const post = async (path: string, fields: Record<string, string>) => {
  const response = await fetch(TOKEN_SERVER + path, { method: 'POST', body: new URLSearchParams(fields) })
  if (!response.ok) throw response
  return path === '/revoke' ? response : response.json()
}

// No connection during a build.
const redis = new Redis(REDIS_URL, { lazyConnect: true })
const subscriber = redis.duplicate()
const pool = createAuthPool({
  fleet: redisFleet({
    send: ([name = '', ...parts]) => redis.call(name, ...parts),
    async subscribe(channel, hear) {
      subscriber.on('message', (_, message) => hear(message))
      await subscriber.subscribe(channel)
      return () => subscriber.unsubscribe(channel)
    },
  }),
  keys: keyRing({ test: SESSION_KEY || new Uint8Array(32) }),
  signIn: (user: { username: string; password: string }) => post('/session', user),
  refresh: ({ refreshToken = '' }) =>
    post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }),
  revoke: ({ refreshToken, accessToken }) => post('/revoke', { token: refreshToken ?? accessToken ?? '' }),
})

export const bff = createBff({
  pool,
  credentials: (request) => request.json(),
  cookie: { secure: false },
  apis: { '/api': { to: `${TOKEN_SERVER || 'http://localhost'}/api` } },
})

/** What a page shows: the user, and what the API says to the server that renders it. */
export async function facts(request: Pick<Request, 'headers'>): Promise<string> {
  const session = await bff.session(request)
  if (!session) return 'nobody'
  const { status } = await session.fetch(`${TOKEN_SERVER}/api/page`)
  return `${session.subject} ${status}`
}
