import { describe, expect, it } from 'vitest'
import type { AuthEvent } from '../../machines/index.ts'
import type { Kernel } from '../../src/core/kernel.ts'
import { Mailbox } from '../../src/core/mailbox.ts'
import { BoundedWork } from '../../src/core/platform/bounded-work.ts'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { resolveOptions } from '../../src/core/resolve-options.ts'
import { StoreQueue } from '../../src/core/session/store-queue.ts'
import { type HeldTokens, Vault } from '../../src/core/session/vault.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { fakeEnvironment, SECRET, tokens, watch } from './auth-setup.ts'

const held = (rotation: number): HeldTokens => ({
  id: 'a',
  rotation,
  startedAt: 0,
  receivedAt: 0,
  accessToken: `${SECRET}-${rotation}`,
  refreshToken: undefined,
  idToken: undefined,
  expiresAt: undefined,
  refreshTokenExpiresAt: undefined,
  scope: undefined,
  tokenType: undefined,
  keyId: undefined,
  subject: undefined,
  user: {},
  claims: undefined,
  profile: undefined,
})

const record = (rotation: number): SessionRecord => ({
  version: 1,
  id: 'a',
  rotation,
  startedAt: 0,
  receivedAt: 0,
  accessToken: `${SECRET}-${rotation}`,
})

/** A store that logs each operation, and answers when the test decides. */
function manualStorage() {
  const log: string[] = []
  const waiting: { answer: (value?: unknown) => void; fail: (error: unknown) => void }[] = []
  const ask = (what: string) => {
    log.push(what)
    return new Promise((answer, fail) => waiting.push({ answer, fail }))
  }
  const storage: SessionStorage = {
    read: () => ask('read'),
    write: ({ rotation, accessToken }) =>
      ask(`write ${rotation}${accessToken === null ? ' without the access token' : ''}`),
    clear: () => ask('clear'),
  }
  return { storage, log, next: () => waiting.shift()! }
}

function storeOf(storage: SessionStorage | undefined, timeout = 1_000) {
  const clock = createVirtualClock()
  const mailbox = new Mailbox()
  const sent: AuthEvent[] = []
  mailbox.open({ send: (event) => void sent.push(event) })
  const options = { refresh: () => tokens(1), timeouts: { storage: timeout } }
  const kernel: Kernel = {
    options,
    settings: resolveOptions(options),
    clock,
    environment: fakeEnvironment().environment,
    mailbox,
    work: new BoundedWork(clock),
    report: () => {},
  }
  const store = new StoreQueue(kernel, storage)
  const vault = new Vault(clock)
  vault.start(held(0))
  return {
    store,
    vault,
    clock,
    sent,
    /** Stores the n-th token set. */
    persist(n: number, refreshed = false) {
      vault.replace(held(n))
      return watch(Promise.resolve(store.persist(vault, vault.mark(), refreshed)))
    },
    reasons: () => sent.map((event) => ('reason' in event ? event.reason : undefined)),
  }
}

/** A store whose write has taken longer than it may. `late` settles it. */
async function lateWrite() {
  const { storage, log, next } = manualStorage()
  const opened = storeOf(storage, 1_000)
  opened.persist(1)
  await opened.clock.advance(1_000)
  return { ...opened, log, next, late: next() }
}

describe('a slow store', () => {
  it('receives one operation after another, in order', async () => {
    const { storage, log, next } = manualStorage()
    const { store, vault, persist } = storeOf(storage)
    const read = watch(store.read())
    persist(1)
    // Another tab's tokens without an access token: the same write, with what the vault holds by then.
    const again = watch(Promise.resolve(store.persist(vault, vault.mark(), false)))
    void store.clear()
    await settled()
    expect(log).toEqual(['read'])
    next().answer(record(0))
    await settled()
    expect(read.value).toEqual(record(0))
    expect(log).toEqual(['read', 'write 1'])
    vault.amend({ rotation: 2, refreshToken: undefined, refreshTokenExpiresAt: undefined })
    next().answer()
    await settled()
    next().answer()
    await settled()
    expect(again.state).toBe('fulfilled')
    expect(log).toEqual(['read', 'write 1', 'write 2', 'clear'])
  })

  it('receives what the vault holds when its turn comes, and no write for tokens that were replaced', async () => {
    const { storage, log, next } = manualStorage()
    const { store, vault, persist } = storeOf(storage)
    void store.read()
    const outdated = persist(1)
    const first = persist(1)
    vault.amend({ rotation: 2, refreshToken: undefined, refreshTokenExpiresAt: undefined })
    next().answer()
    await settled()
    expect(outdated.state).toBe('fulfilled')
    expect(log).toEqual(['read', 'write 2'])
    const second = persist(3)
    vault.end()
    next().answer()
    await settled()
    expect([first.state, second.state]).toEqual(['fulfilled', 'fulfilled'])
    expect(log).toEqual(['read', 'write 2'])
  })

  it('receives the next operation if one fails or hangs', async () => {
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

  it('receives a smaller record and then a clear after a failed write, before any other operation', async () => {
    const { storage, log, next } = manualStorage()
    const { store, persist, reasons } = storeOf(storage)
    persist(1)
    const read = watch(store.read())
    await settled()
    next().fail(new Error('full'))
    await settled()
    expect(log).toEqual(['write 1', 'write 1 without the access token'])
    next().fail(new Error('full'))
    await settled()
    expect(log).toEqual(['write 1', 'write 1 without the access token', 'clear'])
    next().fail(new Error('locked'))
    await settled()
    expect(log).toEqual(['write 1', 'write 1 without the access token', 'clear', 'read'])
    expect(read.state).toBe('pending')
    expect(reasons()).toEqual(['Error'])
  })

  it('is not cleared while a late write may still succeed', async () => {
    const { storage, log, next } = manualStorage()
    const { store, persist, clock, reasons } = storeOf(storage, 1_000)
    const persisted = persist(1)
    await clock.advance(1_000)
    expect(persisted.state).toBe('fulfilled')
    await clock.advance(60_000)
    expect(log).toEqual(['write 1'])
    expect(reasons()).toEqual(['timeout'])
    const late = watch(store.late!)
    next().answer()
    await settled()
    expect(late.state).toBe('fulfilled')
    expect(store.late).toBeUndefined()
    expect(log).toEqual(['write 1'])
  })

  it('receives a smaller record and then a clear after a write that fails late', async () => {
    const { storage, log, next } = manualStorage()
    const { store, persist, clock } = storeOf(storage, 1_000)
    persist(1)
    await clock.advance(1_000)
    const read = watch(store.read())
    next().fail(new Error('full'))
    await settled()
    next().answer(record(0))
    await settled()
    expect(read.value).toEqual(record(0))
    expect(log).toEqual(['write 1', 'read', 'write 1 without the access token'])
    // It is late as well.
    await clock.advance(1_000)
    next().fail(new Error('full'))
    await settled()
    expect(log.slice(3)).toEqual(['clear'])
    next().answer()
    await settled()
    expect(store.late).toBeUndefined()
  })

  it('keeps what was stored after a write that fails late', async () => {
    const { persist, log, next, late } = await lateWrite()
    persist(2)
    await settled()
    next().answer()
    late.fail(new Error('full'))
    await settled()
    expect(log).toEqual(['write 1', 'write 2'])
  })

  it('is cleared again after a write that succeeds when its session has ended', async () => {
    const { store, vault, log, next, late } = await lateWrite()
    vault.end()
    void store.clear(held(1), true)
    await settled()
    next().answer()
    late.answer()
    await settled()
    expect(log).toEqual(['write 1', 'clear', 'read'])
    next().answer(record(1))
    await settled()
    expect(log.slice(3)).toEqual(['clear'])
  })

  it.each([
    ['another sign-in that is newer', { ...record(0), id: 'b', startedAt: 1 }],
    ['newer tokens', record(2)],
  ])('keeps %s after a write that succeeds when its session has ended', async (_, stored) => {
    const { vault, log, next, late } = await lateWrite()
    vault.end()
    late.answer()
    await settled()
    next().answer(stored)
    await settled()
    expect(log).toEqual(['write 1', 'read'])
  })

  it('receives newer tokens again if an older write succeeds after theirs', async () => {
    const { persist, log, next, late } = await lateWrite()
    persist(2)
    await settled()
    next().answer()
    await settled()
    late.answer()
    await settled()
    expect(log).toEqual(['write 1', 'write 2', 'read'])
    next().answer(record(1))
    await settled()
    expect(log.slice(3)).toEqual(['write 2'])
  })

  it('keeps no caller waiting after dispose(), and still receives pending operations', async () => {
    const { storage, log, next } = manualStorage()
    const { store, clock, reasons } = storeOf(storage)
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
    expect(reasons()).toEqual(['Error'])
  })
})

describe('a synchronous store', () => {
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

  it('is called synchronously', () => {
    const { storage, stored } = direct()
    const { store, persist } = storeOf(storage)
    persist(1)
    expect(stored()).toMatchObject(record(1))
    void store.clear()
    expect(stored()).toBeUndefined()
  })

  it('distinguishes a record that is gone from one that never existed', async () => {
    const { storage } = direct()
    const { store, persist, clock } = storeOf(storage)
    const read = async () => {
      const found = store.read()
      await clock.advance(250)
      return found
    }
    expect(await store.read()).toBeUndefined()
    persist(1)
    void storage.clear()
    expect(await read()).toBe('gone')
    // Keep returning 'gone', because the first caller may not have been able to act on it.
    expect(await read()).toBe('gone')
    store.forget()
    expect(await store.read()).toBeUndefined()
    persist(2)
    void store.clear()
    expect(await store.read()).toBeUndefined()
    void storage.write(record(3))
    expect(await store.read()).toEqual(record(3))
    void storage.clear()
    expect(await read()).toBe('gone')
  })

  it('finds a record that another tab removes and writes again at once', async () => {
    const { storage } = direct()
    const { store, persist, clock } = storeOf(storage)
    persist(1)
    void storage.clear()
    const found = watch(store.read())
    await clock.advance(100)
    void storage.write(record(2))
    await clock.advance(149)
    expect(found.state).toBe('pending')
    await clock.advance(1)
    expect(found.value).toEqual(record(2))
  })

  it('does not make a reader wait beyond dispose()', async () => {
    const { storage } = direct()
    const { store, persist, clock } = storeOf(storage)
    persist(1)
    void storage.clear()
    const found = watch(store.read())
    await clock.advance(0)
    store.dispose()
    await settled()
    expect(found.state).toBe('fulfilled')
    expect(clock.pending).toBe(0)
  })
})

describe('a missing store', () => {
  it('is never called, and never fails', async () => {
    const { store, vault, clock, sent } = storeOf(undefined)
    expect(store.isPersistent).toBe(false)
    expect(await store.read()).toBeUndefined()
    expect(await store.persist(vault, vault.mark(), false)).toBeUndefined()
    expect(store.clear()).toBeUndefined()
    expect(() => {
      for (const stop of store.start()) stop()
    }).not.toThrow()
    await settled()
    expect(sent).toEqual([])
    expect(clock.pending).toBe(0)
  })
})

describe('the error of a store', () => {
  it.each<[string, unknown, string]>([
    ['the name of an Error', new RangeError(SECRET), 'RangeError'],
    [
      'the name of an exception of the DOM',
      new DOMException(SECRET, 'QuotaExceededError'),
      'QuotaExceededError',
    ],
    ['a word of the library for any other value', SECRET, 'failed'],
  ])('is reported without its message, by %s', async (_, thrown, reason) => {
    const { store, sent } = storeOf({
      read: () => {
        throw thrown
      },
      write: () => {},
      clear: () => {},
    })
    await store.read()
    await settled()
    expect(sent).toEqual([{ type: 'store.failed', reason }])
  })

  it('is reported once for each kind, and again after a write that succeeded', async () => {
    let thrown: unknown
    const { store, persist, reasons } = storeOf({
      read: () => {
        throw thrown
      },
      write: () => {},
      clear: () => {},
    })
    const fail = async (error: unknown) => {
      thrown = error
      await store.read()
      await settled()
    }
    await fail(new RangeError())
    await fail(new RangeError())
    await fail(new TypeError())
    await fail(new RangeError())
    expect(reasons()).toEqual(['RangeError', 'TypeError'])
    persist(1)
    await fail(new RangeError())
    expect(reasons()).toEqual(['RangeError', 'TypeError', 'RangeError'])
  })
})
