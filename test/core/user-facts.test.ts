import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { settled } from '../../src/testing/virtual-clock.ts'
import { createHarness, LIFETIME, refused, SECRET, tokens } from './auth-setup.ts'

const ADA = { id: 7, name: 'Ada', roles: ['admin', 'author'] }
const signedInAs = async (user: unknown, more: object = {}) => {
  const harness = createHarness({ signedOut: true, ...more })
  await harness.auth.setTokens({ ...tokens(1), user } as never)
  return harness
}

describe('the facts of a user', () => {
  it('are what the sign-in answered under user, as a copy', async () => {
    const answered = structuredClone(ADA)
    const { auth } = await signedInAs(answered)
    answered.roles.push('later')
    expect(auth.session?.user).toEqual(ADA)
    expect(Object.isFrozen(auth.session?.user)).toBe(true)
  })

  it('survive a refresh that does not name them, and follow one that does', async () => {
    const { auth, refresh } = await signedInAs(ADA)
    for (const [answer, expected] of [
      [tokens(2), ADA],
      [{ ...tokens(3), user: null }, ADA],
      [{ ...tokens(4), user: { name: 'Ada L.' } }, { name: 'Ada L.' }],
    ] as const) {
      const refreshed = auth.refresh()
      await settled()
      refresh.call().resolve(answer)
      expect((await refreshed).user).toEqual(expected)
    }
  })

  it('do not pass to another user', async () => {
    const { auth, refresh } = await signedInAs(ADA, { initialTokens: undefined })
    await auth.setTokens({ ...tokens(1), subject: 'ada', user: ADA })
    const refreshed = auth.refresh()
    await settled()
    refresh.call().resolve(tokens(2, { subject: 'grace' }))
    const session = await refreshed
    expect(session.subject).toBe('grace')
    expect(session.user).toBeUndefined()
  })

  it.each(['all', 'refresh-token'] as const)(
    'are stored with the session: persist is %s',
    async (persist) => {
      const storage = memoryStorage()
      await signedInAs(ADA, { storage, persist })
      await settled()
      expect((storage.read() as SessionRecord).profile).toEqual(ADA)
      const { auth } = createHarness({ storage, persist, signedOut: true })
      await settled()
      expect(auth.session?.user).toEqual(ADA)
    },
  )

  it('are cleared when the user signs out', async () => {
    const storage = memoryStorage()
    const { auth } = await signedInAs(ADA, { storage })
    await auth.signOut()
    expect(auth.session).toBeUndefined()
    expect(storage.read()).toBeFalsy()
    await auth.setTokens(tokens(2))
    expect(auth.session?.user).toBeUndefined()
  })

  it('are cleared when the session expires', async () => {
    const storage = memoryStorage()
    const { auth, refresh, clock } = await signedInAs(ADA, { storage })
    const refreshed = auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await refreshed
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    expect(auth.session).toBeUndefined()
    expect(storage.read()).toBeFalsy()
    expect(JSON.stringify(auth.actor.getPersistedSnapshot())).not.toContain('Ada')
  })

  it('hold no token, under any name', async () => {
    const { access_token, refresh_token } = tokens(1)
    const inside = { list: ['a', refresh_token] }
    const { auth } = await signedInAs({ name: 'Ada', token: access_token, inside })
    expect(auth.session?.user).toEqual({ name: 'Ada', inside: { list: ['a', null] } })
  })

  it.each([
    ['a text', { name: 'Ada', header: `Bearer ${SECRET}-at-1` }],
    ['a name', { name: 'Ada', [`of ${SECRET}-rt-1`]: 1 }],
  ])('are missing if %s quotes a token', async (_, user) => {
    const { auth } = await signedInAs(user)
    expect(auth.session).not.toHaveProperty('user')
    expect(JSON.stringify(auth.session)).not.toContain(SECRET)
  })

  it('keep texts that merely contain the letters of a short token', async () => {
    const { auth } = createHarness({ signedOut: true })
    await auth.setTokens({ access_token: 'a', user: { name: 'Ada', initial: 'a' } })
    expect(auth.session?.user).toEqual({ name: 'Ada' })
  })

  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  it.each([
    ['a text', 'Ada'],
    ['nothing', null],
    ['a cycle', cycle],
    ['a number that JSON does not know', { id: 1n }],
    ['more than 65,536 characters', { text: 'x'.repeat(65_536) }],
    ['nested too deep', JSON.parse(`${'{"a":'.repeat(17)}{}${'}'.repeat(17)}`)],
    [
      'something that throws',
      {
        get name(): never {
          throw new Error(SECRET)
        },
      },
    ],
    ['something that becomes a text', { toJSON: () => SECRET }],
  ])('are missing if the answer has %s, and the session begins all the same', async (_, user) => {
    const { auth } = await signedInAs(user)
    expect(auth.state).toBe('authenticated')
    expect(auth.session).not.toHaveProperty('user')
  })

  it('are parsed when a store returns them', async () => {
    const storage = memoryStorage()
    await signedInAs(ADA, { storage })
    await settled()
    const record = storage.read() as SessionRecord
    for (const profile of ['Ada', 5, { name: 'x'.repeat(65_536) }, { token: record.accessToken }]) {
      storage.write({ ...record, profile } as SessionRecord)
      const { auth } = createHarness({ storage, signedOut: true })
      await settled()
      expect(auth.state).toBe('authenticated')
      expect(auth.session?.user ?? {}).toEqual({})
      auth.dispose()
    }
  })
})
