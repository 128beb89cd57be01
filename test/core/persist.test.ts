import { describe, expect, it } from 'vitest'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import {
  createHarness,
  fakeCoordinator,
  type HarnessOptions,
  LIFETIME,
  refused,
  SECRET,
  tokens,
  watch,
} from './auth-setup.ts'

const stored = (storage: SessionStorage) => storage.read() as SessionRecord | undefined

/** Two tabs that share a store and, by default, one clock. */
function tabs(options: HarnessOptions = {}) {
  const storage = memoryStorage()
  const clock = createVirtualClock()
  const mine = fakeCoordinator()
  const theirs = fakeCoordinator()
  mine.coordinator.announce = (message) => theirs.receive(message)
  theirs.coordinator.announce = (message) => mine.receive(message)
  const common = { storage, clock, persist: 'refresh-token', ...options } as const
  const first = createHarness({ ...common, coordinator: mine.coordinator })
  const second = () => createHarness({ ...common, coordinator: theirs.coordinator, signedOut: true })
  return { storage, clock, first, second }
}

/** A tab that refreshes, while another tab refreshes the given number of times before the first answer. */
async function overtaken(times: number, options?: HarnessOptions) {
  const { storage, first, clock } = tabs(options)
  await clock.advance(0)
  const refreshed = watch(first.auth.refresh())
  await clock.advance(0)
  const record = stored(storage) as SessionRecord
  const rotation = record.rotation + times
  storage.write({ ...record, rotation, refreshToken: `${SECRET}-rt-${rotation + 1}` })
  return { storage, first, clock, refreshed }
}

describe("persist: 'refresh-token'", () => {
  it('stores the refresh token and metadata, and no other token', async () => {
    const storage = memoryStorage()
    const { auth, clock } = createHarness({ storage, persist: 'refresh-token', signedOut: true })
    await auth.setTokens(tokens(1, { id_token: `${SECRET}-id`, subject: 'ada', scope: 'read' }))
    await clock.advance(0)
    expect(JSON.parse(JSON.stringify(stored(storage)))).toEqual({
      version: 1,
      id: expect.any(String),
      rotation: 0,
      startedAt: clock.now(),
      receivedAt: clock.now(),
      accessToken: null,
      refreshToken: `${SECRET}-rt-1`,
      scope: 'read',
      subject: 'ada',
      user: { app: 'ada' },
    })
  })

  it('refreshes at the next start, before it sends any request', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = createHarness({ storage, clock, persist: 'refresh-token' })
    await clock.advance(0)
    before.auth.dispose()

    const { auth, refresh, emitted } = createHarness({
      storage,
      clock,
      persist: 'refresh-token',
      signedOut: true,
    })
    const asked = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(asked.state).toBe('pending')
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-1`)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(asked.value).toBe(`${SECRET}-at-2`)
    expect(auth.state).toBe('authenticated')
    expect(emitted()).toEqual(['requestHeld', 'refreshed'])
    expect(stored(storage)).toMatchObject({ rotation: 1, refreshToken: `${SECRET}-rt-2` })
  })

  it('expires the session if the stored refresh token is rejected, and reports the reason', async () => {
    const { second, clock } = tabs()
    await clock.advance(0)
    const { auth, refresh } = second()
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(auth.state).toBe('expired')
    await expect(auth.getAccessToken()).rejects.toMatchObject({ reason: 'invalid_grant' })
  })

  it('keeps the session if it starts without a network', async () => {
    const { second, clock } = tabs()
    await clock.advance(0)
    const { auth, outside, refresh } = second()
    outside.online = false
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    outside.signal('online')
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
  })

  it('keeps its own access token if another tab has refreshed, and sends the newer refresh token next', async () => {
    const { second, first, clock } = tabs()
    await clock.advance(0)
    const { auth, refresh } = second()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    // The first tab was notified, and kept its access token because it still works.
    expect(await first.auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(first.auth.session?.generation).toBe(1)
    expect(first.refresh.calls).toHaveLength(0)
    const refreshed = first.auth.refresh()
    await clock.advance(0)
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
    first.refresh.call().resolve(tokens(3))
    await refreshed
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })

  it('sends the newer refresh token if the one before it was rejected', async () => {
    // Another tab without a lock was faster.
    const { first, clock, refreshed } = await overtaken(1)
    first.refresh.call().reject(refused())
    await clock.advance(0)
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
    first.refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(first.emitted()).toEqual(['refreshed'])
  })

  it('discards a late answer to a refresh token that another tab has used, and uses the answer to the newer one', async () => {
    // The older token is answered, too, because the server has a grace period.
    const { storage, first, clock, refreshed } = await overtaken(1, { timeouts: { refresh: 1_000 } })
    await clock.advance(1_000)
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
    first.refresh.call(0).resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).toBe('pending')
    first.refresh.call(1).resolve(tokens(3))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(stored(storage)).toMatchObject({ rotation: 2, refreshToken: `${SECRET}-rt-3` })
    expect(first.emitted()).toEqual(['refreshFailed', 'discarded', 'refreshed'])
  })

  it('discards an answer to a refresh token that another tab has used meanwhile, and sends the newer one', async () => {
    // Another tab without a lock has refreshed twice and announced it.
    const { storage, first, clock, refreshed } = await overtaken(2)
    first.auth.actor.send({ type: 'store.changed' })
    await clock.advance(0)
    first.refresh.call(0).resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).toBe('pending')
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-3`)
    first.refresh.call(1).resolve(tokens(4))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(stored(storage)).toMatchObject({ rotation: 3, refreshToken: `${SECRET}-rt-4` })
    expect(first.emitted()).toEqual(['discarded', 'refreshed'])
  })

  it('expires the session if the newest refresh token is rejected, too', async () => {
    const { storage, first, clock } = tabs({ initialTokens: tokens(1, { expires_in: 0 }) })
    await clock.advance(0)
    const record = stored(storage) as SessionRecord
    storage.write({ ...record, rotation: record.rotation + 1, refreshToken: `${SECRET}-rt-2` })
    first.refresh.call().reject(refused())
    await clock.advance(0)
    first.refresh.call().reject(refused())
    await clock.advance(0)
    expect(first.auth.state).toBe('expired')
    expect(first.refresh.calls).toHaveLength(2)
  })

  it('refreshes the session of another sign-in, and sends no request with the old token', async () => {
    const { second, first, clock } = tabs()
    await clock.advance(0)
    const other = second()
    await clock.advance(1)
    await other.auth.setTokens(tokens(7, { subject: 'bob' }))
    await settled()
    const asked = watch(first.auth.getAccessToken())
    await clock.advance(0)
    expect(first.auth.state).toBe('refreshing')
    expect(asked.state).toBe('pending')
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-7`)
    first.refresh.call().resolve(tokens(8))
    await clock.advance(0)
    expect(asked.value).toBe(`${SECRET}-at-8`)
    expect(first.auth.session?.subject).toBe('bob')
  })

  it('removes the access token that an earlier visit stored', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = createHarness({ storage, clock })
    await clock.advance(0)
    before.auth.dispose()
    expect(stored(storage)?.accessToken).toBe(`${SECRET}-at-1`)
    const { auth } = createHarness({ storage, clock, signedOut: true, persist: 'refresh-token' })
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(stored(storage)?.accessToken).toBeNull()
    expect(stored(storage)?.refreshToken).toBe(`${SECRET}-rt-1`)
  })

  it('revokes the stored refresh token at a sign-out before the first refresh', async () => {
    const { second, clock } = tabs({ revoke: (given) => void revoked.push(given) })
    const revoked: unknown[] = []
    await clock.advance(0)
    const { auth } = second()
    await clock.advance(0)
    const left = auth.signOut()
    await clock.advance(0)
    await left
    expect(revoked).toContainEqual({ accessToken: '', refreshToken: `${SECRET}-rt-1` })
  })

  it('stores a record without a token in cookie mode, so that the next start finds the session', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const cookie = (n: number) => ({
      access_token: `${SECRET}-at-${n}`,
      expires_in: LIFETIME / 1000,
      subject: 'ada',
    })
    const before = createHarness({ storage, clock, persist: 'refresh-token', initialTokens: cookie(1) })
    await clock.advance(0)
    before.auth.dispose()
    expect(JSON.stringify(stored(storage))).not.toContain(SECRET)

    const { auth, refresh } = createHarness({ storage, clock, signedOut: true, persist: 'refresh-token' })
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(refresh.call().argument.refreshToken).toBeUndefined()
    refresh.call().resolve(cookie(2))
    await clock.advance(0)
    expect(auth.session?.subject).toBe('ada')
    await auth.signOut()
    expect(stored(storage)).toBeUndefined()
  })
})

describe("persist: 'none'", () => {
  it('neither writes nor reads the store', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = createHarness({ storage, clock })
    await clock.advance(0)
    before.auth.dispose()
    const { auth } = createHarness({ storage, clock, persist: 'none', signedOut: true })
    expect(auth.state).toBe('anonymous')
    await auth.setTokens(tokens(2))
    await clock.advance(0)
    expect(stored(storage)).toBeUndefined()
  })

  it('removes the record that an earlier visit stored', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = createHarness({ storage, clock })
    await clock.advance(0)
    before.auth.dispose()
    expect(stored(storage)).toBeDefined()
    createHarness({ storage, clock, persist: 'none', signedOut: true })
    expect(stored(storage)).toBeUndefined()
  })

  it('signs out if another tab signs out, and announces its own sign-out', async () => {
    const { second, first, clock } = tabs({ persist: 'none' })
    const { auth } = second()
    await auth.setTokens(tokens(2))
    await clock.advance(0)
    await first.auth.signOut()
    await settled()
    expect(auth.state).toBe('loggedOut')
  })
})
