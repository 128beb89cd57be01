import { Redis } from 'ioredis'
import pg from 'pg'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { postgresFleet } from '../../src/fleet/postgres.ts'
import { redisFleet } from '../../src/fleet/redis.ts'
import { listenTo } from '../fleet/postgres-links.ts'
import type { ProcessSettings } from './settings.ts'

type Database = Pick<ProcessSettings, 'database' | 'url' | 'lease' | 'notifies'>

/** A fleet by the most used client of its database, with the settings that the client has by default. */
export function openFleet({ database, url, lease, notifies }: Database): {
  readonly fleet: Fleet
  close(): unknown
} {
  return database === 'redis' ? openRedis(url, lease, notifies) : openPostgres(url, lease, notifies)
}

function openRedis(url: string, lease: number, notifies: boolean) {
  const redis = new Redis(url)
  redis.on('error', () => {})
  const send = ([name = '', ...parts]: readonly string[]) => redis.call(name, ...parts)
  const subscribers: Redis[] = []
  async function subscribe(channel: string, hear: (message: string) => void) {
    const subscriber = redis.duplicate()
    subscribers.push(subscriber)
    subscriber.on('error', () => {})
    subscriber.on('message', (_, message) => hear(message))
    await subscriber.subscribe(channel)
    return () => subscriber.disconnect()
  }
  return {
    fleet: redisFleet(notifies ? { send, subscribe } : send, { lease }),
    close() {
      for (const client of [redis, ...subscribers]) client.disconnect()
    },
  }
}

function openPostgres(url: string, lease: number, notifies: boolean) {
  const pool = new pg.Pool({
    connectionString: url,
    max: 5,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  })
  pool.on('error', () => {})
  return {
    fleet: postgresFleet((statement, values) => pool.query(statement, values), {
      lease,
      ...(notifies && { listen: listenTo(url) }),
    }),
    close: () => pool.end(),
  }
}
