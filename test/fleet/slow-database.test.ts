import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Clock } from '../../src/core/ports.ts'
import { systemClock } from '../../src/environment/clock.ts'
import { FleetCoordinator } from '../../src/fleet/coordinator.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { boundedFleet } from '../../src/server/bounded-fleet.ts'

const LEASE = 1_000

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

const pause = (time: number) => new Promise<void>((resolve) => void setTimeout(resolve, time))

/** A process whose calls of the database take that long, each way half of it. */
function slowProcess(database: Fleet, time: number): Fleet {
  const slow = new Proxy(database, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function' || name === 'subscribe') return value
      return async (...args: unknown[]) => {
        await pause(time / 2)
        const answer = await value(...args)
        await pause(time / 2)
        return answer
      }
    },
  })
  return boundedFleet(slow, systemClock, 10_000)
}

it.each([
  [10, 20],
  [LEASE, 5],
  [1.8 * LEASE, 3],
])('processes that wait %i ms for each call of the database still refresh', async (time, least) => {
  const database = memoryFleet({ lease: LEASE })
  const { signal } = new AbortController()
  let rotation = 0
  async function work(name: number): Promise<never> {
    const fleet = slowProcess(database, time)
    const coordinator = new FleetCoordinator(fleet, 'key', String(name))
    while (true) {
      const attempt = coordinator.exclusive(
        'refresh',
        async (turn) => {
          await fleet.read('key')
          const presented = { id: 'a', rotation }
          if (!(await turn?.present(presented)) || !turn?.holds()) return
          rotation++
          turn.settle()
        },
        { signal, timeout: 20_000 },
      )
      await attempt.catch(() => {})
      await pause(500)
    }
  }
  for (let name = 0; name < 8; name++) void work(name)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(rotation).toBeGreaterThanOrEqual(least)
})

it('an answer that comes very late counts as one of the longest calls that are waited for', async () => {
  const database = memoryFleet({ lease: LEASE })
  const fleet = slowProcess(database, 600_000)
  const failed = expect(fleet.read('key')).rejects.toMatchObject({ reason: 'timeout' })
  await vi.advanceTimersByTimeAsync(10_000)
  await failed
  const { lease } = fleet
  await vi.advanceTimersByTimeAsync(600_000)
  expect(fleet.lease).toBe(lease)
})

it('an answer that waits beside a late timer counts, because the process was busy', async () => {
  const fire: (() => void)[] = []
  let now = 0
  const clock: Clock = {
    now: () => now,
    setTimeout: (callback) => fire.push(callback),
    clearTimeout: () => {},
  }
  let answer = (_: undefined) => {}
  const read = () =>
    new Promise<undefined>((resolve) => {
      answer = resolve
    })
  const found = boundedFleet({ ...memoryFleet(), read }, clock, 2_000).read('key')
  await vi.advanceTimersByTimeAsync(0)
  now = 5_000
  fire.shift()?.()
  answer(undefined)
  expect(await found).toBeUndefined()
})
