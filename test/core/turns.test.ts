import { describe, expect, it } from 'vitest'
import type { EndedSession, Replaced, SessionRecord, SessionStorage, Turn } from '../../src/core/ports.ts'
import { createHarness, type HarnessOptions, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

/** A store that compares what it replaces, as a database of several processes does. */
function comparingStore() {
  const store = {
    record: undefined as SessionRecord | undefined,
    ended: undefined as EndedSession | undefined,
    expected: [] as unknown[],
    fails: false,
    onChange: () => {},
  }
  const storage: SessionStorage = {
    read() {
      if (store.fails) throw new Error('down')
      return store.record
    },
    write() {
      throw new Error('A store with replace is not written through write')
    },
    clear(ended) {
      store.record = undefined
      store.ended = ended
    },
    replace(record, expected): Replaced {
      if (store.fails) throw new Error('down')
      store.expected.push(expected)
      if (!store.record && store.ended && store.ended.id === record.id) return 'gone'
      if (store.record && store.record.rotation > record.rotation) return 'newer'
      store.record = record
      return 'written'
    },
    subscribe(onChange) {
      store.onChange = onChange
      return () => {}
    },
  }
  return { store, storage }
}

/** A lock whose turns the test controls. */
function turns() {
  const log: string[] = []
  const next = { isOurs: true, holds: true, interrupted: undefined as number | undefined, fails: false }
  const during = { present: async () => {} }
  const coordinator = {
    lock: 'required' as const,
    async exclusive<T>(_name: string, task: (turn?: Turn) => Promise<T>): Promise<T> {
      if (next.fails) throw new Error('down')
      const { interrupted } = next
      const turn: Turn = {
        fence: 1,
        ...(interrupted !== undefined && { interrupted: { rotation: interrupted } }),
        async present({ rotation }) {
          log.push(`present ${rotation}`)
          await during.present()
          return next.isOurs
        },
        holds: () => next.holds,
        settle: () => void log.push('settle'),
      }
      try {
        return await task(turn)
      } finally {
        log.push('release')
      }
    },
    announce() {},
    subscribe: () => () => {},
  }
  return { log, next, during, coordinator }
}

async function together(options: HarnessOptions = {}) {
  const { store, storage } = comparingStore()
  const lock = turns()
  const harness = createHarness({ storage, coordinator: lock.coordinator, ...options })
  await harness.clock.advance(0)
  return { ...harness, store, lock }
}

describe('a turn', () => {
  it('is marked before the refresh token leaves, and ends after the answer is stored', async () => {
    const { auth, refresh, clock, store, lock } = await together()
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    expect(lock.log).toEqual(['present 0'])
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(store.record).toMatchObject({ rotation: 1, refreshToken: `${SECRET}-rt-2` })
    expect(store.expected.at(-1)).toEqual({ id: store.record?.id, rotation: 0 })
    // Replacing the record removes the mark.
    expect(lock.log).toEqual(['present 0', 'release'])
  })

  it.each(['isOurs', 'holds'] as const)('sends nothing if it was taken over (%s)', async (what) => {
    const { auth, refresh, clock, lock } = await together()
    lock.next[what] = false
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.history.at(-1)).toMatchObject({ type: 'transition' })
    expect(auth.history.find(({ type }) => type === 'refreshFailed')).toMatchObject({ reason: 'lock_lost' })
    lock.next[what] = true
    await clock.advance(250)
    expect(refresh.calls).toHaveLength(1)
  })

  it('sends nothing if the user signed out while it was marked', async () => {
    const { auth, refresh, clock, lock } = await together()
    lock.during.present = () => auth.signOut()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.state).toBe('loggedOut')
  })

  it('sends nothing if marking it takes longer than timeouts.storage', async () => {
    const { auth, refresh, clock, lock } = await together({ timeouts: { storage: 500 } })
    lock.during.present = () => new Promise(() => {})
    auth.refresh().catch(() => {})
    await clock.advance(500)
    expect(refresh.calls).toHaveLength(0)
    expect(auth.history.find(({ type }) => type === 'refreshFailed')).toMatchObject({ reason: 'lock_lost' })
  })

  it.each([
    { answer: { status: 503 }, settles: true },
    { answer: new TypeError('fetch failed'), settles: false },
  ])('is settled by an answer, and not by a lost one: $answer', async ({ answer, settles }) => {
    const { auth, refresh, clock, lock } = await together()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(answer)
    await clock.advance(0)
    expect(lock.log.slice(0, settles ? 3 : 2)).toEqual([
      'present 0',
      ...(settles ? ['settle'] : []),
      'release',
    ])
  })

  it.each(['retry', 'expire'] as const)(
    'after one that was interrupted, ambiguousRefresh decides: %s',
    async (ambiguousRefresh) => {
      const { auth, refresh, clock, lock } = await together({ ambiguousRefresh })
      lock.next.interrupted = 0
      auth.refresh().catch(() => {})
      await clock.advance(0)
      expect(refresh.calls).toHaveLength(ambiguousRefresh === 'retry' ? 1 : 0)
      await clock.advance(LIFETIME)
      expect(auth.state).toBe(ambiguousRefresh === 'retry' ? 'refreshing' : 'expired')
    },
  )

  it('after one that was interrupted, newer tokens in the store are used', async () => {
    const { auth, refresh, clock, lock, store } = await together({ ambiguousRefresh: 'expire' })
    lock.next.interrupted = 0
    const { record } = store
    if (!record) throw new Error('Nothing is stored')
    store.record = { ...record, rotation: 1, accessToken: 'newer' }
    await auth.refresh()
    expect(await auth.getAccessToken()).toBe('newer')
    expect(refresh.calls).toHaveLength(0)
    expect(clock.now()).toBeGreaterThan(0)
  })

  it('is only taken for one if it can be marked: simple locks pass other values', async () => {
    let last: Promise<unknown> = Promise.resolve({ expires: 1 })
    const exclusive = <T>(_name: string, task: (value?: never) => Promise<T>) => {
      const turn = last.then(task as (value: unknown) => Promise<T>)
      last = turn
      return turn
    }
    const { auth, refresh, clock } = await together({
      coordinator: { exclusive, announce() {}, subscribe: () => () => {} },
    })
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    expect(await refreshed).toBeTruthy()
  })
})

describe('a required lock', () => {
  it('that cannot be had delays the refresh, and the session goes on', async () => {
    const { auth, refresh, clock, lock } = await together()
    lock.next.fails = true
    await clock.advance(LIFETIME - 60_000)
    expect(auth.state).toBe('refreshing')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(refresh.calls).toHaveLength(0)
    const events = auth.history.map(({ type }) => type)
    expect(events).toContain('storageFailed')
    expect(auth.history.find(({ type }) => type === 'refreshFailed')).toMatchObject({
      reason: 'lock_unavailable',
    })
    lock.next.fails = false
    await clock.advance(30_000)
    expect(refresh.calls).toHaveLength(1)
  })

  it('that comes too late starts nothing', async () => {
    let grant = () => {}
    const { auth, refresh, clock } = await together({
      timeouts: { lock: 1_000 },
      coordinator: {
        lock: 'required',
        exclusive: (_name, task) =>
          new Promise((resolve) => {
            grant = () => resolve(task())
          }),
        announce() {},
        subscribe: () => () => {},
      },
    })
    auth.refresh().catch(() => {})
    await clock.advance(1_000)
    grant()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
  })
})

describe('a store that compares', () => {
  it('is written again after it lost the record or fell back', async () => {
    const { auth, refresh, clock, store } = await together()
    const first = store.record
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await refreshed
    for (const found of [undefined, first]) {
      store.record = found
      store.onChange()
      await clock.advance(1_000)
      expect(store.record).toMatchObject({ rotation: 1, refreshToken: `${SECRET}-rt-2` })
      expect(auth.state).toBe('authenticated')
    }
  })

  it('ends the session if it remembers the end', async () => {
    const { auth, clock, store } = await together()
    store.ended = { id: store.record?.id ?? '', rotation: 0, startedAt: 0 }
    store.record = undefined
    store.onChange()
    await clock.advance(1_000)
    expect(auth.state).toBe('loggedOut')
  })

  it('keeps what it has if it cannot be written, and is written when it can', async () => {
    const { auth, refresh, clock, store } = await together()
    const refreshed = auth.refresh()
    await clock.advance(0)
    store.fails = true
    refresh.call().resolve(tokens(2))
    await refreshed
    expect(store.record).toMatchObject({ rotation: 0 })
    store.fails = false
    store.onChange()
    await clock.advance(1_000)
    expect(store.record).toMatchObject({ rotation: 1 })
  })

  it('revokes tokens that arrive after the session ended elsewhere', async () => {
    const revoked: unknown[] = []
    const { auth, refresh, clock, store } = await together({
      revoke: (ended) => void revoked.push(ended.refreshToken),
    })
    auth.refresh().catch(() => {})
    await clock.advance(0)
    store.ended = { id: store.record?.id ?? '', rotation: 0, startedAt: 0 }
    store.record = undefined
    refresh.call().resolve(tokens(2))
    await clock.advance(1_000)
    expect(auth.state).toBe('loggedOut')
    expect(revoked).toEqual([`${SECRET}-rt-2`])
  })

  it('is given what ended: an expiry up to its rotation, and a sign-out whatever there is', async () => {
    const { auth, refresh, clock, store } = await together()
    const id = store.record?.id
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused('invalid_grant'))
    await clock.advance(LIFETIME)
    expect(store.ended).toMatchObject({ id, rotation: 0 })

    const other = await together()
    await other.auth.signOut()
    expect(other.store.ended).toMatchObject({ rotation: Infinity, startedAt: Infinity })
  })
})
