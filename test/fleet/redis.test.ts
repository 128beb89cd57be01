import { afterAll, beforeAll, describe } from 'vitest'
import { redisFleet } from '../../src/fleet/redis.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { describeFleet, LEASE } from './describe-fleet.ts'
import { type OpenLink, REDIS_LINKS } from './redis-links.ts'

describe.skipIf(!hasRedis)('Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  }, 90_000)
  afterAll(() => server?.stop())

  for (const [name, openLink] of Object.entries(REDIS_LINKS)) {
    describeFleet(`Redis by ${name}`, async () => {
      const links: OpenLink[] = []
      return {
        isRemote: true,
        async open() {
          const opened = await openLink(server.url)
          links.push(opened)
          return redisFleet(opened.link, { lease: LEASE, prefix: `test ${name}:` })
        },
        async close() {
          for (const link of links) await link.close()
        },
      }
    })
  }
})
