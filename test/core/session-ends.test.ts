import { describe, expect, it } from 'vitest'
import type { SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { settled } from '../../src/testing/virtual-clock.ts'
import { LIFETIME, refused, rig, SECRET, tokens, watch } from './auth-setup.ts'

const hang = () => new Promise<never>(() => {})

describe('signOut()', () => {
  it('ends the session here at once, tells the server, and empties the store', async () => {
    const storage = memoryStorage()
    const revoked: unknown[] = []
    const { auth, told, clock } = rig({ storage, revoke: (given) => void revoked.push(given) })
    await clock.advance(0)
    const out = auth.signOut()
    expect(auth.state).toBe('signingOut')
    expect(auth.session).toBeUndefined()
    await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'signed_out', reason: 'signed_out' })
    await out
    expect(auth.state).toBe('loggedOut')
    expect(storage.read()).toBeUndefined()
    expect(revoked).toEqual([{ accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` }])
    expect(told()).toEqual(['signedOut'])
  })

  it.each([
    ['rejects', () => Promise.reject(new Error(`no ${SECRET}`))],
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['hangs', hang],
  ])('ends it in bounded time where the server %s', async (_, revoke) => {
    const { auth, clock, reported } = rig({ revoke, timeouts: { revoke: 5_000 } })
    const out = watch(auth.signOut())
    await clock.advance(5_000)
    expect(out.state).toBe('fulfilled')
    expect(auth.state).toBe('loggedOut')
    expect(reported).toEqual([])
  })

  it('aborts the revocation when its time is up', async () => {
    let signal: { aborted: boolean } | undefined
    const { auth, clock } = rig({
      revoke: (_, options) => {
        signal = options.signal
        return hang()
      },
    })
    void auth.signOut()
    await clock.advance(4_999)
    expect(signal?.aborted).toBe(false)
    await clock.advance(1)
    expect(signal?.aborted).toBe(true)
  })

  describe('before the store was read', () => {
    /** What an earlier visit left there, behind a store that answers at once or later. */
    async function leftThere(later: boolean, persist: 'all' | 'refresh-token' = 'all') {
      const storage = memoryStorage()
      const before = rig({ storage, persist })
      await before.clock.advance(0)
      before.auth.dispose()
      expect(storage.read()).toBeDefined()
      const soon = <T>(value: T) => (later ? Promise.resolve(value) : value)
      const slow: SessionStorage = {
        read: () => soon(storage.read()),
        write: (record) => soon(storage.write(record)),
        clear: () => soon(storage.clear()),
      }
      const revoked: unknown[] = []
      const revoke = (given: unknown) => void revoked.push(given)
      return { storage, slow, persist, revoked, revoke }
    }

    it.each([false, true])(
      'ends the session that is there, on the server, too (async: %s)',
      async (later) => {
        const { storage, slow, revoked, revoke } = await leftThere(later)
        const { auth, told } = rig({ signedOut: true, storage: slow, revoke })
        await auth.signOut()
        expect(revoked).toEqual([{ accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` }])
        expect(storage.read()).toBeUndefined()
        expect(auth.state).toBe('loggedOut')
        expect(told()).toEqual(['signedOut'])
      },
    )

    it('ends it by its refresh token, where the store has nothing else', async () => {
      const { slow, persist, revoked, revoke } = await leftThere(true, 'refresh-token')
      await rig({ signedOut: true, storage: slow, revoke, persist }).auth.signOut()
      expect(revoked).toEqual([{ accessToken: '', refreshToken: `${SECRET}-rt-1` }])
    })

    it('leaves a sign-in alone that begins meanwhile', async () => {
      const { storage, slow, revoked, revoke } = await leftThere(true)
      const { auth, signIn } = rig({ signedOut: true, storage: slow, revoke })
      const out = auth.signOut()
      const signedIn = auth.signIn('ada')
      await settled()
      signIn.call().resolve(tokens(7))
      await Promise.all([out, signedIn])
      expect(revoked).toEqual([{ accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` }])
      expect(storage.read()).toMatchObject({ refreshToken: `${SECRET}-rt-7` })
    })

    it('asks the server to end what may be in a cookie', async () => {
      const { revoked, revoke } = await leftThere(false)
      const { auth, refresh } = rig({ signedOut: true, silentSignIn: true, revoke })
      const out = auth.signOut()
      await settled()
      refresh.calls[0]?.reject(refused())
      await out
      expect(revoked).toEqual([{ accessToken: '', refreshToken: undefined }])
    })

    it('tells the server nothing where nothing is there', async () => {
      const { revoked, revoke } = await leftThere(false)
      await rig({ signedOut: true, storage: memoryStorage(), revoke }).auth.signOut()
      await rig({
        signedOut: true,
        storage: memoryStorage(),
        revoke,
        persist: 'refresh-token',
      }).auth.signOut()
      expect(revoked).toEqual([])
    })
  })

  it('turns away who waits', async () => {
    const { auth, clock } = rig({ initialTokens: tokens(1, { expires_in: 0 }) })
    const held = [auth.getAccessToken(), auth.getAccessToken({ allowAnonymous: true })].map(watch)
    await clock.advance(0)
    await auth.signOut()
    for (const { error } of held) expect(error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
  })

  it.each(['anonymous', 'loggedOut'])('does nothing in %s', async (state) => {
    const { auth, told } = rig({ signedOut: true })
    if (state === 'loggedOut') {
      await auth.setTokens(tokens(1))
      await auth.signOut()
    }
    const before = told()
    await auth.signOut()
    expect(auth.state).toBe(state)
    expect(told()).toEqual(before)
  })

  it('called twice tells the server once', async () => {
    const revoked: unknown[] = []
    const { auth } = rig({ revoke: (given) => void revoked.push(given) })
    await Promise.all([auth.signOut(), auth.signOut()])
    expect(revoked).toHaveLength(1)
  })

  it('leaves an expired session behind', async () => {
    const { auth, clock } = rig({ limits: { absolute: 1_000 } })
    await clock.advance(1_000)
    expect(auth.state).toBe('expired')
    await auth.signOut()
    expect(auth.state).toBe('loggedOut')
    expect(await auth.getAccessToken({ allowAnonymous: true })).toBeUndefined()
  })

  it('gives way to a sign-in that comes while the server is being told', async () => {
    const storage = memoryStorage()
    const { auth, signIn, clock } = rig({ storage, revoke: hang })
    const out = watch(auth.signOut())
    const session = watch(auth.signIn('bob'))
    await clock.advance(0)
    expect(out.state).toBe('fulfilled')
    signIn.call().resolve(tokens(7))
    await clock.advance(10_000)
    expect(session.state).toBe('fulfilled')
    expect(auth.state).toBe('authenticated')
    expect(storage.read()).toMatchObject({ accessToken: `${SECRET}-at-7` })
  })

  it('counts an epoch, as each sign-in does', async () => {
    const { auth, events } = rig()
    expect(auth.session?.epoch).toBe(1)
    await auth.signOut()
    expect(events.at(-1)?.epoch).toBe(2)
    await auth.setTokens(tokens(2))
    expect(auth.session).toMatchObject({ epoch: 3, generation: 2 })
    expect(auth.actor.getSnapshot().context).toMatchObject({ epoch: 3, generation: 2 })
  })
})

describe('setTokens()', () => {
  it('takes tokens over that were obtained elsewhere, and keeps them', async () => {
    const storage = memoryStorage()
    const { auth, told } = rig({ signedOut: true, storage })
    const session = await auth.setTokens(tokens(1, { subject: 'ada' }))
    expect(session).toBe(auth.session)
    expect(auth.state).toBe('authenticated')
    expect(storage.read()).toMatchObject({ accessToken: `${SECRET}-at-1`, subject: 'ada' })
    expect(told()).toContain('signedIn')
  })

  it('renews at once what has run out already', async () => {
    const { auth, refresh, clock } = rig({ signedOut: true })
    void auth.setTokens(tokens(1, { expires_in: undefined, expires_at: new Date(0) }))
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(refresh.calls).toHaveLength(1)
  })

  it('lets go who waits', async () => {
    const { auth, clock } = rig({ initialTokens: tokens(1, { expires_in: 0 }) })
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    await auth.setTokens(tokens(5))
    await clock.advance(0)
    // Made for a user nobody knows, by whom nobody knows either: not for this one.
    expect(held.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
  })

  it('refuses what is no token response, and leaves everything as it was', async () => {
    const { auth } = rig()
    const before = auth.session
    await expect(auth.setTokens({ access_token: `${SECRET} ` })).rejects.toMatchObject({
      code: 'invalid_token_response',
      message: expect.not.stringContaining(SECRET),
    })
    expect(auth.session).toBe(before)
    expect(auth.state).toBe('authenticated')
  })

  it('does not wait longer for the store than timeouts.storage', async () => {
    const storage = { read: () => undefined, write: hang, clear: () => undefined }
    const { auth, clock } = rig({ signedOut: true, storage, timeouts: { storage: 1_000 } })
    await clock.advance(0)
    const set = watch(auth.setTokens(tokens(1)))
    await clock.advance(1_000)
    expect(set.state).toBe('fulfilled')
  })
})

describe('after the end of a session', () => {
  const ended = async (more = {}) => {
    const made = rig({ initialTokens: tokens(1, { expires_in: 0, subject: 'ada' }), ...more })
    await made.clock.advance(0)
    made.refresh.call().reject(refused())
    await made.clock.advance(0)
    expect(made.auth.state).toBe('expired')
    return made
  }

  it('no token is left: not here, not in the store', async () => {
    const storage = memoryStorage()
    const { auth } = await ended({ storage })
    expect(auth.session).toBeUndefined()
    expect(storage.read()).toBeUndefined()
  })

  it("requests are held for the next sign-in where whenExpired is 'hold'", async () => {
    const { auth, signIn, clock } = await ended({ whenExpired: 'hold' })
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(held.state).toBe('pending')
    void auth.signIn('ada')
    await clock.advance(0)
    signIn.call().resolve(tokens(5, { subject: 'ada' }))
    await clock.advance(0)
    expect(held.value).toBe(`${SECRET}-at-5`)
  })

  it('requests held for one user are not sent for another', async () => {
    const { auth, signIn, clock } = await ended({ whenExpired: 'hold' })
    const held = watch(auth.getAccessToken())
    void auth.signIn('bob')
    await clock.advance(0)
    signIn.call().resolve(tokens(5, { subject: 'bob' }))
    await clock.advance(0)
    expect(held.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
  })

  it("a renewal is rejected even where whenExpired is 'hold'", async () => {
    const { auth } = await ended({ whenExpired: 'hold' })
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
  })

  it("who waits for a renewal is rejected when it comes where whenExpired is 'hold'", async () => {
    const made = rig({ initialTokens: tokens(1, { expires_in: 0 }), whenExpired: 'hold' })
    const renewed = watch(made.auth.refresh())
    const held = watch(made.auth.getAccessToken())
    await made.clock.advance(0)
    made.refresh.call().reject(refused())
    await made.clock.advance(0)
    expect(renewed.error).toMatchObject({ code: 'session_expired' })
    expect(held.state).toBe('pending')
    await made.clock.advance(30_000)
    expect(held.error).toMatchObject({ code: 'hold_timeout' })
  })

  it('a sign-in begins anew', async () => {
    const { auth, signIn, clock } = await ended()
    const session = auth.signIn('ada')
    await clock.advance(0)
    signIn.call().resolve(tokens(5))
    expect(await session).toMatchObject({ epoch: 2, generation: 2 })
    expect(auth.actor.getSnapshot().context.reason).toBeUndefined()
    await clock.advance(LIFETIME / 2)
    expect(auth.state).toBe('authenticated')
  })
})
