import { median } from '../statistics.ts'
import { type Engine, observed } from './engines.ts'
import { signInUsers, tokenWorld } from './pools.ts'

const SESSIONS = 50
const ROUNDS = 5
const ENDPOINT = 20
const USES = 20_000

export const EXPIRIES = `${SESSIONS} sessions, two pools, ${ROUNDS} expiries of all sessions at once, an endpoint of ${ENDPOINT} ms`

/** What it costs that two processes refresh the same sessions at the same time. */
export async function measureExpiries(engine: Engine): Promise<string[]> {
  const { fleet, calls } = observed(engine.fleet)
  const { server, createPool } = tokenWorld(ENDPOINT)
  const pools = [createPool(fleet), createPool(fleet)] as const
  const keys = await signInUsers(pools[0], SESSIONS)
  for (const key of keys) await pools[1].use(key, () => undefined)

  const latencies: number[] = []
  calls.length = 0
  for (let round = 0; round < ROUNDS; round++) {
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
  }
  const commands = calls.length
  const refreshes = pools[0].counts.refreshes + pools[1].counts.refreshes

  const reader = createPool(fleet)
  const cold: number[] = []
  for (const key of keys) {
    const began = performance.now()
    await reader.use(key, () => undefined)
    cold.push(performance.now() - began)
  }
  const began = performance.now()
  for (let n = 0; n < USES; n++) await reader.use(keys[n % SESSIONS] as string, () => undefined)
  const resident = ((performance.now() - began) / USES) * 1_000
  await Promise.all([...pools, reader].map((pool) => pool.dispose()))
  return [
    (refreshes / (SESSIONS * ROUNDS)).toFixed(2),
    String(server.reuseDetections),
    `${median(latencies).toFixed(1)} ms`,
    (commands / refreshes).toFixed(1),
    `${median(cold).toFixed(2)} ms`,
    `${resident.toFixed(1)} µs`,
  ]
}
