import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { findAll } from '../../src/fleet/find-all.ts'
import { redisFleet } from '../../src/fleet/redis.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { describeFleet } from './describe-fleet.ts'
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
        async open(lease: number) {
          const opened = await openLink(server.url)
          links.push(opened)
          return redisFleet(opened.link, { lease, prefix: `test ${name}:` })
        },
        async close() {
          for (const link of links) await link.close()
        },
      }
    })
  }

  it('finds all sessions of a tag that are more than one piece of its set', async () => {
    const { link, close } = await REDIS_LINKS.ioredis(server.url)
    onTestFinished(() => void close())
    const fleet = redisFleet(link, { prefix: 'many:' })
    const names = Array.from({ length: 3_000 }, (_, index) => `s${index}`)
    const session = { id: 'a', rotation: 0, startedAt: 1, until: Date.now() + 60_000, tags: ['t'], box: 'b' }
    await Promise.all(names.map((name) => fleet.replace(name, session, undefined)))
    expect([...(await findAll(fleet, 't'))].sort()).toEqual([...names].sort())
  })
})
