import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { withSharing } from '../../src/core/features/share.ts'
import { REMOVE } from '../../src/core/session/same-store.ts'
import { createAuth } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { Removal } from '../../src/storage/removal.ts'
import { tokens } from '../core/auth-setup.ts'
import { fakeWebStorage } from './web-storage-fake.ts'

let area: ReturnType<typeof fakeWebStorage>
beforeEach(() => {
  area = fakeWebStorage()
  vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] })
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('localStorage', area)
  vi.stubGlobal('addEventListener', () => {})
  vi.stubGlobal('removeEventListener', () => {})
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('covers what was being written when it began, on the next page, too, and nothing that is written later', () => {
  const removal = new Removal('db')
  const before = removal.now()
  removal.begin()
  const after = removal.now()
  const next = new Removal('db')
  expect([next.look()({ at: before }), next.look()({}), next.look()({ at: after })]).toEqual([
    true,
    true,
    false,
  ])
})

it('covers no later entry if the clock was set back', () => {
  const removal = new Removal('db')
  removal.begin()
  vi.setSystemTime(1_000)
  expect(removal.look()({ at: removal.now() })).toBe(false)
})

it('leaves no mark when the entry is removed, unless another removal has begun', () => {
  const removal = new Removal('db')
  const ended = removal.begin()
  vi.setSystemTime(1_000_001)
  const endedAgain = removal.begin()
  ended()
  expect(area.length).toBe(1)
  endedAgain()
  expect(area.length).toBe(0)
})

it('covers nothing without a localStorage, or with a full one', () => {
  vi.stubGlobal('localStorage', {
    ...area,
    setItem: () => {
      throw new Error('full')
    },
  })
  const removal = new Removal('db')
  removal.begin()()
  expect(removal.look()({})).toBe(false)
  vi.stubGlobal('document', undefined)
  removal.begin()()
  expect(removal.look()({})).toBe(false)
})

it('begins within the call of signOut(), although a write is on its way', async () => {
  const called: string[] = []
  const storage = withSharing({
    ...memoryStorage(),
    read: () => undefined,
    write: () => new Promise<void>(() => void called.push('write')),
    clear: () => void called.push('clear'),
    [REMOVE]: () => void called.push('remove'),
  })
  const auth = createAuth({ refresh: async () => tokens(2), initialTokens: tokens(1), storage })
  expect(called).toEqual(['write'])
  auth.signOut().catch(() => {})
  expect(called).toEqual(['write', 'remove'])
  auth.dispose()
})
