import { describe, expect, it, vi } from 'vitest'
import type { Coordinator, SessionRecord } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import {
  createHarness,
  fakeCoordinator,
  type HarnessOptions,
  hang,
  LIFETIME,
  refused,
  SECRET,
  tokens,
  watch,
} from './auth-setup.ts'

function together(options: HarnessOptions = {}) {
  const otherTabs = fakeCoordinator()
  const storage = memoryStorage()
  const made = createHarness({ storage, coordinator: otherTabs.coordinator, ...options })
  return { ...made, otherTabs, storage, record: () => storage.read() as SessionRecord }
}

describe('the refresh lock', () => {
  it('is held during the refresh and the write of its result, and at no other time', async () => {
    const { auth, refresh, clock, otherTabs, record } = together()
    await clock.advance(0)
    expect(otherTabs.locked).toEqual([])
    const session = auth.refresh()
    await clock.advance(0)
    expect(otherTabs.locked).toEqual(['enter refresh'])
    refresh.call().resolve(tokens(2))
    await session
    await clock.advance(0)
    expect(record().accessToken).toBe(`${SECRET}-at-2`)
    expect(otherTabs.locked).toEqual(['enter refresh', 'leave refresh'])
    await auth.signOut()
    expect(otherTabs.locked).toHaveLength(2)
  })

  it('is kept until the result is written, and so do calls wait', async () => {
    let written = () => {}
    const kept = memoryStorage()
    let slow = false
    const storage = {
      ...kept,
      write: (record: SessionRecord) =>
        slow ? new Promise<void>((resolve) => (written = resolve)) : kept.write(record),
    }
    const { auth, refresh, clock, otherTabs } = together({ storage })
    await clock.advance(0)
    slow = true
    const session = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('pending')
    expect(otherTabs.locked).toEqual(['enter refresh'])
    written()
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(otherTabs.locked).toEqual(['enter refresh', 'leave refresh'])
  })

  it('is requested with the signal of the session and with timeouts.lock', async () => {
    const seen: unknown[] = []
    const { auth, clock, otherTabs } = together({ timeouts: { lock: 1_234 } })
    otherTabs.exclusive = (name, task, options) => {
      seen.push(name, options.timeout, options.signal.aborted)
      return task()
    }
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(seen).toEqual(['refresh', 1_234, false])
  })

  it.each([
    ['never grants the lock', hang, 22_000],
    ['rejects', async () => Promise.reject(new Error('no lock')), 0],
    [
      'throws',
      () => {
        throw new Error('no lock')
      },
      0,
    ],
    ['resolves without running the task', async () => undefined as never, 0],
  ])('does not prevent the refresh if the coordinator %s', async (_, exclusive, wait) => {
    const { auth, refresh, clock, otherTabs } = together()
    await clock.advance(0)
    otherTabs.exclusive = exclusive
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

  it('starts no second refresh if it is granted after timeouts.lock', async () => {
    const { auth, refresh, clock, otherTabs } = together()
    await clock.advance(0)
    let come = () => {}
    otherTabs.exclusive = (_, task) => new Promise((resolve) => (come = () => void task().then(resolve)))
    const session = watch(auth.refresh())
    await clock.advance(22_000)
    expect(refresh.calls).toHaveLength(1)
    come()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(refresh.calls).toHaveLength(1)
  })

  it('does not fail the refresh if it fails afterwards', async () => {
    const { auth, refresh, clock, otherTabs } = together()
    otherTabs.exclusive = async (_, task) => {
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

  it('may be held for longer than timeouts.lock, which limits only the wait for it', async () => {
    const { auth, refresh, clock } = together({ timeouts: { lock: 1_000 } })
    const session = watch(auth.refresh())
    await clock.advance(5_000)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
  })
})

describe('a refresh inside the lock', () => {
  it('uses the tokens that another tab has stored meanwhile, without calling refresh', async () => {
    const { auth, refresh, clock, otherTabs, storage, record, emitted } = together()
    await clock.advance(0)
    otherTabs.exclusive = async (_, task) => {
      storage.write({
        ...record(),
        rotation: 1,
        accessToken: `${SECRET}-at-other-tab`,
        expiresAt: clock.now() + LIFETIME,
      })
      return task()
    }
    const session = watch(auth.refresh())
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    expect(session).toMatchObject({ state: 'fulfilled', value: { generation: 2 } })
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-other-tab`)
    expect(emitted()).toEqual(['refreshed'])
  })

  it('refreshes the record that another tab has stored if its access token has expired', async () => {
    const { auth, refresh, clock, storage, record } = together({ refreshOn: 'demand' })
    await clock.advance(0)
    const refreshedThere = { accessToken: `${SECRET}-at-2`, refreshToken: `${SECRET}-rt-2`, rotation: 1 }
    storage.write({ ...record(), ...refreshedThere })
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

  it('ignores an older record in the store', async () => {
    const { auth, refresh, clock, storage, record } = together()
    await clock.advance(0)
    storage.write({ ...record(), id: 'older', startedAt: record().startedAt - 1 })
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-1`)
  })
})

describe('messages between tabs', () => {
  it('announce each change with its epoch and generation, and contain no token', async () => {
    const { auth, refresh, clock, otherTabs } = together()
    const session = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await session
    await clock.advance(0)
    await auth.signOut()
    expect(otherTabs.announced).toEqual([
      { type: 'changed', epoch: 1, generation: 1 },
      { type: 'changed', epoch: 1, generation: 2 },
      {
        type: 'ended',
        epoch: 2,
        generation: 2,
        reason: 'signed_out',
        session: expect.any(String),
        rotation: 1,
        startedAt: expect.any(Number),
      },
    ])
    expect(JSON.stringify(otherTabs.announced)).not.toContain(SECRET)
  })

  it('announce the end of a session that has expired', async () => {
    const { clock, refresh, otherTabs } = together({ initialTokens: tokens(1, { expires_in: 0 }) })
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(otherTabs.announced.at(-1)).toMatchObject({ type: 'ended', reason: 'invalid_grant', rotation: 0 })
  })

  it('bring the tokens of another tab to this tab', async () => {
    const { auth, clock, otherTabs, storage, record, emitted } = together()
    await clock.advance(0)
    storage.write({ ...record(), rotation: 5, accessToken: `${SECRET}-at-other-tab` })
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-other-tab`)
    expect(auth.session).toMatchObject({ epoch: 1, generation: 2 })
    expect(emitted()).toEqual(['refreshed'])
  })

  it('end the refresh of this tab if another tab has refreshed', async () => {
    const { auth, clock, refresh, otherTabs, storage, record } = together()
    const session = watch(auth.refresh())
    await clock.advance(0)
    storage.write({ ...record(), rotation: 1, accessToken: `${SECRET}-at-other-tab` })
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-other-tab`)
    expect(auth.history.at(-1)).toMatchObject({ type: 'discarded', reason: 'superseded' })
  })

  it('bring the sign-in of another tab to this tab, as a new epoch', async () => {
    const { auth, clock, otherTabs, storage, record, emitted } = together()
    await clock.advance(0)
    storage.write({
      ...record(),
      id: 'another',
      startedAt: clock.now() + 1,
      accessToken: `${SECRET}-at-bob`,
      subject: 'bob',
    })
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(auth.session).toMatchObject({ subject: 'bob', epoch: 2 })
    expect(emitted()).toEqual(['signedIn'])
  })

  it('sign this tab in if another tab has signed in', async () => {
    const { auth, clock, otherTabs, storage } = together({ signedOut: true })
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
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(auth.session).toBeDefined()
  })

  it('sign this tab out if another tab has signed out', async () => {
    const { auth, otherTabs, events } = together()
    const held = watch(auth.refresh())
    otherTabs.receive({ type: 'ended' })
    await Promise.resolve()
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'signedOut', reason: 'signed_out_elsewhere', epoch: 2 }),
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(held.error).toMatchObject({ code: 'signed_out' })
  })

  it('leave the store alone if another tab has signed out', async () => {
    const { clock, otherTabs, storage, record } = together()
    await clock.advance(0)
    const theirs = { ...record(), id: 'new one', startedAt: clock.now() + 5 }
    storage.write(theirs)
    otherTabs.receive({ type: 'ended' })
    await clock.advance(0)
    expect(record()).toEqual(theirs)
    expect(otherTabs.announced.filter(({ type }) => type === 'ended')).toEqual([])
  })

  it('change nothing about a sign-out in another tab if this tab is signed out', () => {
    const { auth, otherTabs } = together({ signedOut: true })
    otherTabs.receive({ type: 'ended' })
    expect(auth.state).toBe('restoring')
  })

  const boom = new Error('channel closed')
  const throws = () => {
    throw boom
  }
  const rejects = async () => throws()

  it.each<[string, Partial<Coordinator>]>([
    ['announce() throws', { announce: throws }],
    ['announce() rejects', { announce: rejects as never }],
    ['subscribe() throws', { subscribe: throws }],
    ['subscribe() rejects', { subscribe: rejects as never }],
  ])('do no harm if %s, and the error is reported', async (_, broken) => {
    const { coordinator } = fakeCoordinator()
    const { auth, refresh, clock, reported } = createHarness({ coordinator: { ...coordinator, ...broken } })
    const session = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(new Set(reported)).toEqual(new Set([boom]))
    auth.dispose()
    // An unhandled rejection is reported in a later turn, and fails the run.
    await new Promise(setImmediate)
  })

  it.each<[string, () => void, unknown[]]>([
    ['returns', () => {}, []],
    ['throws', throws, [boom]],
  ])('end with dispose() if subscribe() answers later with a function that %s', async (_, stop, errors) => {
    const stopped = vi.fn(stop)
    const { coordinator } = fakeCoordinator()
    const subscribe = (async () => stopped) as never
    const { auth, reported } = createHarness({ coordinator: { ...coordinator, subscribe } })
    auth.dispose()
    await new Promise(setImmediate)
    expect(stopped).toHaveBeenCalledTimes(1)
    expect(reported).toEqual(errors)
  })
})
