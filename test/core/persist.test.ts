import { describe, expect, it } from 'vitest'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import {
  fakeCoordinator,
  LIFETIME,
  type RigOptions,
  refused,
  rig,
  SECRET,
  tokens,
  watch,
} from './auth-setup.ts'

const stored = (storage: SessionStorage) => storage.read() as SessionRecord | undefined

/** Two tabs that share a store and, unless told otherwise, one clock. */
function tabs(options: RigOptions = {}) {
  const storage = memoryStorage()
  const clock = createVirtualClock()
  const mine = fakeCoordinator()
  const theirs = fakeCoordinator()
  mine.coordinator.announce = (message) => theirs.hear(message)
  theirs.coordinator.announce = (message) => mine.hear(message)
  const common = { storage, clock, persist: 'refresh-token', ...options } as const
  const first = rig({ ...common, coordinator: mine.coordinator })
  const second = () => rig({ ...common, coordinator: theirs.coordinator, signedOut: true })
  return { storage, clock, first, second }
}

/** A tab that renews, and a sibling that has renewed so many times by the time the first answer is due. */
async function overtaken(times: number, options?: RigOptions) {
  const { storage, first, clock } = tabs(options)
  await clock.advance(0)
  const renewed = watch(first.auth.refresh())
  await clock.advance(0)
  const record = stored(storage) as SessionRecord
  const rotation = record.rotation + times
  storage.write({ ...record, rotation, refreshToken: `${SECRET}-rt-${rotation + 1}` })
  return { storage, first, clock, renewed }
}

describe("persist: 'refresh-token'", () => {
  it('keeps the refresh token and what is no token, and nothing else', async () => {
    const storage = memoryStorage()
    const { auth, clock } = rig({ storage, persist: 'refresh-token', signedOut: true })
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
    })
  })

  it('exchanges the refresh token at the next start, before any request goes', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = rig({ storage, clock, persist: 'refresh-token' })
    await clock.advance(0)
    before.auth.dispose()

    const { auth, refresh, told } = rig({ storage, clock, persist: 'refresh-token', signedOut: true })
    const asked = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(asked.state).toBe('pending')
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-1`)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(asked.value).toBe(`${SECRET}-at-2`)
    expect(auth.state).toBe('authenticated')
    expect(told()).toEqual(['requestHeld', 'refreshed'])
    expect(stored(storage)).toMatchObject({ rotation: 1, refreshToken: `${SECRET}-rt-2` })
  })

  it('ends in expired where that refresh token is dead, and says why', async () => {
    const { second, clock } = tabs()
    await clock.advance(0)
    const { auth, refresh } = second()
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(auth.state).toBe('expired')
    await expect(auth.getAccessToken()).rejects.toMatchObject({ reason: 'invalid_grant' })
  })

  it('survives a start without a network', async () => {
    const { second, clock } = tabs()
    await clock.advance(0)
    const { auth, outside, refresh } = second()
    outside.online = false
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(refresh.calls).toHaveLength(0)
    outside.signal('online')
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
  })

  it('goes on with its own access token when a sibling renewed, and presents the newer refresh token next', async () => {
    const { second, first, clock } = tabs()
    await clock.advance(0)
    const { auth, refresh } = second()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    // The first tab was told, and kept what works.
    expect(await first.auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(first.auth.session?.generation).toBe(1)
    expect(first.refresh.calls).toHaveLength(0)
    const renewed = first.auth.refresh()
    await clock.advance(0)
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
    first.refresh.call().resolve(tokens(3))
    await renewed
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })

  it('takes the newer refresh token where a refusal was about the one before it', async () => {
    // A sibling without a lock was faster.
    const { first, clock, renewed } = await overtaken(1)
    first.refresh.call().reject(refused())
    await clock.advance(0)
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
    first.refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(renewed.state).toBe('fulfilled')
    expect(first.told()).toEqual(['refreshed'])
  })

  it('throws away a late answer to a refresh token that a sibling has renewed, and keeps the one to the newer', async () => {
    // Which it is given, too, for its answer is on its way within the grace period of the server.
    const { storage, first, clock, renewed } = await overtaken(1, { timeouts: { refresh: 1_000 } })
    await clock.advance(1_000)
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
    first.refresh.call(0).resolve(tokens(2))
    await clock.advance(0)
    expect(renewed.state).toBe('pending')
    first.refresh.call(1).resolve(tokens(3))
    await clock.advance(0)
    expect(renewed.state).toBe('fulfilled')
    expect(stored(storage)).toMatchObject({ rotation: 2, refreshToken: `${SECRET}-rt-3` })
    expect(first.told()).toEqual(['refreshFailed', 'discarded', 'refreshed'])
  })

  it('throws away an answer to a refresh token that a sibling has renewed meanwhile, and presents the newer', async () => {
    // A sibling without a lock was faster, twice, and told so.
    const { storage, first, clock, renewed } = await overtaken(2)
    first.auth.actor.send({ type: 'session.sync' })
    await clock.advance(0)
    first.refresh.call(0).resolve(tokens(2))
    await clock.advance(0)
    expect(renewed.state).toBe('pending')
    expect(first.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-3`)
    first.refresh.call(1).resolve(tokens(4))
    await clock.advance(0)
    expect(renewed.state).toBe('fulfilled')
    expect(stored(storage)).toMatchObject({ rotation: 3, refreshToken: `${SECRET}-rt-4` })
    expect(first.told()).toEqual(['discarded', 'refreshed'])
  })

  it('is over where the newest refresh token is refused, too', async () => {
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

  it('follows another sign-in with an exchange of its own, and lets no request go with the old token', async () => {
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

  it('takes out of the store what an earlier visit kept there', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = rig({ storage, clock })
    await clock.advance(0)
    before.auth.dispose()
    expect(stored(storage)?.accessToken).toBe(`${SECRET}-at-1`)
    const { auth } = rig({ storage, clock, signedOut: true, persist: 'refresh-token' })
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(stored(storage)?.accessToken).toBeNull()
    expect(stored(storage)?.refreshToken).toBe(`${SECRET}-rt-1`)
  })

  it('revokes what it has at a sign-out that comes before the first exchange', async () => {
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

  it('in cookie mode, keeps a record without a token, by which the next start finds the session', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const cookie = (n: number) => ({
      access_token: `${SECRET}-at-${n}`,
      expires_in: LIFETIME / 1000,
      subject: 'ada',
    })
    const before = rig({ storage, clock, persist: 'refresh-token', initialTokens: cookie(1) })
    await clock.advance(0)
    before.auth.dispose()
    expect(JSON.stringify(stored(storage))).not.toContain(SECRET)

    const { auth, refresh } = rig({ storage, clock, signedOut: true, persist: 'refresh-token' })
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
  it('writes nothing, and reads nothing', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = rig({ storage, clock })
    await clock.advance(0)
    before.auth.dispose()
    const { auth } = rig({ storage, clock, persist: 'none', signedOut: true })
    expect(auth.state).toBe('anonymous')
    await auth.setTokens(tokens(2))
    await clock.advance(0)
    expect(stored(storage)).toBeUndefined()
  })

  it('removes what an earlier visit kept there', async () => {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const before = rig({ storage, clock })
    await clock.advance(0)
    before.auth.dispose()
    expect(stored(storage)).toBeDefined()
    rig({ storage, clock, persist: 'none', signedOut: true })
    expect(stored(storage)).toBeUndefined()
  })

  it('still hears of a sign-out in another tab, and tells of its own', async () => {
    const { second, first, clock } = tabs({ persist: 'none' })
    const { auth } = second()
    await auth.setTokens(tokens(2))
    await clock.advance(0)
    await first.auth.signOut()
    await settled()
    expect(auth.state).toBe('loggedOut')
  })
})
