import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { type PostgresFleetOptions, postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { hasPostgres, type PostgresServer, startPostgres, startStandby } from '../support/postgres-server.ts'
import { acquireAs, eventually, granted, storedSession, suspects } from './describe-fleet.ts'
import { POSTGRES_LINKS } from './postgres-links.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function connect(
  server: PostgresServer,
): Promise<Fleet & { query(sql: string): Promise<pg.QueryResult> }> {
  const { query, listen, close } = await POSTGRES_LINKS.pg(server.url)
  cleanups.push(close)
  return {
    ...postgresFleet(query, { ...(listen && { listen }) }),
    query: (sql) => query(sql, []) as Promise<pg.QueryResult>,
  }
}

/** A fleet whose connections have those options. */
function connectWith(server: PostgresServer, options: string, more: PostgresFleetOptions = {}): Fleet {
  const pool = new pg.Pool({ connectionString: server.url, options, max: 8 })
  pool.on('error', () => {})
  cleanups.push(() => pool.end())
  return postgresFleet((statement, values) => pool.query(statement, values), more)
}

describe.skipIf(!hasPostgres)('a PostgreSQL that loses what it holds', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await Promise.all([client.query(postgresSchema()), client.query(postgresSchema())])
    await client.end()
  }, 180_000)
  afterAll(() => server?.stop())

  it('after a restart, what was written before is suspect until it was refreshed', async () => {
    const fleet = await connect(server)
    await fleet.replace('restarted', storedSession(), undefined)
    expect(await suspects(fleet, 'restarted')).toBe(false)
    await server.restart()
    await eventually(() => fleet.read('restarted').catch(() => undefined))
    await eventually(async () => (await fleet.acquire('restarted', 'one', undefined)).result === 'granted')
    const { fence, isSuspect } = granted(await fleet.acquire('restarted', 'one', undefined))
    expect(isSuspect).toBe(true)
    await fleet.present('restarted', { fence, owner: 'one' }, { id: 'a', rotation: 5 })
    await fleet.replace('restarted', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })
    await fleet.release('restarted', { fence, owner: 'one' }, true)
    expect(await suspects(fleet, 'restarted')).toBe(false)
  })

  it('messages are received again after a restart', async () => {
    const fleet = await connect(server)
    const heard: string[] = []
    cleanups.push(fleet.subscribe('key', (message) => heard.push(message)))
    const receives = (message: string) =>
      eventually(async () => {
        await fleet.publish('key', message).catch(() => {})
        return heard.includes(message)
      })
    await receives('before')
    await server.restart()
    await receives('after')
  })

  it('a standby that was promoted is suspect', async () => {
    const before = await connect(server)
    await before.replace('promoted', storedSession(), undefined)
    const standby = await startStandby(server)
    cleanups.push(() => standby.stop())
    await standby.promote()
    const after = await connect(standby)
    expect((await after.read('promoted'))?.rotation).toBe(5)
    expect(await suspects(after, 'promoted')).toBe(true)
    expect(await suspects(before, 'promoted')).toBe(false)
  }, 180_000)

  it('rows whose time has passed are removed now and then, and no others', async () => {
    const fleet = await connect(server)
    await fleet.query(`UPDATE authchart_sessions SET forget_at = 1 WHERE key = 'restarted'`)
    // More than there are writes: a visit may leave several rows behind, and write each of them once.
    await fleet.query(`INSERT INTO authchart_sessions (key, forget_at)
      SELECT 'old ' || number, 1 FROM generate_series(1, 800) AS number`)
    await fleet.replace('lives', storedSession(), undefined)
    const rows = () =>
      fleet.query(
        `SELECT key FROM authchart_sessions WHERE key IN ('restarted', 'lives') OR key LIKE 'old %'`,
      )
    expect((await rows()).rows).toHaveLength(802)
    for (let rotation = 6; rotation < 220; rotation++)
      await fleet.replace('lives', storedSession({ rotation }), undefined)
    await eventually(async () => (await rows()).rows.length === 1)
    expect((await rows()).rows).toEqual([{ key: 'lives' }])
  })

  it('works in transactions that are serializable by default', async () => {
    const fleet = connectWith(server, '-c default_transaction_isolation=serializable')
    const results = await Promise.all(
      Array.from({ length: 8 }, () => fleet.replace('serializable', storedSession(), undefined)),
    )
    expect(results.filter((result) => result === 'written')).toHaveLength(1)
    const holders = await Promise.allSettled(
      Array.from({ length: 8 }, (_, racer) => acquireAs(fleet, 'serializable', `${racer}`)),
    )
    expect(holders.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('knows a mark again on a server that shows numbers with few digits', async () => {
    const fleet = connectWith(server, '-c extra_float_digits=0', { lease: 100 })
    await fleet.present('digits', await acquireAs(fleet, 'digits', 'one'), { id: 'a', rotation: 5 })
    const interrupted = await eventually(async () => {
      const held = await fleet.acquire('digits', 'other', undefined)
      const markedAt = held.result === 'held' ? held.markedAt : undefined
      const acquired = await fleet.acquire('digits', 'other', markedAt)
      return acquired.result === 'granted' && acquired.interrupted
    })
    expect(interrupted).toBe(5)
  })

  /** A process with one connection, which its app shares. */
  function oneConnection() {
    const pool = new pg.Pool({ connectionString: server.url, max: 1 })
    cleanups.push(() => pool.end())
    return { pool, fleet: postgresFleet((statement, values) => pool.query(statement, values)) }
  }

  it('a connection whose transaction has failed is named as the reason', async () => {
    const { pool, fleet } = oneConnection()
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('SELECT 1 / 0').catch(() => {})
    client.release()
    await expect(fleet.read('key')).rejects.toMatchObject({
      reason: 'failed_transaction',
      message: expect.stringContaining('End the transaction'),
    })
    // The pool closes a connection that has failed.
    expect(await fleet.read('key')).toBeUndefined()
  })

  it('a write that a deadlock with the app has ended is attempted again', async () => {
    const [{ pool: app }, { pool }] = [oneConnection(), oneConnection()]
    const failed: unknown[] = []
    const fleet = postgresFleet((statement, values) =>
      pool.query(statement, values).catch((error) => {
        failed.push(error.code)
        throw error
      }),
    )
    await fleet.replace('deadlock', storedSession(), undefined)
    await app.query(`CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$`)
    await app.query(`CREATE TRIGGER audit AFTER UPDATE ON authchart_sessions FOR EACH ROW
      WHEN (OLD.key = 'deadlock') EXECUTE FUNCTION audit()`)
    await app.query(`SET deadlock_timeout = '1min'`)
    await app.query('BEGIN')
    await app.query('SELECT pg_advisory_xact_lock(7)')
    const written = fleet.replace('deadlock', storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })
    await eventually(async () => {
      const waiting = await app.query('SELECT 1 FROM pg_locks WHERE NOT granted')
      return waiting.rows.length > 0
    })
    await app.query(`UPDATE authchart_sessions SET id = id WHERE key = 'deadlock'`)
    await app.query('COMMIT')
    expect(await written).toBe('written')
    expect(failed).toEqual(['40P01'])
  })

  it('a table that does not exist is named as the reason', async () => {
    const fleet = connectWith(server, '', { table: 'missing' })
    await expect(fleet.read('key')).rejects.toMatchObject({ reason: 'no_table' })
  })
})
