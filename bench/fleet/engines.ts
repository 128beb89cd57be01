import { PGlite } from '@electric-sql/pglite'
import { postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { redisFleet } from '../../src/fleet/redis.ts'
import { type Fleet, memoryFleet } from '../../src/server/index.ts'
import { POSTGRES_LINKS } from '../../test/fleet/postgres-links.ts'
import { REDIS_LINKS } from '../../test/fleet/redis-links.ts'
import { hasPostgres, startPostgres } from '../../test/support/postgres-server.ts'
import { hasRedis, startRedis } from '../../test/support/redis-server.ts'

/** A database with its fleet. */
export interface Engine {
  readonly fleet: Fleet
  close(): unknown
}

/** The databases of this machine. */
export const engines: Record<string, () => Promise<Engine>> = {
  memory: async () => ({ fleet: memoryFleet(), close() {} }),
  async PGlite() {
    const database = new PGlite()
    await database.exec(postgresSchema())
    const fleet = postgresFleet((statement, values) => database.query(statement, values), {
      listen: (channel, hear) => database.listen(channel, hear),
    })
    return { fleet, close: () => database.close() }
  },
  ...(hasRedis && {
    async Redis() {
      const server = await startRedis()
      const { link, close } = await REDIS_LINKS.ioredis(server.url)
      return {
        fleet: redisFleet(link),
        async close() {
          close()
          await server.stop()
        },
      }
    },
  }),
  ...(hasPostgres && {
    async PostgreSQL() {
      const server = await startPostgres()
      const { query, listen, close } = await POSTGRES_LINKS.pg(server.url)
      await query(postgresSchema(), [])
      return {
        fleet: postgresFleet(query, listen && { listen }),
        async close() {
          await close()
          await server.stop()
        },
      }
    },
  }),
}

/** A call of the database; times are those of `performance.now()`. */
export interface Call {
  readonly name: string
  readonly began: number
  ended: number
}

const METHODS = [
  'read',
  'replace',
  'remove',
  'find',
  'readLastUse',
  'writeLastUse',
  'acquire',
  'present',
  'release',
  'publish',
] as const

/** The same fleet, and the calls of its database. */
export function observed(fleet: Fleet) {
  const calls: Call[] = []
  const observe =
    (name: string, method: (...args: never[]) => Promise<unknown>) =>
    async (...args: never[]) => {
      const call = { name, began: performance.now(), ended: Number.NaN }
      calls.push(call)
      return method(...args).finally(() => {
        call.ended = performance.now()
      })
    }
  const methods = METHODS.map((name) => [name, observe(name, fleet[name].bind(fleet))])
  return { fleet: { ...fleet, ...Object.fromEntries(methods) } as Fleet, calls }
}
