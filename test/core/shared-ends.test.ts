import { describe, expect, it } from 'vitest'
import type { Coordinator, CoordinatorMessage, SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { readPeerMessage } from '../../src/core/session/peer-message.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import fc from '../support/property.ts'
import {
  createHarness,
  fakeCoordinator,
  type Harness,
  type HarnessOptions,
  LIFETIME,
  refused,
  tokens,
  watch,
} from './auth-setup.ts'

const ADA = { subject: 'ada' }

/** Tabs of one browser. Messages and changes of the store take their time, in milliseconds. */
function browser({ messages = 5, changes = 5 } = {}) {
  const clock = createVirtualClock()
  const stores = new Set<() => void>()
  const channels = new Set<(message: CoordinatorMessage) => void>()
  const sent: CoordinatorMessage[] = []
  let stored: SessionRecord | undefined
  let lock: Promise<unknown> = Promise.resolve()

  const deliver = <T>(listeners: Set<T>, own: T | undefined, delay: number, call: (listener: T) => void) => {
    for (const listener of listeners)
      if (listener !== own) clock.setTimeout(() => listeners.has(listener) && call(listener), delay)
  }

  const storageOfTab = (): SessionStorage => {
    let own: (() => void) | undefined
    const change = (record: SessionRecord | undefined) => {
      stored = record
      deliver(stores, own, changes, (onChange) => onChange())
    }
    return {
      read: () => stored,
      write: change,
      clear: () => change(undefined),
      subscribe(onChange) {
        own = onChange
        stores.add(onChange)
        return () => stores.delete(onChange)
      },
    }
  }

  const coordinatorOfTab = (): Coordinator => {
    let own: ((message: CoordinatorMessage) => void) | undefined
    return {
      exclusive(_name, task) {
        const turn = lock.then(() => task())
        lock = turn.catch(() => {})
        return turn
      },
      announce(message) {
        sent.push(message)
        deliver(channels, own, messages, (listener) => listener(message))
      },
      subscribe(listener) {
        own = listener
        channels.add(listener)
        return () => channels.delete(listener)
      },
    }
  }

  return {
    clock,
    sent,
    get stored() {
      return stored
    },
    storageOfTab,
    coordinatorOfTab,
    open(options: HarnessOptions = {}) {
      return createHarness({
        clock,
        coordinator: coordinatorOfTab(),
        storage: storageOfTab(),
        whenExpired: 'hold',
        signedOut: true,
        ...options,
      })
    },
  }
}

type Browser = ReturnType<typeof browser>

/** How tabs share a session: with a store in each way to persist, or by a cookie, with a record in a store or without. */
const WAYS: readonly (readonly [way: string, options: HarnessOptions, cookie: boolean])[] = [
  ["persist: 'all'", {}, false],
  ["persist: 'refresh-token'", { persist: 'refresh-token' }, false],
  ["persist: 'none'", { persist: 'none' }, false],
  ['a cookie', { storage: undefined, silentSignIn: true }, true],
  ['a cookie and a record', { persist: 'refresh-token', silentSignIn: true }, true],
]

/** Answers all calls of `refresh` that wait, also those that follow. */
async function answer(
  tabs: readonly Harness[],
  clock: Browser['clock'],
  reply: (tab: Harness) => object | undefined,
) {
  for (let round = 0; round < 6; round++) {
    await clock.advance(0)
    for (const tab of tabs)
      for (const call of tab.refresh.calls.splice(0)) {
        const tokens = reply(tab)
        if (tokens) call.resolve(tokens)
        else call.reject(refused())
      }
  }
}

async function signedIn(made: Browser, options: HarnessOptions, cookie: boolean, count = 3) {
  let n = 1
  const next = () => tokens(++n, { ...ADA, ...(cookie && { refresh_token: null }) })
  const own = options.persist === 'none' && !cookie
  const tabs = Array.from({ length: count }, (_, index) =>
    made.open({ ...options, ...((index === 0 || own) && { initialTokens: next() }) }),
  )
  await answer(tabs, made.clock, next)
  await made.clock.advance(20)
  await answer(tabs, made.clock, next)
  expect(tabs.map(({ auth }) => auth.state)).toEqual(Array(count).fill('authenticated'))
  return { tabs, next }
}

const ends = ({ events }: Harness) =>
  events
    .filter(({ type }) => type === 'expired' || type === 'signedOut')
    .map(({ type, reason }) => `${type}: ${reason}`)

describe.each([
  ['messages before changes of the store', { messages: 5, changes: 50 }],
  ['changes of the store before messages', { messages: 50, changes: 5 }],
])('tabs that receive %s', (_, delays) => {
  describe.each(WAYS)('and share a session by %s', (_, options, cookie) => {
    it.each([
      ['in one tab', 1],
      ['in all tabs at once', 3],
    ])('are all expired with the same reason when the refresh token is refused %s', async (_, asking) => {
      const made = browser(delays)
      const { tabs, next } = await signedIn(made, options, cookie)
      made.clock.jump(LIFETIME)
      const held = tabs.slice(0, asking).map(({ auth }) => watch(auth.getAccessToken()))
      await answer(tabs, made.clock, () => undefined)
      await made.clock.advance(1_000)
      await answer(tabs, made.clock, () => undefined)
      expect(tabs.map(({ auth }) => auth.state)).toEqual(Array(3).fill('expired'))
      expect(tabs.map(ends)).toEqual(Array(3).fill(['expired: invalid_grant']))
      expect(held.map(({ state }) => state)).toEqual(Array(asking).fill('pending'))

      const waiting = tabs.map(({ auth }) => watch(auth.getAccessToken()))
      void tabs[2]!.auth.signIn('ada')
      await made.clock.advance(0)
      tabs[2]!.signIn.call().resolve(next())
      await made.clock.advance(100)
      await answer(tabs, made.clock, next)
      await made.clock.advance(100)
      await answer(tabs, made.clock, next)
      const shares = cookie || options.persist !== 'none' ? [0, 1, 2] : [2]
      for (const index of shares) {
        expect(tabs[index]!.auth.state).toBe('authenticated')
        expect(waiting[index]!.state).toBe('fulfilled')
        expect(held[index]?.state ?? 'fulfilled').toBe('fulfilled')
      }
    })

    it('are all signed out by a sign-out in one tab, also if all have expired', async () => {
      const made = browser(delays)
      const { tabs } = await signedIn(made, options, cookie)
      await tabs[1]!.auth.signOut()
      await made.clock.advance(1_000)
      expect(tabs.map(({ auth }) => auth.state)).toEqual(Array(3).fill('loggedOut'))
      expect(tabs.map(ends)).toEqual([
        ['signedOut: signed_out_elsewhere'],
        ['signedOut: signed_out'],
        ['signedOut: signed_out_elsewhere'],
      ])

      const other = browser(delays)
      const expired = await signedIn(other, options, cookie)
      other.clock.jump(LIFETIME)
      const held = expired.tabs.map(({ auth }) => watch(auth.getAccessToken()))
      await answer(expired.tabs, other.clock, () => undefined)
      await other.clock.advance(1_000)
      await expired.tabs[1]!.auth.signOut()
      await other.clock.advance(1_000)
      expect(expired.tabs.map(({ auth }) => auth.state)).toEqual(Array(3).fill('loggedOut'))
      for (const { error } of held) expect(error).toMatchObject({ code: 'signed_out' })
    })
  })
})

describe('a tab with a cookie and without a store', () => {
  const COOKIE = { storage: undefined, silentSignIn: true } as const

  it('goes on with the session of a user that signs in in another tab, and is not revived by a late refresh', async () => {
    const made = browser()
    const { tabs, next } = await signedIn(made, COOKIE, true, 2)
    const [first, second] = tabs as [Harness, Harness]
    await first.auth.setTokens(next())
    await made.clock.advance(20)
    await answer(tabs, made.clock, next)
    await first.auth.signOut()
    await made.clock.advance(20)
    expect(second.auth.state).toBe('loggedOut')
    const late = made.coordinatorOfTab()
    for (const message of made.sent.filter(({ type }) => type === 'changed')) late.announce(message)
    await made.clock.advance(20)
    await answer(tabs, made.clock, next)
    expect(second.auth.state).toBe('loggedOut')
    void first.auth.signIn('bob')
    await made.clock.advance(0)
    first.signIn.call().resolve(tokens(9, { subject: 'bob', refresh_token: null }))
    await made.clock.advance(20)
    expect(second.auth.state).toBe('refreshing')
    await answer(tabs, made.clock, () => tokens(10, { subject: 'bob', refresh_token: null }))
    expect(second.auth.session?.subject).toBe('bob')
  })

  it('sends nothing of one user for another that signs in in another tab', async () => {
    const made = browser()
    const { tabs } = await signedIn(made, COOKIE, true, 2)
    const [first, second] = tabs as [Harness, Harness]
    made.clock.jump(LIFETIME)
    const held = watch(second.auth.getAccessToken())
    await answer(tabs, made.clock, () => undefined)
    await made.clock.advance(20)
    void first.auth.signIn('bob')
    await made.clock.advance(0)
    first.signIn.call().resolve(tokens(9, { subject: 'bob', refresh_token: null }))
    await made.clock.advance(20)
    await answer(tabs, made.clock, () => tokens(10, { subject: 'bob', refresh_token: null }))
    expect(held.error).toMatchObject({ reason: 'user_changed' })
  })
})

describe('the message that a session ended', () => {
  const received = async (message: object, more: HarnessOptions = {}) => {
    const made = browser()
    const bus = fakeCoordinator()
    const tab = made.open({ initialTokens: tokens(1, ADA), coordinator: bus.coordinator, ...more })
    await made.clock.advance(0)
    const refreshed = tab.auth.refresh()
    await made.clock.advance(0)
    tab.refresh.call().resolve(tokens(2, ADA))
    await refreshed
    bus.receive({ type: 'ended', session: made.stored?.id, ...message } as CoordinatorMessage)
    await made.clock.advance(1_000)
    return { ...tab, made }
  }

  it.each<[string, object, string[]]>([
    ['of the same tokens', { reason: 'idle', rotation: 1 }, ['expired: idle']],
    ['of newer tokens', { reason: 'idle', rotation: 2 }, ['expired: idle']],
    ['of older tokens', { reason: 'invalid_grant', rotation: 0 }, []],
    ['of an earlier session', { reason: 'invalid_grant', session: 'other', startedAt: 1 }, []],
    ['of a later session in another store', { reason: 'lifetime', session: 'other', startedAt: 9e15 }, []],
    [
      'by a sign-out with older tokens',
      { reason: 'signed_out', rotation: 0 },
      ['signedOut: signed_out_elsewhere'],
    ],
    ['by a sign-out of an earlier session', { reason: 'signed_out', session: 'other', startedAt: 1 }, []],
    [
      'by a sign-out of a later session in another store',
      { reason: 'signed_out', session: 'other', startedAt: 9e15 },
      [],
    ],
    ['in a tab with 0.1, which gives no reason', {}, ['signedOut: signed_out_elsewhere']],
    ['in a tab with 0.1, of another session', { session: 'other' }, []],
    ['for a reason that is no text', { reason: 7, rotation: 1 }, ['expired: token_expired']],
    ['for a reason that is not a word', { reason: '<b>"x"</b>', rotation: 1 }, ['expired: token_expired']],
  ])('%s ends what it should', async (_, message, expected) => {
    const tab = await received(message)
    expect(ends(tab)).toEqual(expected)
    expect(tab.auth.state).toBe(
      expected.length === 0 ? 'authenticated' : expected[0]!.startsWith('expired') ? 'expired' : 'loggedOut',
    )
  })

  it.each([
    ['lifetime', 'expired: lifetime'],
    ['signed_out', 'signedOut: signed_out_elsewhere'],
  ])('of a later session (%s) ends the one that it has replaced in the store', async (reason, expected) => {
    const made = browser()
    const bus = fakeCoordinator()
    const tab = made.open({ initialTokens: tokens(1, ADA), coordinator: bus.coordinator })
    await made.clock.advance(0)
    // This tab misses the sign-in, and the end of that session.
    made.storageOfTab().clear()
    bus.receive({ type: 'ended', reason, session: 'other', startedAt: 9e15 })
    await made.clock.advance(1_000)
    expect(ends(tab)).toEqual([expected])
  })

  /** A tab with a session, and the record of a later one, whose sign-in it misses. */
  async function tabAndLater() {
    const made = browser()
    const bus = fakeCoordinator()
    const tab = made.open({ initialTokens: tokens(1, ADA), coordinator: bus.coordinator })
    await made.clock.advance(10)
    const record = made.stored as SessionRecord
    const later: SessionRecord = { ...record, id: 'other', startedAt: made.clock.now() }
    return { made, bus, tab, later }
  }

  it('ends a session that it has replaced, although its record is still being removed', async () => {
    const { made, bus, tab, later } = await tabAndLater()
    // This tab misses the sign-in. The other one announces the sign-out first, and its store takes a second to remove the record.
    const store = made.storageOfTab()
    await store.write(later)
    bus.receive({ type: 'ended', reason: 'signed_out', session: later.id, startedAt: later.startedAt })
    made.clock.setTimeout(() => void store.clear(), 1_000)
    await made.clock.advance(500)
    expect(ends(tab)).toEqual(['signedOut: signed_out_elsewhere'])
    await made.clock.advance(1_500)
    expect(ends(tab)).toHaveLength(1)
    expect(made.stored).toBeUndefined()
  })

  it('ends a session that has expired if another tab signs in and out again, and keeps its late record out', async () => {
    const { made, bus, tab, later } = await tabAndLater()
    made.clock.jump(LIFETIME)
    const held = watch(tab.auth.getAccessToken())
    await answer([tab], made.clock, () => undefined)
    expect(tab.auth.state).toBe('expired')

    bus.receive({ type: 'ended', reason: 'signed_out', session: later.id, startedAt: later.startedAt })
    await made.clock.advance(0)
    expect(tab.auth.state).toBe('loggedOut')
    expect(held.error).toMatchObject({ code: 'signed_out' })
    await made.storageOfTab().write(later)
    await made.clock.advance(1_000)
    expect(tab.auth.state).toBe('loggedOut')
    expect(made.stored).toBeUndefined()
  })

  it('ends a session in a tab without a store', async () => {
    const made = browser()
    const bus = fakeCoordinator()
    const tab = made.open({
      initialTokens: tokens(1, ADA),
      coordinator: bus.coordinator,
      storage: undefined,
    })
    await made.clock.advance(0)
    bus.receive({ type: 'ended', reason: 'signed_out', session: 'other', startedAt: 9e15 })
    await made.clock.advance(1_000)
    expect(ends(tab)).toEqual(['signedOut: signed_out_elsewhere'])
  })

  it('leaves newer tokens in the store that an older copy of the session expires beside', async () => {
    const made = browser()
    const tab = made.open({ initialTokens: tokens(1, { ...ADA, expires_in: 0 }) })
    await made.clock.advance(0)
    const newer = { ...made.stored!, rotation: 1 }
    const other = made.storageOfTab()
    tab.refresh.call().reject(refused())
    // The store is written between the second look and the end.
    tab.auth.on('expired', () => void other.write(newer))
    await made.clock.advance(0)
    expect(made.stored).toEqual(newer)
  })

  it('during a sign-in leaves the sign-in alone; if that fails, the session is expired', async () => {
    const made = browser()
    const bus = fakeCoordinator()
    const tab = made.open({ initialTokens: tokens(1, ADA), coordinator: bus.coordinator })
    await made.clock.advance(0)
    const signedIn = watch(tab.auth.signIn('ada'))
    await made.clock.advance(0)
    bus.receive({ type: 'ended', session: made.stored!.id, rotation: 0, reason: 'invalid_grant' })
    await made.clock.advance(0)
    expect(tab.auth.state).toBe('authenticating')
    tab.signIn.call().reject(new Error('wrong password'))
    await made.clock.advance(0)
    expect(signedIn.state).toBe('rejected')
    expect(tab.auth.state).toBe('expired')
    expect(tab.auth.actor.getSnapshot().context.reason).toBe('invalid_grant')
  })
})

describe('a record that is missing', () => {
  it('because another tab removes and writes it in one task ends nothing', async () => {
    const made = browser()
    const tab = made.open({ initialTokens: tokens(1, ADA) })
    await made.clock.advance(0)
    const record = made.stored!
    const other = made.storageOfTab()
    void other.clear()
    await made.clock.advance(5)
    void other.write(record)
    await made.clock.advance(1_000)
    expect(tab.auth.state).toBe('authenticated')
  })

  it('during the write of a refresh is written again if another tab writes it, too', async () => {
    const made = browser()
    const tab = made.open({ initialTokens: tokens(1, ADA) })
    await made.clock.advance(0)
    const record = made.stored!
    const other = made.storageOfTab()
    void tab.auth.refresh()
    await made.clock.advance(0)
    void other.clear()
    tab.refresh.call().resolve(tokens(2, ADA))
    await made.clock.advance(100)
    void other.write(record)
    await made.clock.advance(1_000)
    expect(tab.auth.state).toBe('authenticated')
    expect(made.stored).toMatchObject({ rotation: 1 })
  })

  it('because of an expiry that was announced while this tab read the record is that expiry', async () => {
    const made = browser()
    const bus = fakeCoordinator()
    const storage = made.storageOfTab()
    let isSlow = false
    const slow = { ...storage, read: () => (isSlow ? readLater(made.stored) : made.stored) }
    let release = () => {}
    const readLater = (found: unknown) => new Promise((resolve) => (release = () => resolve(found)))
    const tab = made.open({
      initialTokens: tokens(1, { ...ADA, expires_in: 0 }),
      storage: slow,
      coordinator: bus.coordinator,
    })
    await made.clock.advance(0)
    const record = made.stored!
    tab.refresh.call().reject(refused())
    await made.clock.advance(0)
    expect(tab.auth.state).toBe('expired')
    // Another tab has refreshed the session, and expires in turn, while this tab reads its record.
    storage.write({ ...record, rotation: 1 })
    isSlow = true
    bus.receive({ type: 'changed' })
    await made.clock.advance(0)
    const { id: session, startedAt } = record
    bus.receive({ type: 'ended', reason: 'invalid_grant', session, rotation: 1, startedAt })
    storage.clear()
    release()
    isSlow = false
    await made.clock.advance(1_000)
    expect(tab.auth.state).toBe('expired')
    expect(ends(tab)).toEqual(['expired: invalid_grant', 'expired: invalid_grant'])
  })

  it('in a store that reports no changes, which this tab has only written, waits for the message about the end', async () => {
    const made = browser({ messages: 100 })
    const open = (options: HarnessOptions = {}) => {
      const { subscribe: _, ...storage } = made.storageOfTab()
      return made.open({ storage, ...options })
    }
    const [tab, other] = [open({ initialTokens: tokens(1, ADA) }), open()]
    await made.clock.advance(0)
    expect(other.auth.state).toBe('authenticated')
    void other.auth.signOut()
    const refreshed = watch(tab.auth.refresh())
    await made.clock.advance(1_000)
    expect(tab.refresh.calls).toEqual([])
    expect(refreshed.state).toBe('rejected')
    expect(ends(tab)).toEqual(['signedOut: signed_out_elsewhere'])
  })

  it('from a store that keeps nothing ends no session', async () => {
    const storage = { read: () => undefined, write() {}, clear() {} }
    const { auth, clock, refresh } = createHarness({ storage })
    await clock.advance(0)
    void auth.refresh()
    await clock.advance(250)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
  })

  it('without a message means a sign-out, and changes nothing in a tab that has expired', async () => {
    const made = browser()
    const [tab, other] = [made.open({ initialTokens: tokens(1, ADA) }), made.storageOfTab()]
    await made.clock.advance(0)
    void other.clear()
    await made.clock.advance(1_000)
    expect(ends(tab)).toEqual(['signedOut: signed_out_elsewhere'])

    const expired = made.open({ initialTokens: tokens(1, { ...ADA, expires_in: 0 }) })
    await made.clock.advance(0)
    expired.refresh.call().reject(refused())
    await made.clock.advance(0)
    void other.clear()
    await made.clock.advance(1_000)
    expect(expired.auth.state).toBe('expired')
  })
})

describe('a message of another tab', () => {
  it.each([['x'.repeat(101)], ['x'.repeat(1_000_000)], [5], [null], [{ toString: () => 'id' }]])(
    'ends nothing if the session it names cannot be one',
    async (session) => {
      const otherTabs = fakeCoordinator()
      const { auth, clock } = createHarness({ coordinator: otherTabs.coordinator, storage: memoryStorage() })
      await clock.advance(0)
      for (const reason of ['signed_out', 'idle', undefined])
        otherTabs.receive({ type: 'ended', reason, session } as never)
      await clock.advance(10_000)
      expect(auth.state).toBe('authenticated')
    },
  )

  it('is reduced to known fields within bounds, whatever it is', () => {
    const fields = fc.record(
      {
        type: fc.oneof(fc.constantFrom('changed', 'ended'), fc.anything()),
        epoch: fc.oneof(fc.nat(), fc.anything()),
        generation: fc.oneof(fc.nat(), fc.anything()),
        reason: fc.oneof(fc.constantFrom('signed_out', 'idle'), fc.string(), fc.anything()),
        session: fc.oneof(fc.string({ maxLength: 300 }), fc.anything()),
        rotation: fc.anything(),
        startedAt: fc.anything(),
        spares: fc.anything(),
        accessToken: fc.string(),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fields, fc.anything()), (value) => {
        const message = readPeerMessage(value)
        if (!message) return
        const {
          type,
          epoch,
          generation,
          reason = 'idle',
          session = '',
          rotation = 0,
          startedAt = 0,
          spares,
        } = message
        expect([undefined, true]).toContain(spares)
        expect(['changed', 'ended']).toContain(type)
        for (const number of [epoch, generation, rotation, startedAt])
          expect(number).toSatisfy(Number.isFinite)
        expect(reason).toMatch(/^[a-z_]{1,40}$/)
        expect(session.length).toBeLessThanOrEqual(100)
        expect(message).not.toHaveProperty('accessToken')
        expect(readPeerMessage(message)).toEqual(message)
      }),
    )
  })
})
