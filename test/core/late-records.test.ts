import { expect, it } from 'vitest'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createHarness, fakeCoordinator, LIFETIME, tokens, watch } from './auth-setup.ts'

/** A tab, and another one that was refreshing its session when the user signed out. */
async function open(given: Partial<SessionStorage> = {}) {
  const storage = { ...memoryStorage(), ...given }
  const otherTabs = fakeCoordinator()
  const { clock, ...tab } = createHarness({ storage, coordinator: otherTabs.coordinator })
  await clock.advance(0)
  const before = storage.read() as SessionRecord
  return {
    ...tab,
    clock,
    otherTabs,
    stored: () => storage.read() as SessionRecord | undefined,
    session: { session: before.id, rotation: before.rotation, startedAt: before.startedAt },
    /** The other tab has not seen yet that the record was removed. */
    async storeLate(more: Partial<SessionRecord> = {}) {
      storage.write({ ...before, rotation: 1, refreshToken: 'late', ...more })
      otherTabs.receive({ type: 'changed' })
      await clock.advance(1_000)
    },
  }
}

it('the record of a session that the user signed out of is removed, and brings no session back', async () => {
  const { auth, clock, stored, storeLate } = await open()
  const signedOut = watch(auth.signOut())
  await clock.advance(0)
  expect(signedOut.state).toBe('fulfilled')
  await storeLate()
  expect(auth.state).toBe('loggedOut')
  expect(stored()).toBeUndefined()
})

it('the record of a session that the user signed out of in another tab is removed', async () => {
  const { auth, clock, otherTabs, session, stored, storeLate } = await open()
  otherTabs.receive({ type: 'ended', reason: 'signed_out', ...session })
  await clock.advance(0)
  expect(auth.state).toBe('loggedOut')
  await storeLate()
  expect(auth.state).toBe('loggedOut')
  expect(stored()).toBeUndefined()
})

it('the record of a session that the user signed out of gives way to that of the next user', async () => {
  const { auth, clock, signIn, stored, storeLate } = await open()
  void auth.signOut()
  await clock.advance(0)
  const signedIn = watch(auth.signIn('bob'))
  await clock.advance(0)
  signIn.call().resolve(tokens(7, { subject: 'bob' }))
  await clock.advance(0)
  expect(signedIn.state).toBe('fulfilled')
  const { id } = stored()!
  await storeLate()
  expect(auth.session?.subject).toBe('bob')
  expect(stored()).toMatchObject({ id, subject: 'bob' })
})

it('each session that the user signed out of gives way, also if the sign-out came from another tab', async () => {
  const { auth, clock, otherTabs, stored, storeLate } = await open()
  const setTokens = async (subject: string) => {
    void auth.setTokens(tokens(7, { subject }))
    await clock.advance(0)
    return stored()!
  }
  void auth.signOut()
  await clock.advance(0)
  const bob = await setTokens('bob')
  await storeLate()
  expect(stored()).toMatchObject({ id: bob.id })
  otherTabs.receive({ type: 'ended', reason: 'signed_out', session: bob.id, startedAt: bob.startedAt })
  await clock.advance(0)
  const carol = await setTokens('carol')
  await storeLate(bob)
  expect(auth.session?.subject).toBe('carol')
  expect(stored()).toMatchObject({ id: carol.id, subject: 'carol' })
})

it.each([
  ['can be replaced', false],
  ['cannot be replaced', true],
])('the record of a session that the user signed out of costs a few reads if it %s', async (_, stuck) => {
  let reads = 0
  let isStuck = false
  let late: unknown
  const kept = memoryStorage()
  const { auth, clock, stored, storeLate } = await open({
    read() {
      if (++reads > 1_000) throw new Error('Endless')
      return late ?? kept.read()
    },
    write(record) {
      if (isStuck) late ??= record
      kept.write(record)
    },
    clear() {
      if (late) throw new Error('Locked')
      kept.clear()
    },
  })
  void auth.signOut()
  await clock.advance(0)
  void auth.setTokens(tokens(7, { subject: 'bob' }))
  await clock.advance(0)
  const bob = stored()!
  reads = 0
  // By a clock that was ahead, it is the newer one.
  const ahead = bob.startedAt + 10_000
  isStuck = stuck
  await storeLate({ startedAt: ahead })
  expect(auth.session?.subject).toBe('bob')
  if (!stuck) expect(stored()).toMatchObject({ id: bob.id, subject: 'bob' })
  expect(reads).toBeLessThan(20)
})

it('the record of an expired session that another tab has refreshed is taken up', async () => {
  const { auth, clock, refresh, storeLate } = await open()
  void auth.refresh().catch(() => {})
  await clock.advance(0)
  refresh.call().reject({ error: 'invalid_grant', status: 400 })
  await clock.advance(LIFETIME)
  expect(auth.state).toBe('expired')
  await storeLate()
  expect(auth.session).toBeDefined()
})
