import { describe, expect, it } from 'vitest'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import {
  createHarness,
  fakeCoordinator,
  type HarnessOptions,
  hang,
  LIFETIME,
  SECRET,
  tokens,
  watch,
} from './auth-setup.ts'

/** The time that each operation of a slow store takes, in milliseconds. */
const SLOW = 150

/** A session with a store on the same clock. Both outlive the session, as for the next page. */
function withStore(delay: number, options: HarnessOptions = {}) {
  const clock = createVirtualClock()
  const kept = memoryStorage()
  const after = <T>(act: () => T) =>
    delay === 0 ? act() : new Promise<T>((resolve) => void clock.setTimeout(() => resolve(act()), delay))
  const storage: SessionStorage = {
    read: () => after(() => kept.read()),
    write: (record) => after(() => kept.write(record)),
    clear: () => after(() => kept.clear()),
  }
  const made = createHarness({ clock, storage, ...options })
  return { ...made, clock, storage, stored: () => (kept.read() as SessionRecord | undefined)?.refreshToken }
}

const STORES: [string, number][] = [
  ['at once', 0],
  ['after 150 ms', SLOW],
]

describe.each(STORES)('a session whose store answers %s', (_, delay) => {
  it('stores the answer of a refresh that was sent before dispose(), and leaves nothing behind', async () => {
    const { auth, refresh, clock, stored } = withStore(delay)
    await clock.advance(1_000)
    const refreshed = watch(auth.refresh())
    await clock.advance(SLOW)
    const { signal } = refresh.call().argument
    auth.dispose()
    await clock.advance(50)
    expect(refreshed.error).toMatchObject({ code: 'disposed' })
    expect(signal.aborted).toBe(false)
    refresh.call().resolve(tokens(2))
    await clock.advance(1_000)
    expect(stored()).toBe(`${SECRET}-rt-2`)
    expect(clock.pending).toBe(0)
  })

  it('keeps the lock until that answer is stored, so that a new session of the same store waits for it', async () => {
    const turns = fakeCoordinator()
    const { auth, refresh, clock, storage, stored } = withStore(delay, { coordinator: turns.coordinator })
    await clock.advance(1_000)
    auth.refresh().catch(() => {})
    await clock.advance(SLOW)
    auth.dispose()
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(turns.locked.at(-1) === 'leave refresh').toBe(stored() === `${SECRET}-rt-2`)
    await clock.advance(1_000)
    expect(turns.locked).toEqual(['enter refresh', 'leave refresh'])
    const next = createHarness({ clock, storage, signedOut: true })
    await clock.advance(1_000)
    expect(await next.auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })

  it('keeps the lock after a dispose() that comes while the answer is being stored', async () => {
    const turns = fakeCoordinator()
    const { auth, refresh, clock, stored } = withStore(delay, { coordinator: turns.coordinator })
    await clock.advance(1_000)
    auth.refresh().catch(() => {})
    await clock.advance(SLOW)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    auth.dispose()
    await clock.advance(SLOW)
    expect(turns.locked.at(-1) === 'leave refresh').toBe(stored() === `${SECRET}-rt-2`)
    await clock.advance(1_000)
    expect(turns.locked).toEqual(['enter refresh', 'leave refresh'])
    expect(stored()).toBe(`${SECRET}-rt-2`)
    expect(clock.pending).toBe(0)
  })

  it('stores an answer that comes after dispose() and after timeouts.refresh', async () => {
    const { auth, refresh, clock, stored } = withStore(delay)
    await clock.advance(1_000)
    auth.refresh().catch(() => {})
    await clock.advance(SLOW)
    const { signal } = refresh.call().argument
    auth.dispose()
    await clock.advance(10_000)
    expect(signal.aborted).toBe(true)
    await clock.advance(10_000)
    expect(clock.pending).toBe(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(1_000)
    expect(stored()).toBe(`${SECRET}-rt-2`)
    expect(refresh.calls).toHaveLength(1)
  })

  it.each<[string, string, (made: ReturnType<typeof withStore>) => Promise<unknown>]>([
    ['signedIn', 'signIn()', ({ auth }) => auth.signIn('ada')],
    ['signedIn', 'setTokens()', ({ auth }) => auth.setTokens(tokens(2))],
    ['refreshed', 'refresh()', ({ auth }) => auth.refresh()],
    ['refreshed', 'a request that waits', ({ auth }) => auth.getAccessToken()],
  ])('emits %s and goes on with %s once the refresh token is stored', async (event, _, call) => {
    const made = withStore(delay, { refreshOn: 'demand' })
    const { auth, clock, refresh, signIn, stored } = made
    await clock.advance(LIFETIME)
    const whenTold: (string | undefined)[] = []
    auth.on(event as 'signedIn', () => whenTold.push(stored()))
    const called = call(made).then(() => stored())
    await clock.advance(SLOW)
    for (const { resolve } of [...refresh.calls, ...signIn.calls]) resolve(tokens(2))
    await clock.advance(2_000)
    expect([...whenTold, await called]).toEqual([`${SECRET}-rt-2`, `${SECRET}-rt-2`])
  })

  it('has nothing in the store after a sign-out, whatever was being written', async () => {
    const revoked: (string | undefined)[] = []
    const { auth, clock, refresh, stored } = withStore(delay, {
      revoke: ({ refreshToken }) => revoked.push(refreshToken),
    })
    await clock.advance(1_000)
    auth.refresh().catch(() => {})
    await clock.advance(SLOW)
    refresh.call().resolve(tokens(2))
    await clock.advance(SLOW + 10)
    const out = auth.signOut()
    if (delay === 0) expect(stored()).toBeUndefined()
    await clock.advance(1_000)
    await out
    expect(stored()).toBeUndefined()
    expect(revoked).toEqual([`${SECRET}-rt-2`])
    expect(auth.state).toBe('loggedOut')
  })
})

it('requests that need not wait go on with the old token while the new one is being stored', async () => {
  const { auth, clock, refresh } = withStore(SLOW)
  await clock.advance(1_000)
  auth.refresh().catch(() => {})
  await clock.advance(SLOW)
  const { generation } = auth.session ?? {}
  refresh.call().resolve(tokens(2))
  await clock.advance(SLOW)
  expect(auth.session).toMatchObject({ generation })
  expect(auth.state).toBe('refreshing')
  await clock.advance(2 * SLOW)
  expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
})

it('tokens that the store never takes are announced after timeouts.storage', async () => {
  const { auth, clock, refresh, emitted } = createHarness({
    storage: { read: () => undefined, write: hang, clear: hang },
    timeouts: { storage: 500 },
  })
  await clock.advance(5_000)
  const refreshed = watch(auth.refresh())
  await clock.advance(0)
  refresh.call().resolve(tokens(2))
  await clock.advance(499)
  expect(refreshed.state).toBe('pending')
  await clock.advance(1)
  expect(refreshed.state).toBe('fulfilled')
  expect(emitted()).toContain('refreshed')
})

it('tokens that the store never takes do not keep the lock after dispose()', async () => {
  const { coordinator, locked, receive } = fakeCoordinator()
  const memory = memoryStorage()
  let { read } = memory
  const { auth, clock, refresh } = createHarness({
    storage: { ...memory, read: () => read(), clear: hang },
    coordinator,
    timeouts: { storage: 500 },
  })
  await clock.advance(5_000)
  auth.refresh().catch(() => {})
  await clock.advance(0)
  // The tokens wait for this look into the store.
  read = hang
  receive({ type: 'changed' })
  refresh.call().resolve(tokens(2))
  await clock.advance(0)
  auth.dispose()
  await clock.advance(1_500)
  expect(locked).toEqual(['enter refresh', 'leave refresh'])
})

it('a session without a store announces tokens in the same promise jobs as their answer', async () => {
  const { auth, clock, refresh } = createHarness()
  const refreshed = watch(auth.refresh())
  await clock.advance(0)
  refresh.call().resolve(tokens(2))
  for (let jobs = 0; jobs < 20; jobs++) await Promise.resolve()
  expect(refreshed.state).toBe('fulfilled')
})

it('requests that follow setTokens() wait until the tokens are stored, instead of going without them', async () => {
  const { auth, clock } = withStore(SLOW, { signedOut: true })
  await clock.advance(1_000)
  const set = auth.setTokens(tokens(1))
  const sent = watch(auth.getAccessToken({ allowAnonymous: true }))
  await clock.advance(SLOW - 10)
  expect([auth.state, sent.state]).toEqual(['anonymous', 'pending'])
  await clock.advance(20)
  await set
  expect(sent.value).toBe(`${SECRET}-at-1`)
})

it('a start that reads a slow store ends with the tokens that the app gives meanwhile', async () => {
  const { auth, clock, emitted } = withStore(SLOW, { signedOut: true })
  const set = auth.setTokens(tokens(1))
  const sent = watch(auth.getAccessToken())
  await clock.advance(1_000)
  await set
  expect(sent.value).toBe(`${SECRET}-at-1`)
  expect([auth.state, ...emitted()]).toEqual(['authenticated', 'requestHeld', 'signedIn'])
})
