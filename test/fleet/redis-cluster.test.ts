import { Cluster, Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RedisLink, redisFleet } from '../../src/fleet/redis.ts'
import { createAuthPool } from '../../src/server/pool.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { KEYS } from '../server/fleet-setup.ts'
import { freePort } from '../support/free-port.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'
import { describeFleet, eventually } from './describe-fleet.ts'

const SLOTS = 16_384

async function startNode(): Promise<RedisServer> {
  const bus = await freePort()
  return startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(bus)])
}

/** Three nodes, each with a third of the slots. */
async function startCluster(): Promise<readonly [RedisServer, RedisServer, RedisServer]> {
  const nodes = [await startNode(), await startNode(), await startNode()] as const
  for (const [index, node] of nodes.entries()) {
    const [first, next] = [index, index + 1].map((share) => Math.floor((SLOTS * share) / nodes.length))
    await node.command('CLUSTER', 'ADDSLOTSRANGE', String(first), String(Number(next) - 1))
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    const [, bus] = (await node.command('CONFIG', 'GET', 'cluster-port')) as readonly string[]
    await nodes[0].command('CLUSTER', 'MEET', '127.0.0.1', String(node.port), String(bus))
  }
  await eventually(async () => {
    const states = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')))
    return states.every((state) => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(state)))
  })
  return nodes
}

type Nodes = Awaited<ReturnType<typeof startCluster>>

/** One more process. */
function connect(nodes: Nodes): { readonly link: RedisLink; close(): void } {
  const cluster = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
  // Messages reach the subscribers of every node.
  const subscriber = new Redis(nodes[1].url)
  const link: RedisLink = {
    send: ([name = '', ...parts]) => cluster.call(name, ...parts),
    async subscribe(channel, hear) {
      subscriber.on('message', (_, message) => hear(message))
      await subscriber.subscribe(channel)
      return () => subscriber.removeAllListeners('message').unsubscribe(channel)
    },
  }
  const close = () => [cluster, subscriber].forEach((client) => void client.disconnect())
  return { link, close }
}

describe.skipIf(!hasRedis)('Redis as a cluster', () => {
  describeFleet('a cluster of Redis', async () => {
    const nodes = await startCluster()
    const closes: (() => void)[] = []
    return {
      isRemote: true,
      async open(lease) {
        const { link, close } = connect(nodes)
        closes.push(close)
        return redisFleet(link, { lease })
      },
      async close() {
        for (const close of closes) close()
        await Promise.all(nodes.map((node) => node.stop()))
      },
    }
  })

  it('sessions whose slot moves or is not served for a while go on, in processes that hold them and in others', async () => {
    const nodes = await startCluster()
    onTestFinished(async () => {
      await Promise.all(nodes.map((node) => node.stop()))
    })
    const server = createTokenServer({ accessTokenLifetime: 3_600_000 })
    const ends: string[] = []
    const open = () => {
      const { link, close } = connect(nodes)
      const pool = createAuthPool({
        fleet: redisFleet(link),
        keys: KEYS,
        timeouts: { lock: 5_000 },
        signIn: async () => server.issue(),
        refresh: async ({ refreshToken = '' }) => server.renew(refreshToken),
      })
      pool.on('*', ({ type }) => void (/^(?:expired|signedOut)$/.test(type) && ends.push(type)))
      onTestFinished(() => pool.dispose().then(close))
      return pool
    }
    const [one, other] = [open(), open()]
    const { key } = await one.signIn({})
    const refreshAll = async () => {
      for (const pool of [one, other, open()]) await pool.use(key, (auth) => auth.refresh())
    }
    await refreshAll()

    const names = await Promise.all(nodes.map((node) => node.command('KEYS', '*session:*')))
    const at = names.findIndex((found) => (found as string[]).length > 0)
    const [source, target] = [nodes[at], nodes[(at + 1) % 3]] as [RedisServer, RedisServer]
    const [name = ''] = names[at] as string[]
    const slot = String(await source.command('CLUSTER', 'KEYSLOT', name))
    const [from, to] = await Promise.all(
      [source, target].map(async (node) => String(await node.command('CLUSTER', 'MYID'))),
    )
    await target.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(from))
    await source.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(to))
    await refreshAll()
    await source.command('MIGRATE', '127.0.0.1', String(target.port), name, '0', '5000')
    await refreshAll()
    for (const node of [target, source]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', String(to))
    await refreshAll()

    for (const node of nodes) await node.command('CLUSTER', 'DELSLOTS', slot)
    const failed = await one.use(key, (auth) => auth.refresh()).catch(({ code }) => code)
    expect(failed).toBe('refresh_unavailable')
    await target.command('CLUSTER', 'ADDSLOTS', slot)
    await eventually(() => one.use(key, (auth) => auth.refresh()).catch(() => undefined))
    await refreshAll()
    expect(ends).toEqual([])
    expect(server.reuseDetections).toBe(0)
    expect(server.refreshes).toBeGreaterThan(5)
  }, 60_000)
})
