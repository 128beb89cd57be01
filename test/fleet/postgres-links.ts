import pg from 'pg'
import postgres from 'postgres'
import type { PostgresFleetOptions, PostgresQuery } from '../../src/fleet/postgres.ts'

/** What `postgresFleet` is given, and how to end its connections. */
export interface OpenDatabase {
  readonly query: PostgresQuery
  readonly listen?: NonNullable<PostgresFleetOptions['listen']>
  close(): unknown
}

/** @param direct the address for what a connection has to be kept for */
type Opener = (url: string, direct?: string) => Promise<OpenDatabase>

/** Receives messages on a connection of its own. */
export const listenTo =
  (url: string) => async (channel: string, hear: (message: string) => void, lost: () => void) => {
    const client = new pg.Client({ connectionString: url, keepAlive: true })
    client.on('notification', ({ payload }) => hear(payload ?? ''))
    client.on('error', lost)
    client.on('end', lost)
    await client.connect()
    await client.query(`LISTEN "${channel}"`)
    return () => client.end()
  }

const nodePostgres: Opener = async (url, direct = url) => {
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  pool.on('error', () => {})
  return {
    query: (statement, values) => pool.query(statement, values),
    listen: listenTo(direct),
    close: () => pool.end(),
  }
}

const postgresJs: Opener = async (url, direct = url) => {
  const options = { max: 4, prepare: false, onnotice: () => {} }
  const [sql, listener] = [postgres(url, options), postgres(direct, options)]
  return {
    query: (statement, values) => sql.unsafe(statement, values),
    async listen(channel, hear) {
      const { unlisten } = await listener.listen(channel, hear)
      return unlisten
    },
    close: () => Promise.all([sql, listener].map((client) => client.end({ timeout: 1 }))),
  }
}

export const POSTGRES_LINKS = { pg: nodePostgres, postgres: postgresJs }
