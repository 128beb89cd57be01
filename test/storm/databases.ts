import pg from 'pg'
import { postgresSchema } from '../../src/fleet/postgres.ts'
import { startPostgres, startStandby } from '../support/postgres-server.ts'
import { type RedisServer, startRedis, startReplica } from '../support/redis-server.ts'

/** A database of the storm. */
export interface StormDatabase {
  readonly kind: 'redis' | 'postgres'
  /** The port of the server that is the primary now. */
  readonly port: number
  url(port: number): string
  /** Crashes, and comes back with what it had written to its files. */
  restart(): Promise<void>
  /** Makes a server the primary that does not know what was written last. */
  failOver(): Promise<void>
  stop(): Promise<void>
}

/** @param isDurable whether a restart keeps the data */
export async function startRedisDatabase(isDurable: boolean): Promise<StormDatabase> {
  const args = isDurable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []
  let primary: RedisServer = await startRedis(args)
  let replica: RedisServer | undefined
  return {
    kind: 'redis',
    get port() {
      return primary.port
    },
    url: (port) => `redis://127.0.0.1:${port}`,
    restart: () => primary.restart('SIGKILL'),
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
