import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { AwaitedAnswer } from '../../src/coordination/awaited-answer.ts'
import { FleetCoordinator, patienceOf } from '../../src/fleet/coordinator.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { type FleetTurn, LONGEST_LOOK, takeTurn } from '../../src/fleet/turn.ts'

const PATIENCE = 12_000
const LEASE = 3_000

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** One process of a fleet. */
function processOf(fleet: Fleet, owner: string, patience = PATIENCE) {
  const awaited = new AwaitedAnswer<number>(LONGEST_LOOK)
  const controller = new AbortController()
  return {
    abort: () => controller.abort(new Error('gone')),
    take: (timeout = 60_000) =>
      takeTurn(fleet, 'key', owner, { signal: controller.signal, timeout, patience }, awaited),
  }
}

/** The state of a promise, without waiting for it. */
function watch(promise: Promise<FleetTurn>) {
  const watched = { turn: undefined as FleetTurn | undefined, error: undefined as unknown }
  promise.then(
    (turn) => {
      watched.turn = turn
    },
    (error: unknown) => {
      watched.error = error
    },
  )
  return watched
}

const advance = (time: number) => vi.advanceTimersByTimeAsync(time)

const session = (rotation: number) => ({
  id: 'a',
  rotation,
  startedAt: 1,
  until: Number.MAX_SAFE_INTEGER,
  tags: [],
  box: '',
})

function pair() {
  const fleet = memoryFleet()
  return { fleet, first: processOf(fleet, 'first'), second: processOf(fleet, 'second') }
}

it('passes from one process to the next as soon as it is released', async () => {
  const { first, second } = pair()
  const turn = await first.take()
  const waiting = watch(second.take())
  await advance(1_000)
  expect(waiting.turn).toBeUndefined()
  await turn.release()
  await advance(20)
  expect(waiting.turn?.fence).toBe(turn.fence + 1)
})

it('passes on after the lease, and then the holder before presents nothing', async () => {
  const { first, second } = pair()
  const turn = await first.take()
  const waiting = watch(second.take())
  await advance(LEASE - 10)
  expect(waiting.turn).toBeUndefined()
  expect(turn.holds()).toBe(true)
  await advance(600)
  expect(waiting.turn?.interrupted).toBeUndefined()
  expect(turn.holds()).toBe(false)
  expect(await turn.present({ id: 'a', rotation: 0 })).toBe(false)
  expect(await waiting.turn?.present({ id: 'a', rotation: 0 })).toBe(true)
})

it('is kept by its holder after the lease if no other process took it', async () => {
  const { first } = pair()
  const turn = await first.take()
  await advance(2 * LEASE)
  expect(turn.holds()).toBe(false)
  expect(await turn.present({ id: 'a', rotation: 0 })).toBe(true)
  expect(turn.holds()).toBe(true)
})

it('after a refresh token was presented, its answer is awaited as long as it may come', async () => {
  const { first, second } = pair()
  await (await first.take()).present({ id: 'a', rotation: 4 })
  const waiting = watch(second.take())
  await advance(PATIENCE - 600)
  expect(waiting.turn).toBeUndefined()
  await advance(1_800)
  expect(waiting.turn?.interrupted).toEqual({ rotation: 4 })
})

it('three processes may vanish one after another while the server accepts the refresh token again', async () => {
  const fleet = memoryFleet({ lease: 2_000 })
  const began = performance.now()
  const presented: number[] = []
  for (const owner of ['first', 'second', 'third', 'fourth']) {
    const coordinator = new FleetCoordinator(fleet, 'key', owner, patienceOf(10_000))
    const wait = { signal: new AbortController().signal, timeout: 60_000, patience: PATIENCE }
    void coordinator.exclusive(
      'refresh',
      async (turn) => {
        presented.push(performance.now() - began)
        await turn?.present({ id: 'a', rotation: 4 })
        await new Promise(() => {})
      },
      wait,
    )
    await advance(10)
  }
  await advance(12_000)
  expect(presented).toHaveLength(4)
  expect(presented.at(-1)).toBeLessThan(10_000)
})

it('a server that accepts no refresh token again makes no difference', () => {
  expect([patienceOf(0), patienceOf(undefined)]).toEqual([undefined, undefined])
})

it('the wait continues where an earlier one of the process has ended', async () => {
  const { first, second } = pair()
  await (await first.take()).present({ id: 'a', rotation: 4 })
  for (let waits = 0; waits < 3; waits++) {
    const waiting = watch(second.take(5_000))
    await advance(5_000)
    if (waits < 2) expect(waiting.error).toMatchObject({ name: 'TimeoutError' })
    else expect(waiting.turn?.interrupted).toEqual({ rotation: 4 })
  }
})

it('counts only the time in which the waiting process was awake', async () => {
  const { first, second } = pair()
  await (await first.take()).present({ id: 'a', rotation: 4 })
  const waiting = watch(second.take(600_000))
  const now = performance.now.bind(performance)
  let stopped = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now() + stopped)
  for (let stops = 0; stops < 10; stops++) {
    stopped += 60_000
    await advance(600)
  }
  expect(waiting.turn).toBeUndefined()
  await advance(PATIENCE)
  expect(waiting.turn).toBeDefined()
})

it('a long lease makes no process wait longer than the answer to a presented token may take', async () => {
  const fleet = memoryFleet({ lease: 3 * LEASE })
  await (await processOf(fleet, 'first', LEASE).take()).present({ id: 'a', rotation: 4 })
  const waiting = watch(processOf(fleet, 'second', LEASE).take())
  await advance(LEASE - 100)
  expect(waiting.turn).toBeUndefined()
  await advance(1_000)
  expect(waiting.turn?.interrupted).toEqual({ rotation: 4 })
})

it('a turn is held for a third of its lease after a token was presented, however short the answer is awaited', async () => {
  const fleet = memoryFleet({ lease: 3 * LEASE })
  const turn = await processOf(fleet, 'first', 100).take()
  await turn.present({ id: 'a', rotation: 4 })
  await advance(LEASE - 10)
  expect(turn.holds()).toBe(true)
})

/** A database whose looks take some time, and then fail or not. */
function slowLooks(fleet: Fleet) {
  const looks = { time: 0, fail: false }
  const acquire: Fleet['acquire'] = async (...parameters) => {
    const acquired = await fleet.acquire(...parameters)
    await new Promise((resolve) => setTimeout(resolve, looks.time))
    if (looks.fail) throw new Error('down')
    return acquired
  }
  return { looks, second: processOf({ ...fleet, acquire }, 'second') }
}

it('the time that a slow database takes for a look counts as well', async () => {
  const { fleet, first } = pair()
  await (await first.take()).present({ id: 'a', rotation: 4 })
  const { looks, second } = slowLooks(fleet)
  looks.time = 2_000
  const waiting = watch(second.take())
  await advance(PATIENCE + 8_000)
  expect(waiting.turn).toBeDefined()
})

it('a look during which the waiting process is stopped counts as a short one', async () => {
  const { fleet, first } = pair()
  await (await first.take()).present({ id: 'a', rotation: 4 })
  const { looks, second } = slowLooks(fleet)
  looks.time = 1_000
  const waiting = watch(second.take())
  const now = performance.now.bind(performance)
  let stopped = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now() + stopped)
  for (let stops = 0; stops < 4; stops++) {
    await advance(700)
    stopped += 60_000
    await advance(1_000)
  }
  expect(waiting.turn).toBeUndefined()
})

it('looks at a database that fails do not count', async () => {
  const { fleet, first } = pair()
  await (await first.take()).present({ id: 'a', rotation: 4 })
  const { looks, second } = slowLooks(fleet)
  watch(second.take(1_000))
  await advance(1_000)
  Object.assign(looks, { time: 5_000, fail: true })
  for (let failures = 0; failures < 20; failures++) {
    const waiting = watch(second.take())
    await advance(5_000)
    expect(waiting.error).toBeDefined()
  }
  Object.assign(looks, { time: 0, fail: false })
  const waiting = watch(second.take())
  await advance(1_000)
  expect(waiting.turn).toBeUndefined()
  await advance(PATIENCE)
  expect(waiting.turn).toBeDefined()
})

it('the answer of a stopped holder ends the wait', async () => {
  const { fleet, first, second } = pair()
  await fleet.replace('key', session(4), undefined)
  await (await first.take()).present({ id: 'a', rotation: 4 })
  const waiting = watch(second.take())
  await advance(LEASE + 2_000)
  expect(waiting.turn).toBeUndefined()
  expect(await fleet.replace('key', session(5), { id: 'a', rotation: 4 })).toBe('written')
  await advance(20)
  expect(waiting.turn?.interrupted).toBeUndefined()
})

it.each([true, false])(
  'a settled mark holds up no other process, and one that is not does: %s',
  async (settles) => {
    const { first, second } = pair()
    const turn = await first.take()
    await turn.present({ id: 'a', rotation: 4 })
    if (settles) turn.settle()
    await turn.release()
    const waiting = watch(second.take())
    await advance(1_000)
    expect(waiting.turn !== undefined).toBe(settles)
  },
)

it('a process does not wait for the answer that it could not get itself', async () => {
  const { first } = pair()
  const turn = await first.take()
  await turn.present({ id: 'a', rotation: 4 })
  await turn.release()
  const again = await first.take()
  expect(again.interrupted).toBeUndefined()
})

it('ends with the reason of its signal, and leaves nothing behind', async () => {
  const { fleet, first, second } = pair()
  const turn = await first.take()
  const waiting = watch(second.take())
  await advance(100)
  second.abort()
  await advance(0)
  expect(waiting.error).toMatchObject({ message: 'gone' })
  expect(vi.getTimerCount()).toBe(0)
  await turn.release()
  expect((await fleet.acquire('key', 'third', undefined)).result).toBe('granted')
})

it('asks the database at most three times a second, however many messages there are', async () => {
  const { fleet, first, second } = pair()
  await first.take()
  const acquire = vi.spyOn(fleet, 'acquire')
  watch(second.take())
  await advance(2_000)
  expect(acquire.mock.calls.length).toBeLessThanOrEqual(6)
})

it('on a server that may have lost the last write, other processes are asked first', async () => {
  const { fleet, first } = pair()
  const granted = fleet.acquire
  fleet.acquire = async (...parameters) => ({ ...(await granted(...parameters)), isSuspect: true }) as never
  const heard: string[] = []
  fleet.subscribe('key', (message) => heard.push(message))
  const waiting = watch(first.take())
  await advance(0)
  expect(heard).toEqual(['ask'])
  expect(waiting.turn).toBeUndefined()
  await advance(2_500)
  expect(waiting.turn).toBeDefined()
})

it('a process that is asked says that it awaits an answer, which is then awaited', async () => {
  const { fleet, first, second } = pair()
  await (await first.take()).present({ id: 'a', rotation: 4 })
  // The database falls back: it knows nothing of the turn and its mark.
  const granted = fleet.acquire
  fleet.acquire = async (key, owner) => {
    await fleet.replace(key, session(4), undefined)
    const acquired = await granted(`${key} of another server`, owner, undefined)
    return { ...acquired, isSuspect: true } as never
  }
  const waiting = watch(second.take())
  await advance(4_000)
  expect(waiting.turn).toBeUndefined()
  await advance(PATIENCE)
  expect(waiting.turn).toBeDefined()
})

it('the wait for one answer does not count for another one', async () => {
  const { first, second } = pair()
  const turn = await first.take()
  await turn.present({ id: 'a', rotation: 4 })
  const waiting = watch(second.take(600_000))
  await advance(PATIENCE - 1_000)
  await (await first.take()).present({ id: 'a', rotation: 4 })
  await advance(PATIENCE - 1_000)
  expect(waiting.turn).toBeUndefined()
  await advance(3_000)
  expect(waiting.turn).toBeDefined()
})

it('a process adopts what another one refreshed, and then wants no turn any more', async () => {
  const { fleet, first } = pair()
  await first.take()
  const acquire = vi.spyOn(fleet, 'acquire')
  let isWanted = true
  const { signal } = new AbortController()
  const wait = { signal, timeout: 60_000, isWanted: () => isWanted }
  const waiting = watch(takeTurn(fleet, 'key', 'second', wait, new AwaitedAnswer<number>(LONGEST_LOOK)))
  await advance(1)
  expect(acquire).toHaveBeenCalledTimes(1)
  await fleet.replace('key', session(5), undefined)
  await advance(50)
  isWanted = false
  await advance(100)
  expect(waiting.error).toMatchObject({ name: 'AbortError' })
  expect(acquire).toHaveBeenCalledTimes(1)
  expect(vi.getTimerCount()).toBe(0)
})

it('a turn that is not wanted any more is passed on at once', async () => {
  const { fleet } = pair()
  const { signal } = new AbortController()
  const wanted = [true, false, false]
  const wait = { signal, timeout: 60_000, isWanted: () => wanted.shift() ?? false }
  const waiting = watch(takeTurn(fleet, 'key', 'second', wait, new AwaitedAnswer<number>(LONGEST_LOOK)))
  await advance(1)
  expect(waiting.error).toMatchObject({ name: 'AbortError' })
  expect((await fleet.acquire('key', 'third', undefined)).result).toBe('granted')
})

it('a process keeps its turn while it asks others, however short the lease is', async () => {
  const fleet = memoryFleet({ lease: 1_000 })
  const granted = fleet.acquire
  fleet.acquire = async (...parameters) => ({ ...(await granted(...parameters)), isSuspect: true }) as never
  const waiting = watch(processOf(fleet, 'first').take())
  for (let time = 0; time < 2_500; time += 100) {
    await advance(100)
    if (!waiting.turn) expect((await granted('key', 'second', undefined)).result).toBe('held')
  }
  await advance(100)
  expect(await waiting.turn?.present({ id: 'a', rotation: 5 })).toBe(true)
})
