import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { findAll } from '../../src/fleet/find-all.ts'
import { postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { FOUND_AT_ONCE } from '../../src/fleet/postgres-sql.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pgbouncer.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { describeFleet } from './describe-fleet.ts'
import { type OpenDatabase, POSTGRES_LINKS } from './postgres-links.ts'

type LinkName = keyof typeof POSTGRES_LINKS

describe.skipIf(!hasPostgres)('PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  }, 180_000)
  afterAll(() => server?.stop())

  /** @param through the address that statements are sent to. Default: the server's */
  async function openBench(name: LinkName, table: string, through = server.url) {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    // A migration may run again.
    for (let times = 0; times < 2; times++) await client.query(postgresSchema({ table }))
    await client.end()
    const opened: OpenDatabase[] = []
    return {
      isRemote: true,
      async open(lease: number) {
        const database = await POSTGRES_LINKS[name](through, server.url)
        opened.push(database)
        const { query, listen } = database
        return postgresFleet(query, { table, lease, ...(listen && { listen }) })
      },
      async close() {
        for (const database of opened) await database.close()
      },
    }
  }

  for (const name of Object.keys(POSTGRES_LINKS) as LinkName[])
    describeFleet(`PostgreSQL by ${name}`, () => openBench(name, `public.fleet_${name}`))

  it('finds all sessions of a tag that are more than one answer has', async () => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    onTestFinished(() => client.end())
    const table = 'fleet_many'
    await client.query(postgresSchema({ table }))
    const count = 2 * FOUND_AT_ONCE + 1
    await client.query(`INSERT INTO ${table} (key, id, rotation, started_at, until, tags, box, forget_at)
      SELECT 's' || n, 'a', 0, 1, 8e15, ARRAY['t'], 'b', 8e15 FROM generate_series(1, ${count}) AS n`)
    const fleet = postgresFleet((statement, values) => client.query(statement, values), { table })
    expect(new Set(await findAll(fleet, 't')).size).toBe(count)
  })

  describe.skipIf(!hasPgBouncer)('through PgBouncer', () => {
    let bouncer: Awaited<ReturnType<typeof startPgBouncer>>
    beforeAll(async () => {
      bouncer = await startPgBouncer(server)
    }, 180_000)
    afterAll(() => bouncer?.stop())

    describeFleet('PostgreSQL by pg, in transaction mode', () =>
      openBench('pg', 'public.fleet_bouncer', bouncer.url),
    )
  })
})
