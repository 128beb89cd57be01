import { randomUUID } from 'node:crypto'
import { Cluster } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { findAll } from '../../src/fleet/find-all.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { type RedisFleetOptions, redisFleet } from '../../src/fleet/redis.ts'
import { freePort } from '../support/free-port.ts'
import { hasRedis, type RedisServer, startRedis, startReplica } from '../support/redis-server.ts'
import { acquireAs, eventually, granted, storedSession, suspects } from './describe-fleet.ts'
import { REDIS_LINKS } from './redis-links.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(...args: string[]): Promise<RedisServer> {
  const server = await startRedis(args)
  cleanups.push(() => server.stop())
  return server
}

async function connect(server: RedisServer, options?: RedisFleetOptions): Promise<Fleet> {
  const { link, close } = await REDIS_LINKS.ioredis(server.url)
  cleanups.push(close)
  return redisFleet(link, options)
}

describe.skipIf(!hasRedis)('a Redis that loses what it holds', () => {
  it('after a restart, what was written before is suspect until it was refreshed', async () => {
    const server = await start('--appendonly', 'yes', '--appendfsync', 'always')
    const fleet = await connect(server)
    await fleet.replace('key', storedSession(), undefined)
    expect(await suspects(fleet, 'key')).toBe(false)
    await server.restart('SIGTERM')
    expect(await fleet.read('key')).toEqual(expect.objectContaining({ rotation: 5 }))
    // Its turn is stored, too.
    await eventually(async () => (await fleet.acquire('key', 'one', undefined)).result === 'granted')
    const holder = await acquireAs(fleet, 'key', 'one')
    expect(granted(await fleet.acquire('key', 'one', undefined)).isSuspect).toBe(true)
    const last = await acquireAs(fleet, 'key', 'one')
    expect(await fleet.present('key', holder, { id: 'a', rotation: 5 })).toBe(false)
    await fleet.present('key', last, { id: 'a', rotation: 5 })
    await fleet.replace('key', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })
    await fleet.release('key', last, true)
    expect(await suspects(fleet, 'key')).toBe(false)
  })

  it('after a restart without its data, it takes back the newest tokens and suspects them', async () => {
    const server = await start()
    const fleet = await connect(server)
    await fleet.replace('key', storedSession(), undefined)
    await server.restart()
    expect(await fleet.read('key')).toBeUndefined()
    expect(await fleet.replace('key', storedSession({ rotation: 5 }), { id: 'a', rotation: 4 })).toBe(
      'written',
    )
    expect(await fleet.replace('key', storedSession({ rotation: 7 }), { id: 'a', rotation: 6 })).toBe(
      'written',
    )
    expect(await fleet.replace('key', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })).toBe('newer')
    expect(await suspects(fleet, 'key')).toBe(true)
  })

  it('a replica that was promoted is suspect, and forgets no end that it knew', async () => {
    const primary = await start()
    const before = await connect(primary)
    await before.replace('key', storedSession(), undefined)
    await before.replace('ended', storedSession(), undefined)
    await before.remove('ended')
    const replica = await startReplica(primary)
    cleanups.push(() => replica.stop())
    await replica.command('REPLICAOF', 'NO', 'ONE')
    await before.replace('key', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })
    const after = await connect(replica)
    expect((await after.read('key'))?.rotation).toBe(5)
    expect(await suspects(after, 'key')).toBe(true)
    expect(await after.replace('key', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })).toBe(
      'written',
    )
    expect(await suspects(after, 'ended')).toBe(false)
    expect(await after.replace('ended', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })).toBe(
      'gone',
    )
  })

  it('with replicas, no token is presented before they know that it will be', async () => {
    const primary = await start()
    const fleet = await connect(primary, { replicas: { count: 1, timeout: 1_000 } })
    const replica = await startReplica(primary)
    cleanups.push(() => replica.stop())
    await fleet.replace('key', storedSession(), undefined)
    const holder = await acquireAs(fleet, 'key', 'one')
    expect(await fleet.present('key', holder, { id: 'a', rotation: 5 })).toBe(true)
    expect(await replica.command('HGET', 'authchart:session:key', 'markRotation')).toBe('5')
    replica.signal('SIGSTOP')
    await expect(fleet.present('key', holder, { id: 'a', rotation: 5 })).rejects.toMatchObject({
      reason: 'too_few_replicas',
    })
    // What the server has issued is stored all the same.
    expect(await fleet.replace('key', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })).toBe(
      'written',
    )
  })

  it('a full memory keeps no answer to a refresh token out, and lets no other token be presented', async () => {
    const server = await start()
    const fleet = await connect(server)
    const tags = ['all', 'user']
    await fleet.replace('key', storedSession({ tags }), undefined)
    const holder = await acquireAs(fleet, 'key', 'one')
    expect(await fleet.present('key', holder, { id: 'a', rotation: 5 })).toBe(true)
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    const answer = storedSession({ tags, rotation: 6 })
    expect(await fleet.replace('key', answer, { id: 'a', rotation: 5 })).toBe('written')
    expect(await findAll(fleet, 'user')).toEqual(['key'])
    for (const attempt of [
      () => fleet.acquire('key', 'one', undefined),
      () => fleet.present('key', holder, { id: 'a', rotation: 6 }),
      () => fleet.replace('another', storedSession({ tags }), undefined),
    ])
      await expect(attempt()).rejects.toMatchObject({ reason: 'out_of_memory' })
    expect(await fleet.remove('key')).toMatchObject({ rotation: 6 })
  })

  it('scripts are sent again to a server that has forgotten them', async () => {
    const server = await start()
    const fleet = await connect(server)
    await fleet.replace('key', storedSession(), undefined)
    await server.command('SCRIPT', 'FLUSH')
    expect(await fleet.read('key')).toEqual(expect.objectContaining({ rotation: 5 }))
    expect(await fleet.replace('key', storedSession({ rotation: 6 }), undefined)).toBe('written')
  })

  it('a user without INFO and without the channel can use it, and never suspects a change of server', async () => {
    const user = ['default', 'on', 'nopass', '~*', '+@all', '-info', 'resetchannels']
    const server = await start('--appendonly', 'yes', '--appendfsync', 'always', '--user', ...user)
    const fleet = await connect(server)
    await fleet.replace('key', storedSession(), undefined)
    expect(await suspects(fleet, 'key')).toBe(false)
    await expect(server.command('INFO')).rejects.toThrow('NOPERM')
    await server.restart('SIGTERM')
    await fleet.remove('other')
    await fleet.replace('key', storedSession({ rotation: 6 }), undefined)
    await eventually(async () => (await fleet.acquire('key', 'one', undefined)).result === 'granted')
    expect(granted(await fleet.acquire('key', 'one', undefined)).isSuspect).toBe(false)
  })

  it('nothing stays longer than it is needed', async () => {
    const server = await start()
    const fleet = await connect(server)
    const timeToLive = async (key: string) => Number(await server.command('PTTL', `authchart:${key}`))
    const near = (time: number) => [time - 20_000, time + 1_000] as const
    const expectNear = async (key: string, time: number) => {
      const left = await timeToLive(key)
      const [least, most] = near(time)
      expect(left).toBeGreaterThan(least)
      expect(left).toBeLessThan(most)
    }
    const DAY = 86_400_000
    await fleet.replace('session', storedSession({ until: Date.now() + 9 * DAY, tags: ['tag'] }), undefined)
    await expectNear('session:session', 9 * DAY)
    await expectNear('tag:tag', 9 * DAY)
    await fleet.remove('session')
    await expectNear('session:session', 9 * DAY)
    expect(await server.command('EXISTS', 'authchart:tag:tag')).toBe(0)
    await fleet.remove('ended', { id: 'a', rotation: 1, startedAt: 1 })
    await expectNear('session:ended', DAY)
    await acquireAs(fleet, 'turn', 'one')
    await expectNear('session:turn', DAY)
    await fleet.writeLastUse('used', 1)
    await expectNear('session:used', DAY)
    await fleet.replace('over', storedSession({ until: Date.now() - 5, tags: ['gone'] }), undefined)
    await expectNear('session:over', 60_000)
    await fleet.replace('next', storedSession({ tags: ['gone'] }), undefined)
    expect(await server.command('ZCARD', 'authchart:tag:gone')).toBe(1)
  })
})

describe.skipIf(!hasRedis)('a cluster of Redis', () => {
  it('keeps each session on one node, and finds sessions on all of them', async () => {
    const nodes: RedisServer[] = []
    cleanups.push(() => Promise.all(nodes.map((node) => node.stop())))
    const [bus, ...buses] = [await freePort(), await freePort(), await freePort()]
    for (const [index, own] of [bus, ...buses].entries()) {
      const args = [
        '--cluster-enabled',
        'yes',
        '--cluster-port',
        String(own),
        '--cluster-config-file',
        'nodes',
      ]
      const node = await startRedis(args)
      nodes.push(node)
      const slots = [index * 5_461, index === 2 ? 16_383 : index * 5_461 + 5_460].map(String)
      await node.command('CLUSTER', 'ADDSLOTSRANGE', ...slots)
      await node.command('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]?.port), String(bus))
    }
    await eventually(async () => {
      const states = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')))
      return states.every(
        (state) =>
          String(state).includes('cluster_state:ok') && String(state).includes('cluster_known_nodes:3'),
      )
    })
    const cluster = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    cleanups.push(() => cluster.disconnect())
    const fleet = redisFleet(([name = '', ...parts]) => cluster.call(name, ...parts))
    const keys = Array.from({ length: 30 }, () => randomUUID())
    for (const key of keys) {
      await fleet.replace(key, storedSession({ tags: ['tag'] }), undefined)
      const holder = await acquireAs(fleet, key, 'one')
      expect(await fleet.present(key, holder, { id: 'a', rotation: 5 })).toBe(true)
      expect(
        await fleet.replace(key, storedSession({ rotation: 6, tags: ['tag'] }), { id: 'a', rotation: 5 }),
      ).toBe('written')
      await fleet.release(key, holder, true)
    }
    expect([...(await findAll(fleet, 'tag'))].sort()).toEqual([...keys].sort())
    const sizes = await Promise.all(nodes.map((node) => node.command('DBSIZE')))
    for (const size of sizes) expect(Number(size)).toBeGreaterThan(0)
  }, 90_000)
})
