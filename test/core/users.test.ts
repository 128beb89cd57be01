import { describe, expect, it } from 'vitest'
import { compareUsers, type UserNames } from '../../machines/policies.ts'
import type { SessionRecord } from '../../src/core/ports.ts'
import { isSessionRecord } from '../../src/core/session/record.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import fc from '../support/property.ts'
import { createHarness, fakeCoordinator, type HarnessOptions, refused, tokens, watch } from './auth-setup.ts'

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (iss: string | undefined, sub: string | undefined, more: object = {}) =>
  `${encode({ alg: 'none' })}.${encode({ iss, sub, ...more })}.s`
const idToken = (iss: string, sub: string) => ({ id_token: jwt(iss, sub) })
const accessToken = (iss: string, sub: string, n = 0) => ({ access_token: jwt(iss, sub, { n }) })

const TENANT_A = idToken('https://tenant-a', '1')
const TENANT_B = idToken('https://tenant-b', '1')

/** A request that waits in an expired session, and then a sign-in with `after`. */
async function heldUntilSignIn(before: object, after: object, more: HarnessOptions = {}) {
  const made = createHarness({
    initialTokens: tokens(1, { expires_in: 0, ...before }),
    whenExpired: 'hold',
    ...more,
  })
  await made.clock.advance(0)
  made.refresh.call().reject(refused())
  await made.clock.advance(0)
  const held = watch(made.auth.getAccessToken())
  void made.auth.signIn('')
  await made.clock.advance(0)
  made.signIn.call().resolve(tokens(2, after))
  await made.clock.advance(0)
  return held.state === 'fulfilled' ? 'sent' : (held.error?.reason ?? held.state)
}

describe('a request that waited in an expired session', () => {
  it.each<[string, object, object, string]>([
    ['the same issuer and subject', TENANT_A, TENANT_A, 'sent'],
    ['the same subject of another issuer', TENANT_A, TENANT_B, 'user_changed'],
    ['another subject of the same issuer', TENANT_A, idToken('https://tenant-a', '2'), 'user_changed'],
    ['the same access token user', accessToken('i', 'a'), accessToken('i', 'a', 1), 'sent'],
    ['an access token of another issuer', accessToken('i', 'a'), accessToken('j', 'a'), 'user_changed'],
    [
      'the same ID token user with another subject in the access token',
      { ...TENANT_A, ...accessToken('i', 'x') },
      { ...TENANT_A, ...accessToken('i', 'y') },
      'sent',
    ],
    [
      'a subject that only the access token names',
      TENANT_A,
      accessToken('https://tenant-a', '1'),
      'user_changed',
    ],
    ['the same subject of the app', { subject: 'ada' }, { subject: 'ada' }, 'sent'],
    [
      'the same subject of the app in another tenant',
      { subject: '1', ...TENANT_A },
      { subject: '1', ...TENANT_B },
      'user_changed',
    ],
    ['no known user before or after', {}, {}, 'user_changed'],
    ['a known user after an unknown one', {}, TENANT_A, 'user_changed'],
  ])('with a sign-in of %s', async (_, before, after, outcome) => {
    expect(await heldUntilSignIn(before, after)).toBe(outcome)
  })

  it.each<[string, object, object, string]>([
    ['is sent if no token names a user', {}, {}, 'sent'],
    ['is sent if only one session names its user', TENANT_A, {}, 'sent'],
    ['is still rejected if another user signs in', TENANT_A, TENANT_B, 'user_changed'],
  ])('of an app with singleUser %s', async (_, before, after, outcome) => {
    expect(await heldUntilSignIn(before, after, { singleUser: true })).toBe(outcome)
  })

  it('is sent after another tab refreshes the same sign-in, even if no token names the user', async () => {
    const storage = memoryStorage()
    const { auth, clock, refresh } = createHarness({
      initialTokens: tokens(1, { expires_in: 0 }),
      storage,
      coordinator: fakeCoordinator().coordinator,
      whenExpired: 'hold',
    })
    await clock.advance(0)
    const record = storage.read() as SessionRecord
    refresh.call().reject(refused())
    await clock.advance(0)
    const held = watch(auth.getAccessToken())
    storage.write({ ...record, rotation: 1, expiresAt: clock.now() + 60_000, accessToken: 'theirs' })
    auth.actor.send({ type: 'store.changed' })
    await clock.advance(0)
    expect(held.value).toBe('theirs')
  })
})

describe('the answer to a refresh', () => {
  const answered = async (before: object, after: object, more: HarnessOptions = {}) => {
    const made = createHarness({ initialTokens: tokens(1, before), ...more })
    const refreshed = made.auth.refresh()
    await made.clock.advance(0)
    made.refresh.call().resolve(tokens(2, after))
    await refreshed
    return made
  }

  it('with an ID token of another issuer is the session of another user, and keeps nothing of the first', async () => {
    const storage = memoryStorage()
    const { auth, emitted } = await answered(
      { ...TENANT_A, scope: 'a' },
      { ...TENANT_B, refresh_token: null },
      { storage },
    )
    expect(emitted()).toEqual(['signedIn'])
    expect(auth.session).toMatchObject({ epoch: 2, claims: { iss: 'https://tenant-b' } })
    expect(auth.session).not.toHaveProperty('scope')
    expect((storage.read() as SessionRecord).refreshToken).toBeUndefined()
  })

  it('with an access token of another user keeps no ID token of the first', async () => {
    const { auth } = await answered({ ...TENANT_A, ...accessToken('i', 'a') }, accessToken('i', 'b'))
    expect(auth.session).toMatchObject({ epoch: 2, subject: 'b', claims: { sub: 'b' } })
  })

  it.each([
    ['without an ID token, whose access token names the user differently', accessToken('i', 'internal')],
    ['without any name', {}],
    ['with the same ID token user', TENANT_A],
  ])('%s renews the session', async (_, after) => {
    const { auth, emitted } = await answered(TENANT_A, after)
    expect(emitted()).toEqual(['refreshed'])
    expect(auth.session).toMatchObject({ epoch: 1, subject: '1' })
  })

  it('renews a session restored without its tokens, whose ID token had a pairwise subject', async () => {
    const storage = memoryStorage()
    const options = { storage, persist: 'refresh-token' } as const
    const first = createHarness({
      ...options,
      initialTokens: tokens(1, { ...idToken('i', 'pairwise'), ...accessToken('i', 'internal') }),
    })
    await first.clock.advance(0)
    first.auth.dispose()
    const record: unknown = JSON.parse(JSON.stringify(storage.read()))
    expect(isSessionRecord(record)).toBe(true)
    storage.write(record as SessionRecord)
    const { auth, clock, refresh, emitted } = createHarness({
      ...options,
      clock: first.clock,
      signedOut: true,
    })
    await clock.advance(0)
    const held = watch(auth.getAccessToken())
    refresh.call().resolve(tokens(2, accessToken('i', 'internal', 2)))
    await clock.advance(0)
    expect(held.state).toBe('fulfilled')
    expect(emitted().filter((type) => type === 'signedIn')).toEqual([])
    expect(auth.session).toMatchObject({ epoch: 1, subject: 'pairwise' })
    expect(storage.read()).toMatchObject({ id: (record as SessionRecord).id, rotation: 1 })
  })
})

describe('a record of another tab', () => {
  it('begins a session if its ID token is of another issuer, even with the id of this session', async () => {
    const storage = memoryStorage()
    const otherTabs = fakeCoordinator()
    const { auth, clock, emitted } = createHarness({
      initialTokens: tokens(1, TENANT_A),
      storage,
      coordinator: otherTabs.coordinator,
    })
    await clock.advance(0)
    const { user: _, ...record } = storage.read() as SessionRecord
    storage.write({ ...record, rotation: 1, idToken: TENANT_B.id_token })
    otherTabs.receive({ type: 'changed' })
    await clock.advance(0)
    expect(emitted()).toEqual(['signedIn'])
    expect(auth.session).toMatchObject({ epoch: 2 })
  })

  it.each([['a text'], [7], [null], [{ app: 7 }], [{ idToken: {} }]])(
    'is not used if its user is %j',
    (user) => {
      const record = { version: 1, id: 'a', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: null }
      expect(isSessionRecord(record)).toBe(true)
      expect(isSessionRecord({ ...record, user })).toBe(false)
    },
  )
})

describe('two users', () => {
  const name = fc.option(fc.constantFrom('a', 'b'), { nil: undefined })
  const names: fc.Arbitrary<UserNames> = fc.record({ app: name, idToken: name, accessToken: name })
  const both = (one: UserNames, other: UserNames, kind: keyof UserNames) =>
    one[kind] !== undefined && other[kind] !== undefined

  it('are compared by like names only, in either order', () => {
    fc.assert(
      fc.property(names, names, (one, other) => {
        const verdict = compareUsers(one, other)
        expect(compareUsers(other, one)).toBe(verdict)
        const shared = (['app', 'idToken', 'accessToken'] as const).filter((kind) => both(one, other, kind))
        expect(verdict === 'unknown').toBe(shared.length === 0)
        const better = shared.filter((kind) => kind !== 'accessToken')
        const decisive = better.length > 0 ? better : shared
        expect(verdict === 'same').toBe(
          decisive.length > 0 && decisive.every((kind) => one[kind] === other[kind]),
        )
      }),
    )
  })
})
