import { describe, expect, it, vi } from 'vitest'
import type { Auth } from '../../src/core/auth.ts'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { createHarness, fakeCoordinator, LIFETIME, SECRET, tokens, watch } from './auth-setup.ts'

/** A store whose reads wait for the test, and return what was stored when they were called. */
function slowStorage(record?: SessionRecord) {
  let stored = record
  const reads: (() => void)[] = []
  let slow = true
  const storage: SessionStorage = {
    read() {
      const found = stored
      return slow ? new Promise((resolve) => reads.push(() => resolve(found))) : found
    },
    write(next) {
      stored = next
    },
    clear() {
      stored = undefined
    },
  }
  return {
    storage,
    answer() {
      for (const read of reads.splice(0)) read()
    },
    set slow(value: boolean) {
      slow = value
    },
    get stored() {
      return stored
    },
  }
}

const recordAt = (now: number, more: Partial<SessionRecord> = {}): SessionRecord => ({
  version: 1,
  id: 'kept',
  rotation: 3,
  startedAt: now - 1_000,
  receivedAt: now - 1_000,
  accessToken: `${SECRET}-at-kept`,
  refreshToken: `${SECRET}-rt-kept`,
  expiresAt: now + LIFETIME,
  ...more,
})

const NOW = 1_700_000_000_000

describe('a slow read of the store', () => {
  it('ends a session again that was removed while it was restored', async () => {
    const slow = slowStorage(recordAt(NOW))
    let changed = () => {}
    const subscribe = (listener: () => void) => {
      changed = listener
      return () => {}
    }
    const storage = { ...slow.storage, subscribe }
    const { auth, clock } = createHarness({ storage, signedOut: true })
    await clock.advance(0)
    slow.storage.clear()
    changed()
    slow.answer()
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    slow.slow = false
    slow.answer()
    await clock.advance(1_000)
    expect(auth.state).toBe('loggedOut')
  })

  it('does not restore a session that was signed out during the read, in restoring', async () => {
    const slow = slowStorage(recordAt(NOW))
    const { auth, clock } = createHarness({ storage: slow.storage, signedOut: true })
    expect(auth.state).toBe('restoring')
    const out = auth.signOut()
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    await out
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
    expect(slow.stored).toBeUndefined()
  })

  it('does not restore a session that was signed out during the read, in refreshing', async () => {
    const slow = slowStorage()
    const { auth, clock, refresh } = createHarness({ storage: slow.storage })
    await clock.advance(0)
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    const out = auth.signOut()
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    await out
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
    expect(refresh.calls).toHaveLength(0)
  })

  it('does not restore a session that was signed out during the read, in a reload', async () => {
    const slow = slowStorage()
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({ storage: slow.storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    otherTabs.receive({ type: 'changed' })
    const out = auth.signOut()
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    await out
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
  })

  it('does not restore a session that expired during the read', async () => {
    const slow = slowStorage()
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({
      storage: slow.storage,
      coordinator: otherTabs.coordinator,
      limits: { idle: 1_000 },
    })
    await clock.advance(0)
    otherTabs.receive({ type: 'changed' })
    await clock.advance(1_000)
    expect(auth.state).toBe('expired')
    slow.answer()
    await clock.advance(0)
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
  })

  it('does not replace tokens that setTokens() has set during the read', async () => {
    const slow = slowStorage(recordAt(NOW))
    const { auth, clock } = createHarness({ storage: slow.storage, signedOut: true })
    const set = auth.setTokens(tokens(7, { subject: 'bob' }))
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    await set
    expect(auth.session?.subject).toBe('bob')
    expect(slow.stored?.accessToken).toBe(`${SECRET}-at-7`)
  })

  it('restores a session that is newer than the tokens of setTokens() before those are stored', async () => {
    const slow = slowStorage(recordAt(NOW, { startedAt: NOW + 1 }))
    slow.storage.write = () => new Promise<never>(() => {})
    const { auth, clock, emitted } = createHarness({ storage: slow.storage, signedOut: true })
    await clock.advance(0)
    void auth.setTokens(tokens(2))
    await clock.advance(1)
    slow.answer()
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-kept`)
    expect(emitted()).toEqual([])
  })

  it('keeps the user of setTokens() if the stored session was begun while the clock was ahead', async () => {
    const slow = slowStorage(recordAt(NOW, { startedAt: NOW + 3_600_000 }))
    const { auth, clock } = createHarness({ storage: slow.storage, signedOut: true })
    await clock.advance(0)
    const set = auth.setTokens(tokens(7, { subject: 'bob' }))
    await clock.advance(1)
    slow.answer()
    await clock.advance(0)
    expect((await set).subject).toBe('bob')
    expect(auth.session?.subject).toBe('bob')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-7`)
  })

  it('does not restore a session that another tab ended during the read, in restoring', async () => {
    const slow = slowStorage(recordAt(NOW))
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({
      storage: slow.storage,
      coordinator: otherTabs.coordinator,
      signedOut: true,
    })
    await clock.advance(0)
    otherTabs.receive({ type: 'ended' })
    slow.answer()
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(auth.session).toBeUndefined()
  })

  it('does not restore a session that another tab began and ended during the read', async () => {
    const slow = slowStorage()
    slow.slow = false
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({
      storage: slow.storage,
      coordinator: otherTabs.coordinator,
      signedOut: true,
    })
    await clock.advance(0)
    slow.slow = true
    slow.storage.write(recordAt(NOW))
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    otherTabs.receive({ type: 'ended' })
    slow.answer()
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(auth.session).toBeUndefined()
  })

  it('yields the newest record if two reads overlap', async () => {
    const slow = slowStorage()
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({ storage: slow.storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    const record = slow.stored!
    slow.storage.write({ ...record, rotation: 1, accessToken: `${SECRET}-at-first` })
    otherTabs.receive({ type: 'changed' })
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    slow.answer()
    slow.storage.write({ ...record, rotation: 2, accessToken: `${SECRET}-at-second` })
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-second`)
  })

  it('does not end the session that began during the read if it finds the store empty', async () => {
    const slow = slowStorage()
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({ storage: slow.storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    slow.storage.clear()
    otherTabs.receive({ type: 'changed' })
    const set = auth.setTokens(tokens(7, { subject: 'bob' }))
    slow.answer()
    await set
    expect(auth.state).toBe('authenticated')
    expect(auth.session?.subject).toBe('bob')
    expect(slow.stored?.subject).toBe('bob')
  })

  it('does not abandon the sign-in that began during the read', async () => {
    const slow = slowStorage(recordAt(NOW))
    const { auth, clock, signIn } = createHarness({ storage: slow.storage, signedOut: true })
    const session = watch(auth.signIn('bob'))
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    expect(auth.state).toBe('authenticating')
    slow.slow = false
    signIn.call().resolve(tokens(7, { subject: 'bob' }))
    await clock.advance(0)
    expect(session).toMatchObject({ state: 'fulfilled', value: { subject: 'bob' } })
    expect(slow.stored?.accessToken).toBe(`${SECRET}-at-7`)
  })

  it('restores its record if the sign-in that began during the read fails', async () => {
    const slow = slowStorage(recordAt(NOW))
    const { auth, clock, signIn } = createHarness({ storage: slow.storage, signedOut: true })
    const session = watch(auth.signIn('bob'))
    await clock.advance(0)
    slow.answer()
    await clock.advance(0)
    slow.slow = false
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(session.state).toBe('rejected')
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-kept`)
  })

  it.each([0, 1, 2_000, 60_000])(
    'is adopted if its answer comes %i ms after timeouts.storage',
    async (late) => {
      const store = slowStorage(recordAt(NOW))
      const { auth, clock, emitted } = createHarness({ signedOut: true, storage: store.storage })
      await clock.advance(2_000)
      expect(auth.state).toBe('anonymous')
      await clock.advance(late)
      store.answer()
      await clock.advance(0)
      expect(auth.session).toBeDefined()
      expect(emitted()).toContain('signedIn')
    },
  )

  it('is not adopted late if the user signed out, signed in or is signing in meanwhile', async () => {
    for (const [act, expected] of [
      [(auth: Auth<string>) => auth.signOut(), undefined],
      [(auth: Auth<string>) => auth.setTokens(tokens(7, { subject: 'eve' })), 'eve'],
    ] as const) {
      const store = slowStorage(recordAt(NOW))
      const { auth, clock } = createHarness({ signedOut: true, storage: store.storage })
      await clock.advance(2_000)
      act(auth).catch(() => {})
      await clock.advance(10_000)
      store.answer()
      await clock.advance(10_000)
      expect(auth.session?.subject).toBe(expected)
    }
    const store = slowStorage(recordAt(NOW))
    const { auth, clock, signIn } = createHarness({ signedOut: true, storage: store.storage })
    await clock.advance(2_000)
    const signedIn = watch(auth.signIn('ada'))
    await clock.advance(0)
    store.answer()
    await clock.advance(0)
    signIn.call().resolve(tokens(9, { subject: 'ada' }))
    await clock.advance(2_000)
    expect(signedIn.state).toBe('fulfilled')
    expect(auth.session?.subject).toBe('ada')
  })
})

describe('a flood of messages of other tabs', () => {
  it('costs one read of the store that runs and one that waits, and the last one finds what was stored last', async () => {
    const slow = slowStorage()
    const otherTabs = fakeCoordinator()
    let reads = 0
    const storage: SessionStorage = {
      ...slow.storage,
      read() {
        reads++
        return slow.storage.read()
      },
    }
    const { auth, clock } = createHarness({ storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    reads = 0
    const record = slow.stored!
    for (let n = 0; n < 10_000; n++) otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(reads).toBe(1)
    for (let n = 0; n < 10_000; n++) otherTabs.receive({ type: 'changed' })
    slow.storage.write({ ...record, rotation: 1, accessToken: `${SECRET}-at-last` })
    slow.answer()
    await clock.advance(0)
    expect(reads).toBe(2)
    slow.answer()
    await clock.advance(10_000)
    expect(reads).toBe(2)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-last`)
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(reads).toBe(3)
  })

  it('reads nothing any more after dispose()', async () => {
    const slow = slowStorage()
    const otherTabs = fakeCoordinator()
    const read = vi.spyOn(slow.storage, 'read')
    const { auth, clock } = createHarness({ storage: slow.storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    read.mockClear()
    for (let n = 0; n < 3; n++) otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    auth.dispose()
    slow.answer()
    await clock.advance(10_000)
    expect(read).toHaveBeenCalledTimes(1)
  })
})
