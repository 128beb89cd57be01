/**
 * Measures what it costs that processes share sessions: refreshes for each expiry, the latency that a turn adds, commands of the
 * database, and sessions in memory. It uses a real Redis and a real PostgreSQL if they are installed, and otherwise says so.
 */
import { PGlite } from '@electric-sql/pglite'
import { postgresFleet, postgresSchema } from '../src/fleet/postgres.ts'
import { redisFleet } from '../src/fleet/redis.ts'
import { createAuthPool, type Fleet, keyRing, memoryFleet } from '../src/server/index.ts'
import { createTokenServer } from '../src/testing/token-server/token-server.ts'
import { POSTGRES_LINKS } from '../test/fleet/postgres-links.ts'
import { REDIS_LINKS } from '../test/fleet/redis-links.ts'
import { hasPostgres, startPostgres } from '../test/support/postgres-server.ts'
import { hasRedis, startRedis } from '../test/support/redis-server.ts'
import { table } from './table.ts'

const SESSIONS = 50
const ROUNDS = 5
const ENDPOINT = 20
const RESIDENTS = 2_000

interface Engine {
  readonly fleet: Fleet
  close(): unknown
}

const engines: Record<string, () => Promise<Engine>> = {
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

/** The same fleet, and how often it was called. */
function counted(fleet: Fleet) {
  let calls = 0
  const count = <T extends (...args: never[]) => unknown>(method: T): T =>
    ((...args: never[]) => {
      calls++
      return method(...args)
    }) as T
  const { read, replace, remove, find, readLastUse, writeLastUse, acquire, present, release, publish } = fleet
  const methods = {
    read,
    replace,
    remove,
    find,
    readLastUse,
    writeLastUse,
    acquire,
    present,
    release,
    publish,
  }
  for (const [name, method] of Object.entries(methods))
    methods[name as 'read'] = count(method.bind(fleet) as typeof read)
  return {
    fleet: { ...fleet, ...methods } as Fleet,
    take() {
      const taken = calls
      calls = 0
      return taken
    },
  }
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

async function measure({ fleet: given }: Engine) {
  const { fleet, take } = counted(given)
  const server = createTokenServer({ accessTokenLifetime: 3_600_000 })
  const post = async (path: string, fields: Record<string, string>) =>
    (await server.fetch(path, { method: 'POST', body: new URLSearchParams(fields) })).json()
  const createPool = () =>
    createAuthPool({
      fleet,
      keys: keyRing({ bench: new Uint8Array(32).fill(1) }),
      resident: { most: 10 * RESIDENTS },
      signIn: ({ username }: { username: string }) => post('/session', { username, password: 'correct' }),
      async refresh({ refreshToken = '' }) {
        await new Promise((resolve) => setTimeout(resolve, ENDPOINT))
        return post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken })
      },
    })
  const pools = [createPool(), createPool()] as const
  const keys: string[] = []
  for (let n = 0; n < SESSIONS; n++) keys.push((await pools[0].signIn({ username: `user${n}` })).key)
  for (const key of keys) await pools[1].use(key, () => undefined)

  const latencies: number[] = []
  let commands = 0
  for (let round = 0; round < ROUNDS; round++) {
    take()
    await Promise.all(
      keys.flatMap((key) =>
        pools.map(async (pool) => {
          const began = performance.now()
          const before = await pool.use(key, (auth) => auth.session?.generation)
          await pool.use(key, (auth) => (auth.session?.generation === before ? auth.refresh() : undefined))
          latencies.push(performance.now() - began - ENDPOINT)
        }),
      ),
    )
    commands += take()
  }
  const refreshes = pools[0].counts.refreshes + pools[1].counts.refreshes

  const reader = createPool()
  const cold: number[] = []
  for (const key of keys) {
    const began = performance.now()
    await reader.use(key, () => undefined)
    cold.push(performance.now() - began)
  }
  const began = performance.now()
  for (let n = 0; n < 20_000; n++) await reader.use(keys[n % SESSIONS] as string, () => undefined)
  const resident = ((performance.now() - began) / 20_000) * 1_000
  await Promise.all([...pools, reader].map((pool) => pool.dispose()))
  return {
    refreshes: refreshes / (SESSIONS * ROUNDS),
    reuse: server.reuseDetections,
    latency: median(latencies),
    commands: commands / refreshes,
    cold: median(cold),
    resident,
  }
}

const rows: string[][] = []
for (const [name, open] of Object.entries(engines)) {
  const engine = await open()
  const { refreshes, reuse, latency, commands, cold, resident } = await measure(engine)
  rows.push([
    name,
    refreshes.toFixed(2),
    String(reuse),
    `${latency.toFixed(1)} ms`,
    commands.toFixed(1),
    `${cold.toFixed(2)} ms`,
    `${resident.toFixed(1)} µs`,
  ])
  await engine.close()
}
console.log(
  `${SESSIONS} sessions, two pools, ${ROUNDS} expiries of all sessions at once, an endpoint of ${ENDPOINT} ms`,
)
console.log(
  table(
    ['database', 'refreshes each', 'reused', 'latency added', 'commands each', 'use, cold', 'use, in memory'],
    rows,
  ),
)
process.exit()
