/**
 * Measures what it costs that processes share sessions. It uses a real Redis and a real PostgreSQL if they are installed, and otherwise
 * says so.
 */
import { hasPostgres } from '../../test/support/postgres-server.ts'
import { table } from '../table.ts'
import { CROWDED_POOL, measureCrowdedPool } from './crowded-pool.ts'
import { type Engine, engines } from './engines.ts'
import { EXPIRIES, measureExpiries } from './expiries.ts'
import { measureResidents, RESIDENTS } from './residents.ts'
import { measureWaiters, WAITERS_TITLE } from './waiters.ts'

type Measure = (engine: Engine) => Promise<string[]>

async function print(title: string, columns: string[], measure: Measure, names = Object.keys(engines)) {
  const rows: string[][] = []
  for (const name of names) {
    const engine = await engines[name]?.()
    if (!engine) continue
    rows.push([name, ...(await measure(engine))])
    await engine.close()
  }
  console.log(`${title}\n${table(['database', ...columns], rows)}\n`)
}

await print(
  EXPIRIES,
  ['refreshes each', 'reused', 'latency added', 'commands each', 'use, cold', 'use, in memory'],
  measureExpiries,
)
await print(
  WAITERS_TITLE,
  ['refreshes', 'commands a second', 'last released after the write'],
  measureWaiters,
)
// The other databases keep their sessions in the memory of this process.
await print(RESIDENTS, ['heap each', 'stored: heap each', 'timers'], measureResidents, [
  'Redis',
  'PostgreSQL',
])
if (hasPostgres) {
  const columns = ['other query, idle', 'during refreshes', 'ratio', 'all done', 'refreshes']
  console.log(`${CROWDED_POOL}\n${table(columns, [await measureCrowdedPool()])}`)
}
process.exit()
