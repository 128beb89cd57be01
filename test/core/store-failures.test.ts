import { describe, expect, it } from 'vitest'
import type { PersistMode } from '../../src/core/options.ts'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { createAuth, defineStorage } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import {
  createHarness,
  fakeCoordinator,
  type Harness,
  type HarnessOptions,
  LIFETIME,
  refused,
  SECRET,
  tokens,
  watch,
} from './auth-setup.ts'

const HOUR = 3_600_000
/** Longer than any wait for a store, a lock, an answer or a request. */
const LONG = 60_000

const fail = () => {
  throw new RangeError(`cannot open ${SECRET}`)
}
const FAULTS = {
  'throws at once': fail,
  rejects: async () => fail(),
  'never settles': () => new Promise<never>(() => {}),
} as const
const OPERATIONS = ['read', 'write', 'clear', 'subscribe', 'readLastUse', 'writeLastUse'] as const
const PERSIST_MODES: readonly PersistMode[] = ['all', 'refresh-token', 'none']

type Operation = (typeof OPERATIONS)[number]
type Fault = (typeof FAULTS)[keyof typeof FAULTS]

/** Which faults were met, so that the tests show that they drive every operation. */
const met = new Set<string>()

/** A store in memory, one operation of which fails while it is broken. */
function faultyStorage(operation?: Operation, fault?: Fault) {
  const working = memoryStorage()
  const listeners = new Set<() => void>()
  /** Successful writes, and the failures that the app was notified of. */
  const log: string[] = []
  let isBroken = false
  const run = <T>(name: Operation, task: () => T) => {
    if (!isBroken || name !== operation || !fault) return task()
    met.add(name)
    return fault() as T
  }
  const storage: SessionStorage = {
    read: () => run('read', working.read),
    write: (record) =>
      run('write', () => {
        log.push('written')
        return working.write(record)
      }),
    clear: () => run('clear', working.clear),
    subscribe: (onChange) =>
      run('subscribe', () => {
        listeners.add(onChange)
        return () => void listeners.delete(onChange)
      }),
    readLastUse: () => run('readLastUse', () => working.readLastUse?.()),
    writeLastUse: (at) => run('writeLastUse', () => working.writeLastUse?.(at)),
  }
  return {
    storage,
    working,
    log,
    listeners,
    break() {
      isBroken = true
    },
  }
}

type Storage = ReturnType<typeof faultyStorage>

const storedRecord = (now: number, persist: PersistMode): SessionRecord => ({
  version: 1,
  id: 'stored',
  rotation: 3,
  startedAt: now - 1_000,
  receivedAt: now - 1_000,
  accessToken: persist === 'refresh-token' ? null : `${SECRET}-at-stored`,
  refreshToken: `${SECRET}-rt-stored`,
  expiresAt: now + LIFETIME,
})

interface Play {
  readonly store: Storage
  readonly otherTabs: ReturnType<typeof fakeCoordinator>
  /** Results of the app's calls and of its requests. */
  readonly results: ReturnType<typeof watch>[]
  readonly sent: (string | undefined)[]
  /** Answers of the token endpoint; `undefined`: new tokens. */
  rejection: unknown
  harness: Harness
}

/** What the app does. `createAuth` and what comes before it run with the store broken, unless there is a `prelude`. */
interface Moment {
  readonly options?: HarnessOptions
  /** Whether the store holds a session at the start. */
  readonly stored?: boolean
  /** Whether the session has begun before the store breaks. */
  readonly begun?: boolean
  /** Emitted events that depend on how fast the store answers. */
  readonly mayEmit?: readonly string[]
  readonly act: (play: Play) => unknown
}

const call = (play: Play, promise: Promise<unknown>) => void play.results.push(watch(promise))

const MOMENTS: Record<string, Moment> = {
  'createAuth without a session': { options: { signedOut: true }, act: () => {} },
  'createAuth with initialTokens': { act: () => {} },
  'the session is restored': { options: { signedOut: true }, stored: true, act: () => {} },
  'the user signs in': {
    options: { signedOut: true },
    begun: true,
    act: (play) => call(play, play.harness.auth.signIn('ada')),
  },
  'the token is refreshed': { begun: true, act: (play) => call(play, play.harness.auth.refresh()) },
  'the refresh token is rejected': {
    begun: true,
    act(play) {
      play.rejection = refused()
      call(play, play.harness.auth.refresh())
      play.harness.clock.jump(LIFETIME)
    },
  },
  'the session reaches its idle limit': {
    begun: true,
    // While the store is asked for uses in other tabs, a refresh may be due.
    mayEmit: ['refreshed', 'discarded'],
    act: (play) => play.harness.clock.jump(HOUR),
  },
  'the user signs out': { begun: true, act: (play) => call(play, play.harness.auth.signOut()) },
  'the app sets tokens': { begun: true, act: (play) => call(play, play.harness.auth.setTokens(tokens(9))) },
  'another tab reports a change': {
    begun: true,
    act({ otherTabs, store }) {
      otherTabs.receive({ type: 'changed' })
      for (const listener of store.listeners) listener()
    },
  },
  'another tab signs out': { begun: true, act: ({ otherTabs }) => otherTabs.receive({ type: 'ended' }) },
  'the auth is disposed': {
    begun: true,
    // Tokens are announced once they are stored.
    mayEmit: ['signedIn'],
    act(play) {
      const { auth } = play.harness
      call(play, auth.setTokens(tokens(9)))
      call(play, auth.refresh())
      play.otherTabs.receive({ type: 'changed' })
      call(play, auth.signOut())
      auth.dispose()
    },
  },
}

/** Plays a moment, with requests before, during and after it. */
async function play(moment: Moment, persist: PersistMode, store: Storage): Promise<Play> {
  const otherTabs = fakeCoordinator()
  let issued = 1
  const clock = createVirtualClock()
  if (moment.stored) void store.working.write(storedRecord(clock.now(), persist))
  if (!moment.begun) store.break()
  const played = { store, otherTabs, results: [], sent: [], rejection: undefined } as unknown as Play
  const harness = createHarness({
    ...moment.options,
    clock,
    persist,
    storage: store.storage,
    coordinator: otherTabs.coordinator,
    limits: { idle: HOUR },
    retry: { jitter: 0 },
    refresh: () => {
      if (played.rejection) throw played.rejection
      return tokens(++issued)
    },
    signIn: () => tokens(++issued),
  })
  played.harness = harness
  const { auth } = harness
  auth.on('storageFailed', ({ reason }) => void store.log.push(`failed: ${reason}`))
  const request = () =>
    call(
      played,
      bearerRequest(auth, {
        send: async (authorization) => played.sent.push(authorization),
        challenge: () => undefined,
        replayable: true,
        key: () => 'GET /',
      }).then(() => 'sent'),
    )
  if (moment.begun) {
    request()
    await clock.advance(LONG)
    store.break()
  }
  moment.act(played)
  request()
  await clock.advance(LONG)
  request()
  call(played, auth.ready())
  await clock.advance(LONG)
  return played
}

/** Requests wait for a slow store. What became of them is in their results. */
const ABOUT_WAITING = ['requestHeld', 'requestReplayed', 'requestRejected']

/** What the app sees of it. */
const seen = ({ results, sent, harness: { auth, emitted } }: Play, ignored: readonly string[] = []) => ({
  state: auth.state,
  session: auth.session && { ...auth.session, expiresAt: undefined },
  results: results.map(({ state, value, error }) => ({
    state,
    value: value === 'sent' ? value : undefined,
    error: error?.code,
  })),
  sent,
  emitted: emitted().filter((type) => !['storageFailed', ...ABOUT_WAITING, ...ignored].includes(type)),
})

/** Failures of a kind that were reported again although no write had succeeded in between. */
function repeated(log: readonly string[]): string[] {
  let known = new Set<string>()
  return log.filter((entry) => {
    if (entry === 'written') known = new Set()
    const isRepeated = known.has(entry)
    if (entry !== 'written') known.add(entry)
    return isRepeated
  })
}

const CASES = OPERATIONS.flatMap((operation) =>
  Object.entries(FAULTS).flatMap(([how, fault]) =>
    PERSIST_MODES.map((persist) => ({ operation, how, fault, persist })),
  ),
)

describe.each(Object.entries(MOMENTS))('when %s', (_, moment) => {
  it.each(CASES)(
    'a store whose $operation() $how harms nothing, with persist: $persist',
    async ({ operation, fault, persist }) => {
      const store = faultyStorage(operation, fault)
      const played = await play(moment, persist, store)
      // A record that cannot be read counts as missing. Nothing else depends on the store.
      const isUnreadable = moment.stored && operation === 'read'
      const control = await play(
        isUnreadable ? { ...moment, stored: false } : moment,
        persist,
        faultyStorage(),
      )
      expect(seen(played, moment.mayEmit)).toEqual(seen(control, moment.mayEmit))
      expect(played.results.map(({ state }) => state)).not.toContain('pending')
      expect(repeated(store.log)).toEqual([])
      expect(JSON.stringify([played.harness.auth.history, played.harness.reported])).not.toContain(SECRET)
      played.harness.auth.dispose()
      await settled()
      expect(played.harness.clock.pending, 'timers left').toBe(0)
      expect(store.listeners.size, 'listeners left').toBe(0)
      expect(played.otherTabs.listening, 'listeners of the coordinator left').toBe(0)
    },
  )
})

describe('a store that cannot be read when the app starts', () => {
  /** Like a keychain, which is locked together with the device. */
  async function lockedStore() {
    const working = memoryStorage()
    const seed = createHarness({ storage: working, initialTokens: tokens(1, { subject: 'ada' }) })
    await seed.clock.advance(0)
    seed.auth.dispose()
    const store = { isLocked: true, reads: 0 }
    const open = <T>(task: () => T): T => (store.isLocked ? fail() : task())
    const storage: SessionStorage = {
      async read() {
        store.reads++
        return open(() => working.read())
      },
      write: async (record) => open(() => working.write(record)),
      clear: async () => open(() => working.clear()),
    }
    const made = createHarness({ storage, signedOut: true })
    await made.clock.advance(0)
    expect([made.auth.state, made.emitted()]).toEqual(['anonymous', ['storageFailed']])
    const show = () => {
      made.outside.signal('visible')
      return made.clock.advance(LONG)
    }
    return { ...made, working, store, show }
  }

  it('is read again when the user looks at the app, until that succeeds', async () => {
    const { auth, store, show, emitted } = await lockedStore()
    await show()
    expect([auth.state, store.reads]).toEqual(['anonymous', 2])
    store.isLocked = false
    await show()
    expect(auth.session?.subject).toBe('ada')
    expect(emitted().at(-1)).toBe('signedIn')
    await show()
    expect(store.reads).toBe(3)
  })

  it('is cleared when the user looks at the app if the user has signed out since', async () => {
    const { auth, store, show, working } = await lockedStore()
    await auth.signOut()
    await show()
    store.isLocked = false
    await show()
    expect([auth.session, working.read()]).toEqual([undefined, undefined])
    const { reads } = store
    await show()
    expect(store.reads).toBe(reads)
  })

  it('keeps what another process has stored since the user signed out', async () => {
    const { auth, store, show, clock, working } = await lockedStore()
    await auth.signOut()
    await clock.advance(1_000)
    const bob = createHarness({ storage: working, clock, initialTokens: tokens(2, { subject: 'bob' }) })
    await clock.advance(0)
    store.isLocked = false
    await show()
    expect(working.read()).toMatchObject({ subject: 'bob' })
    bob.auth.dispose()
  })

  it('changes nothing for a user who has signed in since', async () => {
    const { auth, store, show, clock } = await lockedStore()
    await clock.advance(1)
    await auth.setTokens(tokens(2, { subject: 'bob' }))
    store.isLocked = false
    await show()
    expect(auth.session?.subject).toBe('bob')
  })
})

describe('a store that subscribes asynchronously', () => {
  it('is unsubscribed by dispose(), even if it answers later', async () => {
    let answer = (_stop: () => void) => {}
    let stopped = 0
    const subscribe = () => new Promise<() => void>((resolve) => (answer = resolve))
    const { auth } = createHarness({ storage: { ...memoryStorage(), subscribe: subscribe as never } })
    auth.dispose()
    answer(() => void stopped++)
    await settled()
    expect(stopped).toBe(1)
  })
})

describe('a store that cannot be unsubscribed from', () => {
  it.each([
    ['throws', () => fail()],
    ['rejects', async () => fail()],
  ])('reports nothing to the console if it %s', async (_, stop) => {
    const { auth, reported } = createHarness({ storage: { ...memoryStorage(), subscribe: () => stop } })
    auth.dispose()
    await settled()
    expect(reported).toEqual([])
  })
})

describe('the tests above', () => {
  it('drive every operation of a store', () => {
    expect([...met].sort()).toEqual([...OPERATIONS].sort())
  })
})

describe("createAuth({ refresh, persist: 'none', storage })", () => {
  it('returns a working session if clear() throws at once, and emits storageFailed once', async () => {
    const storage = defineStorage({ read: () => undefined, write() {}, clear: fail })
    using auth = createAuth({ refresh: () => tokens(2), persist: 'none', storage, initialTokens: tokens(1) })
    const failures: unknown[] = []
    auth.on('storageFailed', ({ reason }) => void failures.push(reason))
    await auth.ready()
    await settled()
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(failures).toEqual(['RangeError'])
    await auth.refresh()
    await auth.signOut()
    expect(auth.state).toBe('loggedOut')
    expect(failures).toEqual(['RangeError'])
  })
})
