import { heapUsed } from '../heap.ts'
import { pause, sooner, times } from '../scoreboard/scenario.ts'
import type { Peer } from '../scoreboard/types.ts'
import { median } from '../statistics.ts'
import { inOrder, openPeer } from './contestants.ts'

export interface StormCost {
  readonly peer: string
  readonly held: number
  /** Milliseconds from the new token to the last answer. */
  readonly drainedIn: number
  readonly bytesEach: number
}

/** The largest storm, and what is tried if a library cannot end it in time. */
const SIZES = [50_000, 5_000, 500]
const PATIENCE = 30_000

/**
 * Starts many requests while a refresh is running, weighs them, and measures the time from the new token to the last answer.
 * The libraries take turns. A library without such a function is missing in the results.
 */
export async function measureStorms(rounds: number): Promise<StormCost[]> {
  const results: StormCost[] = []
  const fits = new Map<Peer, { size: number; done: Storm[] }>()
  const canWait = inOrder.filter(({ name }) => name !== 'oidc-client-ts')
  for (let round = 0; round < rounds; round++) {
    for (const peer of canWait) {
      const known = fits.get(peer)
      for (const size of known ? [known.size] : SIZES) {
        const done = await storm(peer, size)
        if (!done) continue
        if (known) known.done.push(done)
        else fits.set(peer, { size, done: [done] })
        break
      }
    }
  }
  for (const [{ name }, { size, done }] of fits) {
    results.push({
      peer: name,
      held: size,
      drainedIn: median(done.map(({ drainedIn }) => drainedIn)),
      bytesEach: median(done.map(({ bytesEach }) => bytesEach)),
    })
  }
  return results
}

type Storm = Pick<StormCost, 'drainedIn' | 'bytesEach'>

/** Resolves with `undefined` if a request fails, or if the last answer does not come in time. */
async function storm(peer: Peer, size: number): Promise<Storm | undefined> {
  const { client, server, close } = await openPeer(peer, true)
  const { arrived, release } = server.hold()
  await sooner(
    arrived,
    times(1, () => client.request('/api/first')),
  )
  await pause()

  const requests = new Array<Promise<{ status: number }>>(size)
  const before = heapUsed()
  for (let index = 0; index < size; index++) requests[index] = client.request('/api/me')
  // Requests that are answered 401 have to come back first.
  await pause(500)
  const bytesEach = (heapUsed() - before) / size

  const startedAt = process.hrtime.bigint()
  release()
  const all = Promise.all(requests).then((answers) => answers.every(({ status }) => status === 200))
  const settled = await Promise.race([all.catch(() => false), pause(PATIENCE).then(() => false)])
  const drainedIn = Number(process.hrtime.bigint() - startedAt) / 1e6
  close()
  return settled ? { drainedIn, bytesEach } : undefined
}
