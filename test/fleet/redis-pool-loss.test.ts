import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { redisFleet } from '../../src/fleet/redis.ts'
import { createAuthPool } from '../../src/server/pool.ts'
import type { AuthPoolOptions } from '../../src/server/pool-types.ts'
import { createTokenServer, type TokenServer } from '../../src/testing/token-server/token-server.ts'
import { KEYS } from '../server/fleet-setup.ts'
import { hasRedis, startRedis } from '../support/redis-server.ts'
import { REDIS_LINKS } from './redis-links.ts'

/** The pool of one more process, over its own connection. */
function openPool(
  server: TokenServer,
  fleet: Fleet,
  close: () => unknown,
  options: Pick<AuthPoolOptions, 'timeouts'> = {},
) {
  const pool = createAuthPool({
    ...options,
    fleet,
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

describe.skipIf(!hasRedis)('pools of a Redis that loses what it holds, without messages', () => {
  it('a session that only one process has refreshed is not lost, although that process does not use it', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const server = createTokenServer({ accessTokenLifetime: 3_600_000 })
    async function open() {
      const { link, close } = await REDIS_LINKS.ioredis(redis.url)
      return openPool(server, redisFleet(link.send), close)
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

describe.skipIf(!hasRedis)('pools of a Redis that refuses what one process writes', () => {
  it('no other process sends a spent refresh token, for as long as the process lives that holds the answer', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const server = createTokenServer({ accessTokenLifetime: 3_600_000 })
    let isRefused = false
    async function open() {
      const { link, close } = await REDIS_LINKS.ioredis(redis.url)
      const fleet = redisFleet(link)
      const replace: typeof fleet.replace = (...args) =>
        isRefused ? Promise.reject(new Error('full')) : fleet.replace(...args)
      // The answer to another process is awaited as long as both together.
      const timeouts = { refresh: 5_000, storage: 1_500 }
      return openPool(server, { ...fleet, replace }, close, { timeouts })
    }
    const [one, other] = [await open(), await open()]
    const { key } = await one.signIn({})
    await other.use(key, (auth) => auth.getAccessToken())
    isRefused = true
    const token = await one.use(key, async (auth) => {
      await auth.refresh()
      return auth.getAccessToken()
    })
    const end = performance.now() + 12_000
    while (performance.now() < end) {
      await other.use(key, (auth) => auth.refresh()).catch(() => {})
      await pause(100)
    }
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
    isRefused = false
    await vi.waitFor(async () => {
      expect(await other.use(key, (auth) => auth.getAccessToken())).toBe(token)
    }, 10_000)
  }, 60_000)
})

describe.skipIf(!hasRedis)('pools of a Redis that was down for a while, and lost its last write', () => {
  it('a process that holds newer tokens is heard before an older token is sent', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const server = createTokenServer({ accessTokenLifetime: 3_600_000 })
    const subscriptions = new Set<() => void>()
    let isDown = false
    async function open() {
      const { link, close } = await REDIS_LINKS.ioredis(redis.url)
      // A client that does not subscribe again by itself.
      const subscribe: typeof link.subscribe = async (channel, hear, lost) => {
        if (isDown) throw new Error('ECONNREFUSED')
        subscriptions.add(lost)
        return link.subscribe?.(channel, hear, lost)
      }
      return openPool(server, redisFleet({ send: link.send, subscribe }), close)
    }
    const one = await open()
    const { key } = await one.signIn({})
    const [name = ''] = (await redis.command('KEYS', '*session:*')) as string[]
    const fields = (await redis.command('HGETALL', name)) as string[]
    await one.use(key, (auth) => auth.refresh())
    isDown = true
    for (const lost of subscriptions) lost()
    await pause(8_500)
    await redis.restart()
    await redis.command('HSET', name, ...fields)
    isDown = false
    const other = await open()
    await other.use(key, (auth) => auth.refresh())
    expect(server.reuseDetections).toBe(0)
  })
})
