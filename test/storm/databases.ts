import { Redis } from 'ioredis'
import pg from 'pg'
import { postgresSchema } from '../../src/fleet/postgres.ts'
import { startPostgres, startStandby } from '../support/postgres-server.ts'
import { type RedisServer, startRedis, startReplica } from '../support/redis-server.ts'
import { oneOf } from './one-of.ts'

/** A database of the storm. */
export interface StormDatabase {
  readonly kind: 'redis' | 'postgres'
  /** The port of the server that is the primary now. */
  readonly port: number
  url(port: number): string
  /** Crashes, and comes back with what it had written to its files. */
  restart(): Promise<void>
  /** Refuses commands in one of its ways, some of them for a while. */
  refuse(random: () => number): Promise<void>
  /** Makes a server the primary that does not know what was written last. */
  failOver(): Promise<void>
  stop(): Promise<void>
}

/** How long a server refuses commands, in milliseconds. */
const WHILE = 800
const aWhile = () => new Promise<void>((resolve) => setTimeout(resolve, WHILE))

/** Sets something of a Redis for a while. */
const setFor = (name: string, value: string) => async (redis: Redis) => {
  await redis.call('CONFIG', 'SET', name, value)
  await aWhile()
  await redis.call('CONFIG', 'SET', name, '0')
}

const BUSY = "local t = redis.call('TIME')[1] + 1; while tonumber(redis.call('TIME')[1]) <= t do end"

/** Ways in which a Redis refuses commands. */
const REDIS_REFUSALS: readonly ((redis: Redis) => Promise<unknown>)[] = [
  (redis) => redis.call('SCRIPT', 'FLUSH'),
  (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'normal'),
  (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  (redis) => redis.call('CLIENT', 'PAUSE', WHILE, 'WRITE'),
  (redis) => redis.call('EVAL', BUSY, 0),
  setFor('maxmemory', '1'),
  setFor('min-replicas-to-write', '1'),
  async (redis) => {
    await redis.call('REPLICAOF', '127.0.0.1', '1')
    await aWhile()
    await redis.call('REPLICAOF', 'NO', 'ONE')
  },
]

/** Ways in which a PostgreSQL refuses statements. */
const POSTGRES_REFUSALS: readonly ((client: pg.Client) => Promise<unknown>)[] = [
  (client) =>
    client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND random() < 0.5`),
  (client) => readOnlyFor(client),
  (client) => client.query('BEGIN; LOCK TABLE authchart_sessions; SELECT pg_sleep(1); COMMIT'),
]

async function readOnlyFor(client: pg.Client): Promise<void> {
  await client.query('ALTER SYSTEM SET default_transaction_read_only = on')
  await client.query('SELECT pg_reload_conf()')
  await aWhile()
  await client.query('ALTER SYSTEM RESET default_transaction_read_only')
  await client.query('SELECT pg_reload_conf()')
}

/** @param isDurable whether a restart keeps the data */
export async function startRedisDatabase(isDurable: boolean): Promise<StormDatabase> {
  const durable = isDurable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []
  // Soon after a script has begun, other commands are refused.
  const args = ['--lua-time-limit', '50', ...durable]
  let primary: RedisServer = await startRedis(args)
  let replica: RedisServer | undefined
  return {
    kind: 'redis',
    get port() {
      return primary.port
    },
    url: (port) => `redis://127.0.0.1:${port}`,
    restart: () => primary.restart('SIGKILL'),
    async refuse(random) {
      const redis = new Redis(primary.url)
      redis.on('error', () => {})
      try {
        // A connection that is cut has no answer.
        await oneOf(REDIS_REFUSALS, random)?.(redis).catch(() => {})
      } finally {
        redis.disconnect()
      }
    },
    async failOver() {
      replica ??= await startReplica(primary)
      const before = primary
      // From now on it receives nothing. The primary goes on for a while.
      await replica.command('REPLICAOF', 'NO', 'ONE')
      await new Promise((resolve) => setTimeout(resolve, 400))
      await before.stop()
      primary = replica
      replica = await startReplica(primary)
    },
    async stop() {
      await Promise.all([primary.stop(), replica?.stop()])
    },
  }
}

export async function startPostgresDatabase(): Promise<StormDatabase> {
  let primary = await startPostgres()
  let standby: Awaited<ReturnType<typeof startStandby>> | undefined
  const client = new pg.Client({ connectionString: primary.url })
  await client.connect()
  await client.query(postgresSchema())
  await client.end()
  return {
    kind: 'postgres',
    get port() {
      return primary.port
    },
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    restart: () => primary.restart('SIGQUIT'),
    async refuse(random) {
      const admin = new pg.Client({
        connectionString: primary.url,
        options: '-c default_transaction_read_only=off',
      })
      await admin.connect()
      try {
        await oneOf(POSTGRES_REFUSALS, random)?.(admin)
      } finally {
        await admin.end()
      }
    },
    async failOver() {
      standby ??= await startStandby(primary)
      const before = primary
      await standby.promote()
      await new Promise((resolve) => setTimeout(resolve, 400))
      await before.stop('SIGQUIT')
      primary = standby
      standby = undefined
    },
    async stop() {
      await primary.stop('SIGQUIT')
      await standby?.stop('SIGQUIT')
    },
  }
}
