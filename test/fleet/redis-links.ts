import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import Valkey from 'iovalkey'
import { createClient } from 'redis'
import type { RedisLink } from '../../src/fleet/redis.ts'

/** A link, and how to end its connections. */
export interface OpenLink {
  readonly link: RedisLink
  close(): unknown
}

type Opener = (url: string) => Promise<OpenLink>

const ioredis: Opener = async (url) => {
  const redis = new Redis(url, { enableReadyCheck: false })
  const subscriber = redis.duplicate()
  for (const client of [redis, subscriber]) client.on('error', () => {})
  return {
    link: {
      send: ([name = '', ...parts]) => redis.call(name, ...parts),
      async subscribe(channel, hear) {
        subscriber.on('message', (_, message) => hear(message))
        await subscriber.subscribe(channel)
        return () => subscriber.removeAllListeners('message').unsubscribe(channel)
      },
    },
    close() {
      redis.disconnect()
      subscriber.disconnect()
    },
  }
}

/** Buffers instead of texts. */
const ioredisBuffers: Opener = async (url) => {
  const redis = new Redis(url)
  redis.on('error', () => {})
  return {
    link: { send: ([name = '', ...parts]) => redis.callBuffer(name, ...parts) },
    close: () => redis.disconnect(),
  }
}

const iovalkey: Opener = async (url) => {
  const valkey = new Valkey(url)
  const subscriber = valkey.duplicate()
  for (const client of [valkey, subscriber]) client.on('error', () => {})
  return {
    link: {
      send: ([name = '', ...parts]) => valkey.call(name, ...parts),
      async subscribe(channel, hear) {
        subscriber.on('message', (_: string, message: string) => hear(message))
        await subscriber.subscribe(channel)
        return () => subscriber.removeAllListeners('message').unsubscribe(channel)
      },
    },
    close() {
      valkey.disconnect()
      subscriber.disconnect()
    },
  }
}

/** @param version of the protocol: some replies have other types in version 3 */
const nodeRedis =
  (version: 2 | 3): Opener =>
  async (url) => {
    const client = createClient({ url, RESP: version })
    const subscriber = client.duplicate()
    for (const each of [client, subscriber]) {
      each.on('error', () => {})
      await each.connect()
    }
    return {
      link: {
        send: (command) => client.sendCommand([...command]),
        async subscribe(channel, hear) {
          await subscriber.subscribe(channel, hear)
          return () => subscriber.unsubscribe(channel)
        },
      },
      close() {
        client.destroy()
        subscriber.destroy()
      },
    }
  }

/** A server in front of Redis that takes commands as JSON over HTTP and answers with JSON, as hosted services have one. */
const http: Opener = async (url) => {
  const redis = new Redis(url)
  redis.on('error', () => {})
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const [name = '', ...parts] = JSON.parse(Buffer.concat(chunks).toString())
    const answer = await redis.call(name, ...parts).then(
      (result) => ({ result }),
      (error: Error) => ({ error: error.message }),
    )
    response.end(JSON.stringify(answer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    link: {
      async send(command) {
        const response = await fetch(`http://127.0.0.1:${port}`, {
          method: 'POST',
          body: JSON.stringify(command),
        })
        const { result, error } = (await response.json()) as { result?: unknown; error?: string }
        if (error !== undefined) throw new Error(error)
        return result
      },
    },
    close() {
      redis.disconnect()
      server.closeAllConnections()
      server.close()
    },
  }
}

export const REDIS_LINKS = {
  ioredis,
  'ioredis with buffers': ioredisBuffers,
  iovalkey,
  redis: nodeRedis(2),
  'redis with RESP3': nodeRedis(3),
  http,
}
