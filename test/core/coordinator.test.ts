import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
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

const hang = () => new Promise<never>(() => {})

function together(options: RigOptions = {}) {
  const siblings = fakeCoordinator()
  const storage = memoryStorage()
  const made = rig({ storage, coordinator: siblings.coordinator, ...options })
  return { ...made, siblings, storage, record: () => storage.read() as SessionRecord }
}

describe('the lock', () => {
  it('is held around the exchange and the writing of its result, and around nothing else', async () => {
    const { auth, refresh, clock, siblings, record } = together()
    await clock.advance(0)
    expect(siblings.locked).toEqual([])
    const session = auth.refresh()
    await clock.advance(0)
    expect(siblings.locked).toEqual(['enter refresh'])
    refresh.call().resolve(tokens(2))
    await session
    await clock.advance(0)
    expect(record().accessToken).toBe(`${SECRET}-at-2`)
    expect(siblings.locked).toEqual(['enter refresh', 'leave refresh'])
    await auth.signOut()
    expect(siblings.locked).toHaveLength(2)
  })

  it('is kept while the result is being written, though who waits goes on before', async () => {
    let written = () => {}
    const kept = memoryStorage()
    let slow = false
    const storage = {
      ...kept,
      write: (record: SessionRecord) =>
        slow ? new Promise<void>((resolve) => (written = resolve)) : kept.write(record),
    }
    const { auth, refresh, clock, siblings } = together({ storage })
    await clock.advance(0)
    slow = true
    const session = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(siblings.locked).toEqual(['enter refresh'])
    written()
    await clock.advance(0)
    expect(siblings.locked).toEqual(['enter refresh', 'leave refresh'])
  })

  it('is given the signal of the session and the time it may take', async () => {
    const seen: unknown[] = []
    const { auth, clock, siblings } = together({ timeouts: { lock: 1_234 } })
    siblings.exclusive = (name, task, options) => {
      seen.push(name, options.timeout, options.signal.aborted)
      return task()
    }
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(seen).toEqual(['refresh', 1_234, false])
  })

  it.each([
    ['never comes', hang, 12_000],
    ['cannot be had', async () => Promise.reject(new Error('no lock')), 0],
    [
      'throws',
      () => {
        throw new Error('no lock')
      },
      0,
    ],
    ['comes to nothing', async () => undefined as never, 0],
  ])('that %s does not keep the exchange from going on', async (_, exclusive, wait) => {
    const { auth, refresh, clock, siblings } = together()
    await clock.advance(0)
    siblings.exclusive = exclusive
    const session = watch(auth.refresh())
    if (wait > 0) {
      await clock.advance(wait - 1)
      expect(refresh.calls).toHaveLength(0)
    }
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
  })

  it('that comes after its time starts no second exchange', async () => {
    const { auth, refresh, clock, siblings } = together()
    await clock.advance(0)
    let come = () => {}
    siblings.exclusive = (_, task) => new Promise((resolve) => (come = () => void task().then(resolve)))
    const session = watch(auth.refresh())
    await clock.advance(12_000)
    expect(refresh.calls).toHaveLength(1)
    come()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(refresh.calls).toHaveLength(1)
  })

  it('that fails after the exchange does not fail the exchange', async () => {
    const { auth, refresh, clock, siblings } = together()
    siblings.exclusive = async (_, task) => {
      await task()
      throw new Error('lost')
    }
    const session = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(auth.state).toBe('authenticated')
  })

  it('may last as long as the exchange: its time is for the wait alone', async () => {
    const { auth, refresh, clock } = together({ timeouts: { lock: 1_000 } })
    const session = watch(auth.refresh())
    await clock.advance(5_000)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
  })
})

describe('inside the lock', () => {
  it('what a sibling stored meanwhile is adopted, without a call', async () => {
    const { auth, refresh, clock, siblings, storage, record, told } = together()
    await clock.advance(0)
    siblings.exclusive = async (_, task) => {
      storage.write({
        ...record(),
        rotation: 1,
        accessToken: `${SECRET}-at-sibling`,
        expiresAt: clock.now() + LIFETIME,
      })
      return task()
    }
    const session = watch(auth.refresh())
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    expect(session).toMatchObject({ state: 'fulfilled', value: { generation: 2 } })
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-sibling`)
    expect(told()).toEqual(['refreshed'])
  })

  it('what a sibling stored is adopted and renewed, where its access token has died since', async () => {
    const { auth, refresh, clock, storage, record } = together({ renew: 'demand' })
    await clock.advance(0)
    const renewedThere = { accessToken: `${SECRET}-at-2`, refreshToken: `${SECRET}-rt-2`, rotation: 1 }
    storage.write({ ...record(), ...renewedThere })
    await clock.advance(LIFETIME)
    const asked = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(asked.state).toBe('pending')
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-2`)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(asked.value).toBe(`${SECRET}-at-3`)
    expect(refresh.calls).toHaveLength(1)
  })

  it('an older record is left alone', async () => {
    const { auth, refresh, clock, storage, record } = together()
    await clock.advance(0)
    storage.write({ ...record(), id: 'older', startedAt: record().startedAt - 1 })
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-1`)
  })
})

describe('what siblings tell each other', () => {
  it('names what happened by epoch and generation, and holds no token', async () => {
    const { auth, refresh, clock, siblings } = together()
    const session = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await session
    await clock.advance(0)
    await auth.signOut()
    expect(siblings.announced).toEqual([
      { type: 'changed', epoch: 1, generation: 1 },
      { type: 'changed', epoch: 1, generation: 2 },
      { type: 'ended', epoch: 2, generation: 2, session: expect.any(String) },
    ])
    expect(JSON.stringify(siblings.announced)).not.toContain(SECRET)
  })

  it('makes a session that ended by itself end everywhere', async () => {
    const { clock, refresh, siblings } = together({ initialTokens: tokens(1, { expires_in: 0 }) })
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(siblings.announced.at(-1)).toMatchObject({ type: 'ended' })
  })

  it("brings the sibling's tokens here", async () => {
    const { auth, clock, siblings, storage, record, told } = together()
    await clock.advance(0)
    storage.write({ ...record(), rotation: 5, accessToken: `${SECRET}-at-sibling` })
    siblings.hear({ type: 'changed' })
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-sibling`)
    expect(auth.session).toMatchObject({ epoch: 1, generation: 2 })
    expect(told()).toEqual(['refreshed'])
  })

  it("ends this tab's renewal when a sibling has renewed", async () => {
    const { auth, clock, refresh, siblings, storage, record } = together()
    const session = watch(auth.refresh())
    await clock.advance(0)
    storage.write({ ...record(), rotation: 1, accessToken: `${SECRET}-at-sibling` })
    siblings.hear({ type: 'changed' })
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-sibling`)
    expect(auth.history.at(-1)).toMatchObject({ type: 'discarded', reason: 'superseded' })
  })

  it('takes over the sign-in of a sibling, as another epoch', async () => {
    const { auth, clock, siblings, storage, record, told } = together()
    await clock.advance(0)
    storage.write({
      ...record(),
      id: 'another',
      startedAt: clock.now() + 1,
      accessToken: `${SECRET}-at-bob`,
      subject: 'bob',
    })
    siblings.hear({ type: 'changed' })
    await clock.advance(0)
    expect(auth.session).toMatchObject({ subject: 'bob', epoch: 2 })
    expect(told()).toEqual(['signedIn'])
  })

  it('signs in here who signed in there', async () => {
    const { auth, clock, siblings, storage } = together({ signedOut: true })
    await clock.advance(0)
    storage.write({
      version: 1,
      id: 'theirs',
      rotation: 0,
      startedAt: clock.now(),
      receivedAt: clock.now(),
      accessToken: `${SECRET}-at-theirs`,
      expiresAt: clock.now() - 1,
    })
    siblings.hear({ type: 'changed' })
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(auth.session).toBeDefined()
  })

  it('signs out here who signed out there', async () => {
    const { auth, siblings, events } = together()
    const held = watch(auth.refresh())
    siblings.hear({ type: 'ended' })
    await Promise.resolve()
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'signedOut', reason: 'signed_out_elsewhere', epoch: 2 }),
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(held.error).toMatchObject({ code: 'signed_out' })
  })

  it('leaves the store to who signed out there', async () => {
    const { clock, siblings, storage, record } = together()
    await clock.advance(0)
    const theirs = { ...record(), id: 'new one', startedAt: clock.now() + 5 }
    storage.write(theirs)
    siblings.hear({ type: 'ended' })
    await clock.advance(0)
    expect(record()).toEqual(theirs)
    expect(siblings.announced.filter(({ type }) => type === 'ended')).toEqual([])
  })

  it('changes nothing where nobody is signed in', () => {
    const { auth, siblings } = together({ signedOut: true })
    siblings.hear({ type: 'ended' })
    expect(auth.state).toBe('restoring')
  })

  it('that cannot be told is reported, and nothing else happens', async () => {
    const siblings = fakeCoordinator()
    const boom = new Error('channel closed')
    const { auth, refresh, clock, reported } = rig({
      coordinator: {
        ...siblings.coordinator,
        announce() {
          throw boom
        },
      },
    })
    const session = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(new Set(reported)).toEqual(new Set([boom]))
  })
})
