/** The database of the examples: Redis or PostgreSQL if an address is given, or else PGlite, which needs no server. */
import { PGlite } from '@electric-sql/pglite'
import { postgresFleet, postgresSchema } from 'authchart/postgres'
import { redisFleet } from 'authchart/redis'
import type { Fleet } from 'authchart/server'
import { Redis } from 'ioredis'
import pg from 'pg'

export interface OpenFleet {
  readonly name: string
  readonly fleet: Fleet
  close(): Promise<unknown>
}

export function openFleet({ REDIS_URL, DATABASE_URL }: NodeJS.ProcessEnv = process.env): Promise<OpenFleet> {
  if (REDIS_URL) return redis(REDIS_URL)
  return DATABASE_URL ? postgres(DATABASE_URL) : embedded()
}

async function redis(url: string): Promise<OpenFleet> {
  const client = new Redis(url)
  const fleet = redisFleet({
    send: ([name = '', ...parts]) => client.call(name, ...parts),
    async subscribe(channel, hear) {
      const subscriber = client.duplicate({ maxRetriesPerRequest: null })
      subscriber.on('message', (_, message) => hear(message))
      await subscriber.subscribe(channel)
      return () => subscriber.disconnect()
    },
  })
  return { name: 'Redis', fleet, close: () => client.quit() }
}

async function postgres(url: string): Promise<OpenFleet> {
  const pool = new pg.Pool({ connectionString: url })
  // A pool without a listener of errors ends the process when it loses a connection.
  pool.on('error', console.error)
  await pool.query(postgresSchema())
  const fleet = postgresFleet((statement, values) => pool.query(statement, values))
  return { name: 'PostgreSQL', fleet, close: () => pool.end() }
}

async function embedded(): Promise<OpenFleet> {
  const database = new PGlite()
  await database.exec(postgresSchema())
  const fleet = postgresFleet((statement, values) => database.query(statement, values), {
    listen: (channel, hear) => database.listen(channel, hear),
  })
  return { name: 'PGlite, in this process', fleet, close: () => database.close() }
}
