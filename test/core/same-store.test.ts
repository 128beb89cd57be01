import { expect, it, vi } from 'vitest'
import { sameStoreTurns } from '../../src/core/session/same-store.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { webStorage } from '../../src/storage/web.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { fakeWebStorage } from '../storage/web-storage-fake.ts'
import { createHarness, LIFETIME, SECRET, tokens } from './auth-setup.ts'

/** Two sessions of one page on one store, as a replaced module leaves them. */
async function twoSessions() {
  const common = { clock: createVirtualClock(), storage: memoryStorage() }
  const first = createHarness(common)
  const second = createHarness({ ...common, signedOut: true })
  await common.clock.advance(0)
  return { first, second, clock: common.clock }
}

it('two sessions on one store, without a coordinator, refresh once and both go on', async () => {
  const { first, second, clock } = await twoSessions()
  await clock.advance(LIFETIME - 60_000)
  expect([first.refresh.calls.length, second.refresh.calls.length]).toEqual([1, 0])
  first.refresh.call().resolve(tokens(2))
  await clock.advance(0)
  expect(second.refresh.calls).toHaveLength(0)
  for (const { auth } of [first, second]) expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
})

it('a session that replaces another one waits for the refresh that the other one had sent', async () => {
  const { first, second, clock } = await twoSessions()
  first.auth.refresh().catch(() => {})
  await clock.advance(0)
  first.auth.dispose()
  const refreshed = second.auth.refresh()
  await clock.advance(1_000)
  expect(second.refresh.calls).toHaveLength(0)
  first.refresh.call().resolve(tokens(2))
  await clock.advance(0)
  expect(await refreshed).toMatchObject({ epoch: 1 })
  expect(await second.auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  expect(second.refresh.calls).toHaveLength(0)
})

it('a session goes on after timeouts.lock if the other one gets no answer', async () => {
  const common = {
    clock: createVirtualClock(),
    storage: memoryStorage(),
    timeouts: { refresh: 60_000, lock: 1_000 },
  }
  const first = createHarness(common)
  const second = createHarness({ ...common, signedOut: true })
  await common.clock.advance(0)
  for (const { auth } of [first, second]) auth.refresh().catch(() => {})
  await common.clock.advance(1_000)
  expect([first.refresh.calls.length, second.refresh.calls.length]).toEqual([1, 1])
})

it('stores of one place take turns, and stores of different places do not', async () => {
  vi.resetModules()
  const { sameStoreTurns: otherCopy } = await import('../../src/core/session/same-store.ts')
  expect(otherCopy).not.toBe(sameStoreTurns)
  const area = fakeWebStorage()
  const stores = [webStorage(area), webStorage(() => area), webStorage(area, { key: 'other' })]
  const entered: number[] = []
  const signal = new AbortController().signal
  for (const [index, store] of stores.entries()) {
    const turns = (index === 1 ? otherCopy : sameStoreTurns)(store)
    const task = () => new Promise<void>(() => void entered.push(index))
    void turns.exclusive('refresh', task, { signal, timeout: 1_000 })
  }
  await new Promise(setImmediate)
  expect(entered).toEqual([0, 2])
})
