import pg from 'pg'
import { postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { listenTo } from '../../test/fleet/postgres-links.ts'
import { startPostgres } from '../../test/support/postgres-server.ts'
import { median } from '../statistics.ts'
import { signInUsers, tokenWorld } from './pools.ts'

const CONNECTIONS = 10
const SESSIONS = 100
const ENDPOINT = 300
const REST = 1_000

export const CROWDED_POOL = `${SESSIONS} sessions refresh at once through a pool of ${CONNECTIONS} connections to PostgreSQL, an endpoint of ${ENDPOINT} ms`

/** What refreshes leave of a small pool of connections to the other queries of the app. */
export async function measureCrowdedPool(): Promise<string[]> {
  const server = await startPostgres()
  const connections = new pg.Pool({ connectionString: server.url, max: CONNECTIONS })
  // The server ends its connections when it is stopped.
  connections.on('error', () => {})
  await connections.query(postgresSchema())
  const fleet = postgresFleet((statement, values) => connections.query(statement, values), {
    listen: listenTo(server.url),
  })
  const { server: tokens, createPool } = tokenWorld(ENDPOINT)
  const pool = createPool(fleet)
  const keys = await signInUsers(pool, SESSIONS)

  let isOver = false
  const query = async () => {
    const times: number[] = []
    for (isOver = false; !isOver; await new Promise((resolve) => setTimeout(resolve, 5))) {
      const began = performance.now()
      await connections.query('SELECT count(*) FROM generate_series(1, 1000)')
      times.push(performance.now() - began)
    }
    return median(times)
  }
  const during = async (work: Promise<unknown>) => {
    const other = query()
    await work
    isOver = true
    return other
  }
  const idle = await during(new Promise((resolve) => setTimeout(resolve, REST)))
  const began = performance.now()
  let done = 0
  const busy = await during(
    Promise.all(keys.map((key) => pool.use(key, (auth) => auth.refresh()))).then(() => {
      done = performance.now() - began
    }),
  )
  const row = [
    `${idle.toFixed(2)} ms`,
    `${busy.toFixed(2)} ms`,
    (busy / idle).toFixed(2),
    `${done.toFixed(0)} ms`,
    String(tokens.refreshes),
  ]
  await pool.dispose()
  await connections.end()
  await server.stop()
  return row
}
