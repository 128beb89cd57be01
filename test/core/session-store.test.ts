import { describe, expect, it } from 'vitest'
import type { StorageError } from '../../src/core/errors.ts'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { createSessionStore } from '../../src/core/session-store.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { SECRET, watch } from './auth-setup.ts'

const record = (rotation: number): SessionRecord => ({
  version: 1,
  id: 'a',
  rotation,
  startedAt: 0,
  receivedAt: 0,
  accessToken: `${SECRET}-${rotation}`,
})

/** A store that writes down what it is asked, and answers when it is told to. */
function manualStorage() {
  const log: string[] = []
  const waiting: { answer: (value?: unknown) => void; fail: (error: unknown) => void }[] = []
  const ask = (what: string) => {
    log.push(what)
    return new Promise((answer, fail) => waiting.push({ answer, fail }))
  }
  const storage: SessionStorage = {
    read: () => ask('read'),
    write: ({ rotation }) => ask(`write ${rotation}`),
    clear: () => ask('clear'),
  }
  return { storage, log, next: () => waiting.shift()! }
}

function storeOf(storage: SessionStorage | undefined, timeout = 1_000) {
  const clock = createVirtualClock()
  const failures: StorageError[] = []
  const store = createSessionStore(storage, {
    clock,
    timeout,
    onFailure: (error) => void failures.push(error),
  })
  return { store, clock, failures, reasons: () => failures.map(({ reason }) => reason) }
}

describe('a store that takes its time', () => {
  it('is asked one thing after another, in order', async () => {
    const { storage, log, next } = manualStorage()
    const { store } = storeOf(storage)
    const read = watch(store.read())
    void store.save(() => record(1))
    void store.save(() => record(2))
    void store.clear()
    await settled()
    expect(log).toEqual(['read'])
    next().answer(record(0))
    await settled()
    expect(read.value).toEqual(record(0))
    expect(log).toEqual(['read', 'write 1'])
    next().answer()
    await settled()
    next().answer()
    await settled()
    expect(log).toEqual(['read', 'write 1', 'write 2', 'clear'])
  })

  it('writes what is current when its turn comes, and nothing where nothing is', async () => {
    const { storage, log, next } = manualStorage()
    const { store } = storeOf(storage)
    let current: SessionRecord | undefined = record(1)
    void store.read()
    const first = watch(Promise.resolve(store.save(() => current)))
    current = record(2)
    next().answer()
    await settled()
    expect(log).toEqual(['read', 'write 2'])
    void store.save(() => undefined)
    next().answer()
    await settled()
    expect(first.state).toBe('fulfilled')
    expect(log).toEqual(['read', 'write 2'])
  })

  it('goes on with the next thing when one fails or hangs', async () => {
    const { storage, log, next } = manualStorage()
    const { store, clock, reasons } = storeOf(storage)
    const read = watch(store.read())
    const again = watch(store.read())
    await settled()
    next().fail(new TypeError(SECRET))
    await settled()
    expect(read).toEqual({ state: 'fulfilled', value: 'unreadable' })
    await clock.advance(1_000)
    expect(again).toEqual({ state: 'fulfilled', value: 'unreadable' })
    expect(log).toEqual(['read', 'read'])
    expect(reasons()).toEqual(['TypeError', 'timeout'])
    expect(clock.pending).toBe(0)
  })

  it('is asked for less, and then emptied, after a write that failed, before anything else is asked of it', async () => {
    const { storage, log, next } = manualStorage()
    const { store, reasons } = storeOf(storage)
    void store.save((lean) => record(lean ? 1.5 : 1))
    void store.save(() => record(2))
    await settled()
    next().fail(new Error('full'))
    await settled()
    expect(log).toEqual(['write 1', 'write 1.5'])
    next().fail(new Error('full'))
    await settled()
    expect(log).toEqual(['write 1', 'write 1.5', 'clear'])
    next().fail(new Error('locked'))
    await settled()
    expect(log).toEqual(['write 1', 'write 1.5', 'clear', 'write 2'])
    expect(reasons()).toEqual(['Error'])
  })

  it('is only emptied after a write that it never answered', async () => {
    const { storage, log } = manualStorage()
    const { store, clock, reasons } = storeOf(storage, 1_000)
    void store.save((lean) => record(lean ? 1.5 : 1))
    await clock.advance(1_000)
    expect(log).toEqual(['write 1', 'clear'])
    expect(reasons()).toEqual(['timeout'])
  })

  it('holds nobody after dispose(), and does what it was asked', async () => {
    const { storage, log, next } = manualStorage()
    const { store, clock, failures } = storeOf(storage)
    const read = watch(store.read())
    const cleared = watch(Promise.resolve(store.clear()))
    store.dispose()
    await settled()
    expect(read.state).toBe('fulfilled')
    expect(clock.pending).toBe(0)
    expect(log).toEqual(['read', 'clear'])
    next().answer()
    next().fail(new Error('late'))
    await settled()
    expect(cleared.state).toBe('fulfilled')
    expect(clock.pending).toBe(0)
    expect(failures).toHaveLength(1)
  })
})

describe('a store that answers at once', () => {
  const direct = () => {
    let stored: SessionRecord | undefined
    const storage: SessionStorage = {
      read: () => stored,
      write(next) {
        stored = next
      },
      clear() {
        stored = undefined
      },
    }
    return { storage, stored: () => stored }
  }

  it('is used at once', () => {
    const { storage, stored } = direct()
    const { store } = storeOf(storage)
    void store.save(() => record(1))
    expect(stored()).toEqual(record(1))
    void store.clear()
    expect(stored()).toBeUndefined()
  })

  it('tells a record that is gone from one that never was', async () => {
    const { storage } = direct()
    const { store } = storeOf(storage)
    expect(await store.read()).toBeUndefined()
    void store.save(() => record(1))
    void storage.clear()
    expect(await store.read()).toBe('gone')
    // Whoever heard it first may not have been able to act on it.
    expect(await store.read()).toBe('gone')
    store.forget()
    expect(await store.read()).toBeUndefined()
    void store.save(() => record(2))
    void store.clear()
    expect(await store.read()).toBeUndefined()
    void storage.write(record(3))
    expect(await store.read()).toEqual(record(3))
    void storage.clear()
    expect(await store.read()).toBe('gone')
  })
})

describe('no store', () => {
  it('is never asked, and never fails', async () => {
    const { store, clock, failures } = storeOf(undefined)
    expect(await store.read()).toBeUndefined()
    expect(store.save(() => record(1))).toBeUndefined()
    expect(store.clear()).toBeUndefined()
    expect(() => store.subscribe(() => {})()).not.toThrow()
    expect(failures).toEqual([])
    expect(clock.pending).toBe(0)
  })
})

describe('what a store failed with', () => {
  it.each<[string, unknown, string | undefined]>([
    ['an error, by its name', new RangeError(SECRET), 'RangeError'],
    [
      'an exception of the DOM, by its name',
      new DOMException(SECRET, 'QuotaExceededError'),
      'QuotaExceededError',
    ],
    ['what is no error, by nothing', SECRET, undefined],
  ])('is told by its kind, never by its words: %s', async (_, thrown, reason) => {
    const { store, failures } = storeOf({
      read: () => {
        throw thrown
      },
      write: () => {},
      clear: () => {},
    })
    await store.read()
    expect(failures[0]).toMatchObject({ code: 'storage_failed', reason })
    expect(`${failures[0]?.stack} ${JSON.stringify(failures)} ${String(failures[0]?.cause)}`).not.toContain(
      SECRET,
    )
  })
})
