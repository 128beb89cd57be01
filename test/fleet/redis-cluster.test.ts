import { Cluster, Redis } from 'ioredis'
import { describe } from 'vitest'
import { redisFleet } from '../../src/fleet/redis.ts'
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

describe.skipIf(!hasRedis)('Redis as a cluster', () => {
  describeFleet('a cluster of Redis', async () => {
    const nodes = await startCluster()
    const clients: { disconnect(): void }[] = []
    return {
      isRemote: true,
      async open(lease) {
        const cluster = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
        // Messages reach the subscribers of every node.
        const subscriber = new Redis(nodes[1].url)
        clients.push(cluster, subscriber)
        return redisFleet(
          {
            send: ([name = '', ...parts]) => cluster.call(name, ...parts),
            async subscribe(channel, hear) {
              subscriber.on('message', (_, message) => hear(message))
              await subscriber.subscribe(channel)
              return () => subscriber.removeAllListeners('message').unsubscribe(channel)
            },
          },
          { lease },
        )
      },
      async close() {
        for (const client of clients) client.disconnect()
        await Promise.all(nodes.map((node) => node.stop()))
      },
    }
  })
})
