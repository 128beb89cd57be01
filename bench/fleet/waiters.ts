import { type Engine, observed } from './engines.ts'
import { signInUsers, tokenWorld } from './pools.ts'

const WAITERS = 1_000
const ENDPOINT = 3_000

export const WAITERS_TITLE = `One process refreshes a session, ${WAITERS} tasks of another wait for it; an endpoint of ${ENDPOINT} ms`

/** What a process costs that waits for the refresh of another one. */
export async function measureWaiters(engine: Engine): Promise<string[]> {
  const { server, createPool } = tokenWorld(ENDPOINT)
  const [holder, waiting] = [observed(engine.fleet), observed(engine.fleet)]
  const pools = [createPool(holder.fleet), createPool(waiting.fleet)] as const
  const [key = ''] = await signInUsers(pools[0], 1)
  await pools[1].use(key, () => undefined)

  const refreshing = pools[0].use(key, (auth) => auth.refresh())
  while (pools[0].counts.refreshes === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  waiting.calls.length = 0
  const began = performance.now()
  const released = await Promise.all(
    Array.from({ length: WAITERS }, () =>
      pools[1].use(key, async (auth) => {
        await auth.refresh()
        return performance.now()
      }),
    ),
  )
  await refreshing
  const written = holder.calls.filter(({ name }) => name === 'replace').at(-1)?.ended ?? Number.NaN
  const commands = waiting.calls.filter(({ began }) => began < written).length
  const row = [
    String(server.refreshes),
    ((commands / (written - began)) * 1_000).toFixed(1),
    `${(Math.max(...released) - written).toFixed(1)} ms`,
  ]
  await Promise.all(pools.map((pool) => pool.dispose()))
  return row
}
