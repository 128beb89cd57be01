import { describe, expect, it } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { Coordinator, SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import fc from '../support/property.ts'
import { createHarness, fakeCoordinator, hang, LIFETIME, SECRET, tokens, watch } from './auth-setup.ts'

/** A store whose operations fail as the test decides. */
function faulty() {
  const kept = memoryStorage()
  const faults: Partial<Record<'read' | 'write' | 'clear', () => unknown>> = {}
  const storage: SessionStorage = {
    read: () => (faults.read ?? kept.read)(),
    write: (record) => (faults.write ? faults.write() : kept.write(record)),
    clear: () => (faults.clear ?? kept.clear)(),
  }
  return { storage, faults, kept }
}

const boom = () => {
  throw new RangeError(`cannot read ${SECRET}`)
}
const reject = async () => boom()

const WAYS = [
  ['throws', boom],
  ['rejects', reject],
  ['hangs', hang],
] as const

describe('the reason of storageFailed', () => {
  const named = (name: unknown) => Object.defineProperty(new Error(SECRET), 'name', { value: name })
  const reasonOf = async (error: unknown) => {
    const { storage, faults } = faulty()
    faults.read = () => {
      throw error
    }
    const { clock, last } = createHarness({ storage, signedOut: true })
    await clock.advance(0)
    return last('storageFailed')?.reason
  }

  it.each([
    ['QuotaExceededError', named('QuotaExceededError')],
    ['SecurityError', new DOMException(SECRET, 'SecurityError')],
    ['TypeError', new TypeError(SECRET)],
    ['Error', new Error(SECRET)],
    ['not_ready', new StorageError(SECRET, { reason: 'not_ready' })],
    ['ENOSPC', new StorageError(SECRET, { reason: 'ENOSPC' })],
  ])('is %s if the error of the store says so', async (reason, error) => {
    expect(await reasonOf(error)).toBe(reason)
  })

  it('is a general word for any other error of a store', async () => {
    const foreign = [
      named(`${SECRET}Error`),
      named('at_1f0c'),
      named('ENOSPC'),
      named({ toString: () => SECRET }),
      new StorageError('', { reason: SECRET }),
      new StorageError('', { reason: `${'a'.repeat(41)}` }),
      new StorageError(''),
      SECRET,
      null,
      Object.defineProperty(new Error(), 'name', { get: () => boom() }),
    ]
    for (const error of foreign) expect(await reasonOf(error)).toBe('failed')
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.constantFrom('name', 'reason'), async (text, field) => {
        const error = field === 'name' ? named(text) : new StorageError('', { reason: text })
        const reason = (await reasonOf(error)) ?? ''
        expect(reason).toMatch(/^([A-Za-z]*Error|[a-z_]{1,40}|E[A-Z_]{3,30})$/)
      }),
      { numRuns: 20 },
    )
  })
})

describe.each(WAYS)('a store that %s', (way, fault) => {
  const reason = way === 'hangs' ? 'timeout' : 'RangeError'

  it('starts signed out and emits storageFailed if the first read fails', async () => {
    const { storage, faults } = faulty()
    faults.read = fault
    const { auth, clock } = createHarness({ storage, signedOut: true })
    const ready = watch(auth.ready())
    await clock.advance(2_000)
    expect(ready.state).toBe('fulfilled')
    expect(auth.state).toBe('anonymous')
    expect(auth.history).toContainEqual(expect.objectContaining({ type: 'storageFailed', reason }))
    expect(JSON.stringify(auth.history)).not.toContain(SECRET)
  })

  it('fails no sign-in, no refresh and no request if a write fails', async () => {
    const { storage, faults } = faulty()
    faults.write = fault
    const { auth, clock, signIn, refresh, events } = createHarness({ storage, signedOut: true })
    await clock.advance(0)
    const session = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    await clock.advance(2_000)
    expect(session.state).toBe('fulfilled')
    const refreshed = watch(auth.refresh())
    await clock.advance(2_000)
    refresh.call().resolve(tokens(2))
    await clock.advance(2_000)
    expect(refreshed.state).toBe('fulfilled')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
    await clock.advance(2_000)
    const failures = () => events.filter(({ type }) => type === 'storageFailed')
    // A second failure in a row emits no event, but a failure after a success does.
    expect(failures()).toHaveLength(1)
    delete faults.write
    await auth.setTokens(tokens(3))
    await clock.advance(0)
    faults.write = fault
    await Promise.all([auth.setTokens(tokens(4)), clock.advance(4_000)])
    expect(failures()).toHaveLength(2)
  })

  it('contains no used refresh token after a failed write, unless the write may still succeed', async () => {
    const { storage, faults, kept } = faulty()
    const { auth, clock, refresh } = createHarness({ storage })
    await clock.advance(0)
    expect(kept.read()).toBeDefined()
    faults.write = fault
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(2_000)
    expect(kept.read() !== undefined).toBe(way === 'hangs')
  })

  it('does not prevent a sign-out if it cannot be cleared', async () => {
    const { storage, faults } = faulty()
    const { auth, clock, events } = createHarness({ storage })
    await clock.advance(0)
    faults.clear = fault
    const out = watch(auth.signOut())
    await clock.advance(4_000)
    expect(out.state).toBe('fulfilled')
    expect(auth.state).toBe('loggedOut')
    expect(events).toContainEqual(expect.objectContaining({ type: 'storageFailed', reason }))
  })

  it('delays a refresh at most if the read before it fails', async () => {
    const { storage, faults } = faulty()
    const { auth, clock, refresh } = createHarness({ storage })
    await clock.advance(0)
    faults.read = fault
    const session = watch(auth.refresh())
    await clock.advance(2_000)
    refresh.call().resolve(tokens(2))
    await clock.advance(2_000)
    expect(session.state).toBe('fulfilled')
  })

  it('keeps the session if it cannot be read after a message from another tab', async () => {
    const { storage, faults } = faulty()
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({ storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    faults.read = fault
    otherTabs.receive({ type: 'changed' })
    await clock.advance(2_000)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('keeps the session in memory after a failed write, even if another tab announces a change', async () => {
    const { storage, faults } = faulty()
    const otherTabs = fakeCoordinator()
    const { auth, clock, refresh } = createHarness({ storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    faults.write = fault
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(2_000)
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })
})

describe('the content of a store', () => {
  it.each([
    ['a record of another version', { version: 2 }],
    ['a number', 7],
    ['an empty object', {}],
    ['a record without a token', { version: 1, id: 'a', rotation: 0, startedAt: 0, receivedAt: 0 }],
    [
      'a token that no header can carry',
      { version: 1, id: 'a', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: `${SECRET}\n` },
    ],
    [
      'an expiry that is not a number',
      { version: 1, id: 'a', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: 'a', expiresAt: null },
    ],
  ])('is ignored with a storageFailed event if it is %s', async (_, garbage) => {
    const { storage, faults } = faulty()
    faults.read = () => garbage
    const { auth, clock, events } = createHarness({ storage, signedOut: true })
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'storageFailed', reason: 'invalid_record' }),
    )
    expect(JSON.stringify(events)).not.toContain(SECRET)
  })

  it.each([undefined, null])('is treated as empty without an event if it is %s', async (nothing) => {
    const { storage, faults } = faulty()
    faults.read = () => nothing
    const { auth, clock, emitted } = createHarness({ storage, signedOut: true })
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(emitted()).toEqual([])
  })

  it('does not end a current session if it turns into garbage', async () => {
    const { storage, faults } = faulty()
    const otherTabs = fakeCoordinator()
    const { auth, clock } = createHarness({ storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    faults.read = () => 'garbage'
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
  })

  it('ends the session if another tab has cleared it', async () => {
    const { storage, kept } = faulty()
    const otherTabs = fakeCoordinator()
    const { auth, clock, events } = createHarness({ storage, coordinator: otherTabs.coordinator })
    await clock.advance(0)
    kept.clear()
    otherTabs.receive({ type: 'changed' })
    await clock.advance(249)
    expect(auth.state).toBe('authenticated')
    await clock.advance(1)
    expect(auth.state).toBe('loggedOut')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'signedOut', reason: 'signed_out_elsewhere' }),
    )
  })

  it('restores a session with its scope and subject, and refreshes it if it has expired', async () => {
    const { storage, kept } = faulty()
    const first = createHarness({ storage, initialTokens: tokens(1, { scope: 'read', subject: 'ada' }) })
    await first.clock.advance(0)
    const second = createHarness({ storage, signedOut: true, clock: first.clock })
    await first.clock.advance(0)
    expect(second.auth.session).toMatchObject({ scope: 'read', subject: 'ada' })
    expect(second.emitted()).toEqual([])
    first.clock.jump(LIFETIME)
    const third = createHarness({ storage, signedOut: true, clock: first.clock })
    await first.clock.advance(0)
    expect(third.auth.state).toBe('refreshing')
    third.refresh.call().resolve(tokens(2))
    await first.clock.advance(0)
    expect(kept.read()).toMatchObject({ accessToken: `${SECRET}-at-2`, rotation: 1, subject: 'ada' })
  })
})

describe('a store with little space', () => {
  /** A store that takes no record longer than its first one. */
  function tight() {
    const kept = memoryStorage()
    let room = Number.POSITIVE_INFINITY
    const storage: SessionStorage = {
      ...kept,
      write(record) {
        const { length } = JSON.stringify(record)
        if (length > room) throw new DOMException('full', 'QuotaExceededError')
        kept.write(record)
        if (room === Number.POSITIVE_INFINITY) room = length
      },
    }
    return storage
  }
  const long = (n: number) => tokens(n, { access_token: `${SECRET}-at-${n}`.padEnd(500, 'x') })

  const REQUIRED: Coordinator = {
    lock: 'required',
    exclusive: (_, task) => task(),
    announce() {},
    subscribe: () => () => {},
  }

  it.each([
    ['', {}],
    [', also if each refresh needs the lock', { coordinator: REQUIRED }],
  ])('holds at least the refresh token, so that the next start finds the session%s', async (_, more) => {
    const storage = tight()
    const { auth, clock, refresh, last, emitted } = createHarness({ storage, ...more })
    await clock.advance(0)
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(long(2))
    await refreshed
    expect(storage.read()).toMatchObject({ rotation: 1, accessToken: null, refreshToken: `${SECRET}-rt-2` })
    expect(emitted().filter((type) => type === 'storageFailed')).toHaveLength(1)
    expect(last('storageFailed')).toMatchObject({ reason: 'QuotaExceededError' })
    auth.dispose()
    const next = createHarness({ storage, clock, signedOut: true })
    await clock.advance(0)
    expect(next.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
  })

  it('does not sign out another tab if it holds no access token', async () => {
    const storage = tight()
    const { auth, clock, refresh } = createHarness({ storage })
    const otherTab = fakeCoordinator()
    const other = createHarness({ storage, clock, signedOut: true, coordinator: otherTab.coordinator })
    await clock.advance(0)
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(long(2))
    await refreshed
    otherTab.receive({ type: 'changed' })
    await clock.advance(0)
    expect(other.auth.state).toBe('authenticated')
    expect(await other.auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })
})
