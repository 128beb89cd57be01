import { describe, expect, it } from 'vitest'
import type { SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { fakeCoordinator, LIFETIME, rig, SECRET, tokens, watch } from './auth-setup.ts'

/** A store whose operations fail where they are told to. */
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
const hang = () => new Promise(() => {})

const WAYS = [
  ['throws', boom],
  ['rejects', reject],
  ['hangs', hang],
] as const

describe.each(WAYS)('a store that %s', (way, fault) => {
  const reason = way === 'hangs' ? 'timeout' : 'RangeError'

  it('when it is read at the start leaves nobody signed in, and says so', async () => {
    const { storage, faults } = faulty()
    faults.read = fault
    const { auth, clock } = rig({ storage, signedOut: true })
    const ready = watch(auth.ready())
    await clock.advance(2_000)
    expect(ready.state).toBe('fulfilled')
    expect(auth.state).toBe('anonymous')
    expect(auth.history).toContainEqual(expect.objectContaining({ type: 'storageFailed', reason }))
    expect(JSON.stringify(auth.history)).not.toContain(SECRET)
  })

  it('when it is written fails no sign-in, no refresh and no request', async () => {
    const { storage, faults } = faulty()
    faults.write = fault
    const { auth, clock, signIn, refresh, events } = rig({ storage, signedOut: true })
    await clock.advance(0)
    const session = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    await clock.advance(2_000)
    expect(session.state).toBe('fulfilled')
    const renewed = watch(auth.refresh())
    await clock.advance(2_000)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(renewed.state).toBe('fulfilled')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
    await clock.advance(2_000)
    const failures = () => events.filter(({ type }) => type === 'storageFailed')
    // That it goes on is no news; that it fails again, after it worked, is.
    expect(failures()).toHaveLength(1)
    delete faults.write
    await auth.setTokens(tokens(3))
    await clock.advance(0)
    faults.write = fault
    await Promise.all([auth.setTokens(tokens(4)), clock.advance(4_000)])
    expect(failures()).toHaveLength(2)
  })

  it('when it is written is emptied, so that no spent refresh token is found there', async () => {
    const { storage, faults, kept } = faulty()
    const { auth, clock, refresh } = rig({ storage })
    await clock.advance(0)
    expect(kept.read()).toBeDefined()
    faults.write = fault
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(2_000)
    expect(kept.read()).toBeUndefined()
  })

  it('when it is cleared fails no sign-out', async () => {
    const { storage, faults } = faulty()
    const { auth, clock, events } = rig({ storage })
    await clock.advance(0)
    faults.clear = fault
    const out = watch(auth.signOut())
    await clock.advance(4_000)
    expect(out.state).toBe('fulfilled')
    expect(auth.state).toBe('loggedOut')
    expect(events).toContainEqual(expect.objectContaining({ type: 'storageFailed', reason }))
  })

  it('when it is read before an exchange delays it at most, and the exchange goes on', async () => {
    const { storage, faults } = faulty()
    const { auth, clock, refresh } = rig({ storage })
    await clock.advance(0)
    faults.read = fault
    const session = watch(auth.refresh())
    await clock.advance(2_000)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
  })

  it('when a sibling speaks up keeps the session: not to know is not to be told that it ended', async () => {
    const { storage, faults } = faulty()
    const siblings = fakeCoordinator()
    const { auth, clock } = rig({ storage, coordinator: siblings.coordinator })
    await clock.advance(0)
    faults.read = fault
    siblings.hear({ type: 'changed' })
    await clock.advance(2_000)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('when it was written lives on in memory, whatever a sibling says of the store', async () => {
    const { storage, faults } = faulty()
    const siblings = fakeCoordinator()
    const { auth, clock, refresh } = rig({ storage, coordinator: siblings.coordinator })
    await clock.advance(0)
    faults.write = fault
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(2_000)
    siblings.hear({ type: 'changed' })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })
})

describe('what a store gives back', () => {
  it.each([
    ['another version', { version: 2 }],
    ['a number', 7],
    ['an empty object', {}],
    ['a record without a token', { version: 1, id: 'a', rotation: 0, startedAt: 0, receivedAt: 0 }],
    [
      'a token no header can carry',
      { version: 1, id: 'a', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: `${SECRET}\n` },
    ],
    [
      'an expiry that is no number',
      { version: 1, id: 'a', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: 'a', expiresAt: null },
    ],
  ])('counts as nothing where it is %s, and is told', async (_, garbage) => {
    const { storage, faults } = faulty()
    faults.read = () => garbage
    const { auth, clock, events } = rig({ storage, signedOut: true })
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'storageFailed', reason: 'invalid_record' }),
    )
    expect(JSON.stringify(events)).not.toContain(SECRET)
  })

  it.each([undefined, null])('counts as nothing where it is %s, and nothing is told', async (nothing) => {
    const { storage, faults } = faulty()
    faults.read = () => nothing
    const { auth, clock, told } = rig({ storage, signedOut: true })
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(told()).toEqual([])
  })

  it('ends no session that lives where it turned to garbage', async () => {
    const { storage, faults } = faulty()
    const siblings = fakeCoordinator()
    const { auth, clock } = rig({ storage, coordinator: siblings.coordinator })
    await clock.advance(0)
    faults.read = () => 'garbage'
    siblings.hear({ type: 'changed' })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
  })

  it('ends the session where a sibling emptied it', async () => {
    const { storage, kept } = faulty()
    const siblings = fakeCoordinator()
    const { auth, clock, events } = rig({ storage, coordinator: siblings.coordinator })
    await clock.advance(0)
    kept.clear()
    siblings.hear({ type: 'changed' })
    await clock.advance(0)
    expect(auth.state).toBe('loggedOut')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'signedOut', reason: 'signed_out_elsewhere' }),
    )
  })

  it('hands a restored session on: valid, stale, and of what kind it was', async () => {
    const { storage, kept } = faulty()
    const first = rig({ storage, initialTokens: tokens(1, { scope: 'read', subject: 'ada' }) })
    await first.clock.advance(0)
    const second = rig({ storage, signedOut: true, clock: first.clock })
    await first.clock.advance(0)
    expect(second.auth.session).toMatchObject({ scope: 'read', subject: 'ada' })
    expect(second.told()).toEqual([])
    first.clock.jump(LIFETIME)
    const third = rig({ storage, signedOut: true, clock: first.clock })
    await first.clock.advance(0)
    expect(third.auth.state).toBe('refreshing')
    third.refresh.call().resolve(tokens(2))
    await first.clock.advance(0)
    expect(kept.read()).toMatchObject({ accessToken: `${SECRET}-at-2`, rotation: 1, subject: 'ada' })
  })
})

describe('a store with little room', () => {
  /** One that takes what is no longer than it held at first. */
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

  it('keeps the refresh token at least, so that the next start finds the session', async () => {
    const storage = tight()
    const { auth, clock, refresh, last, told } = rig({ storage })
    await clock.advance(0)
    const renewed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(long(2))
    await renewed
    expect(storage.read()).toMatchObject({ rotation: 1, accessToken: null, refreshToken: `${SECRET}-rt-2` })
    expect(told().filter((type) => type === 'storageFailed')).toHaveLength(1)
    expect(last('storageFailed')).toMatchObject({ reason: 'QuotaExceededError' })
    auth.dispose()
    const next = rig({ storage, clock, signedOut: true })
    await clock.advance(0)
    expect(next.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
  })

  it('signs no sibling out', async () => {
    const storage = tight()
    const { auth, clock, refresh } = rig({ storage })
    const sibling = fakeCoordinator()
    const other = rig({ storage, clock, signedOut: true, coordinator: sibling.coordinator })
    await clock.advance(0)
    const renewed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(long(2))
    await renewed
    sibling.hear({ type: 'changed' })
    await clock.advance(0)
    expect(other.auth.state).toBe('authenticated')
    expect(await other.auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })
})
