import { setTimeout as sleep } from 'node:timers/promises'
import { oneOf } from './one-of.ts'
import type { Trouble } from './storm.ts'

/** A kind of trouble. Times are in milliseconds. */
export interface Scenario {
  readonly name: string
  /** The server's grace period for the previous refresh token. Default: none. */
  readonly grace?: number
  /** How far the clocks of the processes are apart, in each direction. */
  readonly skew?: number
  /** Whether a restart of the database loses what it held. */
  readonly losesData?: boolean
  readonly notifies?: boolean
  /** How long everything takes from a process to the database, and back again. Default: no time. */
  readonly latency?: number
  /** `timeouts.refresh`. Default: 20,000, because a busy machine answers late. */
  readonly refreshTimeout?: number
  /** Makes trouble until the signal aborts, and then repairs everything. */
  run(trouble: Trouble, signal: AbortSignal): Promise<void>
}

/** Calls back at random intervals of that length on average, until the signal aborts. */
async function every(
  time: number,
  random: () => number,
  signal: AbortSignal,
  act: () => unknown,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(time * (0.5 + random()), undefined, { signal }).catch(() => {})
    if (!signal.aborted) await act()
  }
}

const until = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

/** Stops processes, each for a time, about so many at any moment. */
const stops =
  (time: number, share: number): Scenario['run'] =>
  async ({ processes, random }, signal) => {
    await every(time / (share * processes.length), random, signal, () => {
      oneOf(
        processes.filter(({ isStopped }) => !isStopped),
        random,
      )?.stopFor(time)
    })
    // The last ones wake up.
    await sleep(time)
  }

const kills =
  (time: number): Scenario['run'] =>
  ({ processes, random }, signal) =>
    every(time, random, signal, () => oneOf(processes, random)?.kill())

const cuts: Scenario['run'] = ({ proxy, random }, signal) =>
  every(700, random, signal, () => {
    const kind = random()
    if (kind < 0.4) proxy.cut(0.3, random)
    else if (kind < 0.7) proxy.stall(0.4, 300 + random() * 2_500, random)
    else proxy.drop(0.3, 300 + random() * 1_500, random)
  })

const restarts: Scenario['run'] = ({ database, random }, signal) =>
  every(5_000, random, signal, () => database.restart())

const refusals: Scenario['run'] = ({ database, random }, signal) =>
  every(1_000, random, signal, () => database.refuse(random))

const failovers: Scenario['run'] = ({ database, proxy, random }, signal) =>
  every(6_000, random, signal, async () => {
    await database.failOver()
    proxy.target = database.port
    proxy.cut(1, () => 0)
  })

export const SCENARIOS: readonly Scenario[] = [
  { name: 'calm', run: (_, signal) => until(signal) },
  { name: 'no messages', notifies: false, run: (_, signal) => until(signal) },
  { name: 'stops', run: stops(1_500, 0.25) },
  // Three of four processes at any time.
  { name: 'sleepers', run: stops(2_500, 0.8) },
  { name: 'kills', refreshTimeout: 10_000, run: kills(1_000) },
  { name: 'kills, grace', grace: 10_000, run: kills(1_000) },
  { name: 'kills, grace, slow', grace: 10_000, latency: 300, run: kills(3_000) },
  { name: 'restarts', run: restarts },
  { name: 'restarts without data', losesData: true, run: restarts },
  { name: 'refusals', run: refusals },
  { name: 'cuts', run: cuts },
  { name: 'failover', run: failovers },
  { name: 'clocks', skew: 240_000, run: (_, signal) => until(signal) },
  {
    name: 'all but kills',
    skew: 60_000,
    run: async (trouble, signal) => {
      await Promise.all([
        stops(1_500, 0.2)(trouble, signal),
        cuts(trouble, signal),
        restarts(trouble, signal),
      ])
    },
  },
]
