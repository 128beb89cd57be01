import pg from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import { postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { describeFleet, LEASE } from './describe-fleet.ts'
import { type OpenDatabase, POSTGRES_LINKS } from './postgres-links.ts'

describe.skipIf(!hasPostgres)('PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server?.stop())

  for (const [name, openDatabase] of Object.entries(POSTGRES_LINKS)) {
    describeFleet(`PostgreSQL by ${name}`, async () => {
      const opened: OpenDatabase[] = []
      const table = `public.fleet_${name}`
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(postgresSchema({ table }))
      await client.query(postgresSchema({ table }))
      await client.end()
      return {
        isRemote: true,
        async open() {
          const database = await openDatabase(server.url)
          opened.push(database)
          const { query, listen } = database
          return postgresFleet(query, { table, lease: LEASE, ...(listen && { listen }) })
        },
        async close() {
          for (const database of opened) await database.close()
        },
      }
    })
  }
})
