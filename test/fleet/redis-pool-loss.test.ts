import { describe, expect, it, onTestFinished } from 'vitest'
import { redisFleet } from '../../src/fleet/redis.ts'
import { createAuthPool } from '../../src/server/pool.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { KEYS } from '../server/fleet-setup.ts'
import { hasRedis, startRedis } from '../support/redis-server.ts'
import { REDIS_LINKS } from './redis-links.ts'

describe.skipIf(!hasRedis)('pools of a Redis that loses what it holds, without messages', () => {
  it('a session that only one process has refreshed is not lost, although that process does not use it', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const server = createTokenServer({ accessTokenLifetime: 3_600_000 })
    async function open() {
      const { link, close } = await REDIS_LINKS.ioredis(redis.url)
      const pool = createAuthPool({
        fleet: redisFleet(link.send),
        keys: KEYS,
        signIn: async () => server.issue(),
        refresh: async ({ refreshToken = '' }) => server.renew(refreshToken),
      })
      onTestFinished(async () => {
        await pool.dispose()
        await close()
      })
      return pool
    }
    const [one, other] = [await open(), await open()]
    const { key } = await one.signIn({})
    const before = await other.use(key, (auth) => auth.getAccessToken())
    await one.use(key, (auth) => auth.refresh())
    await redis.restart()
    // It holds the tokens from before the refresh, and would present a refresh token that is spent.
    await other.use(key, (auth) => auth.refresh())
    expect(server.reuseDetections).toBe(0)
    const [first, second] = await Promise.all(
      [one, other].map((pool) => pool.use(key, (auth) => auth.getAccessToken())),
    )
    expect(second).not.toBe(before)
    expect(first).toBeDefined()
  })
})
