import { describe, expect, it } from 'vitest'
import type { AuthOptions } from '../../src/core/options.ts'
import type { SessionStorage } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { createHarness, hang, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

describe('signOut()', () => {
  it('ends the session at once, revokes it on the server, and clears the store', async () => {
    const storage = memoryStorage()
    const revoked: unknown[] = []
    const { auth, emitted, clock } = createHarness({ storage, revoke: (given) => void revoked.push(given) })
    await clock.advance(0)
    const out = auth.signOut()
    expect(auth.state).toBe('signingOut')
    expect(auth.session).toBeUndefined()
    await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'signed_out', reason: 'signed_out' })
    await out
    expect(auth.state).toBe('loggedOut')
    expect(storage.read()).toBeUndefined()
    expect(revoked).toEqual([{ accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` }])
    expect(emitted()).toEqual(['signedOut'])
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
  ])('ends the session within timeouts.revoke if revoke %s', async (_, revoke) => {
    const { auth, clock, reported } = createHarness({ revoke, timeouts: { revoke: 5_000 } })
    const out = watch(auth.signOut())
    await clock.advance(5_000)
    expect(out.state).toBe('fulfilled')
    expect(auth.state).toBe('loggedOut')
    expect(reported).toEqual([])
  })

  it('aborts the revocation after timeouts.revoke', async () => {
    let signal: { aborted: boolean } | undefined
    const { auth, clock } = createHarness({
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

  describe('before the store has been read', () => {
    /** The session of an earlier visit, in a store that answers at once or later. */
    async function earlierVisit(later: boolean, persist: 'all' | 'refresh-token' = 'all') {
      const storage = memoryStorage()
      const before = createHarness({ storage, persist })
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
      'revokes the stored session on the server and clears the store (async: %s)',
      async (later) => {
        const { storage, slow, revoked, revoke } = await earlierVisit(later)
        const { auth, emitted } = createHarness({ signedOut: true, storage: slow, revoke })
        await auth.signOut()
        expect(revoked).toEqual([{ accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` }])
        expect(storage.read()).toBeUndefined()
        expect(auth.state).toBe('loggedOut')
        expect(emitted()).toEqual(['signedOut'])
      },
    )

    it('revokes the session by its refresh token if the store has nothing else', async () => {
      const { slow, persist, revoked, revoke } = await earlierVisit(true, 'refresh-token')
      await createHarness({ signedOut: true, storage: slow, revoke, persist }).auth.signOut()
      expect(revoked).toEqual([{ accessToken: '', refreshToken: `${SECRET}-rt-1` }])
    })

    it('does not affect a sign-in that begins meanwhile', async () => {
      const { storage, slow, revoked, revoke } = await earlierVisit(true)
      const { auth, signIn } = createHarness({ signedOut: true, storage: slow, revoke })
      const out = auth.signOut()
      const signedIn = auth.signIn('ada')
      await settled()
      signIn.call().resolve(tokens(7))
      await Promise.all([out, signedIn])
      expect(revoked).toEqual([{ accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` }])
      expect(storage.read()).toMatchObject({ refreshToken: `${SECRET}-rt-7` })
    })

    it('asks the server to end a session that may be in a cookie', async () => {
      const { revoked, revoke } = await earlierVisit(false)
      const { auth, refresh } = createHarness({ signedOut: true, silentSignIn: true, revoke })
      const out = auth.signOut()
      await settled()
      refresh.calls[0]?.reject(refused())
      await out
      expect(revoked).toEqual([{ accessToken: '', refreshToken: undefined }])
    })

    it('does not call revoke if the store is empty', async () => {
      const { revoked, revoke } = await earlierVisit(false)
      await createHarness({ signedOut: true, storage: memoryStorage(), revoke }).auth.signOut()
      await createHarness({
        signedOut: true,
        storage: memoryStorage(),
        revoke,
        persist: 'refresh-token',
      }).auth.signOut()
      expect(revoked).toEqual([])
    })
  })

  it('rejects held requests', async () => {
    const { auth, clock } = createHarness({ initialTokens: tokens(1, { expires_in: 0 }) })
    const held = [auth.getAccessToken(), auth.getAccessToken({ allowAnonymous: true })].map(watch)
    await clock.advance(0)
    await auth.signOut()
    for (const { error } of held) expect(error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
  })

  it.each(['anonymous', 'loggedOut'])('does nothing in the state %s', async (state) => {
    const { auth, emitted } = createHarness({ signedOut: true })
    if (state === 'loggedOut') {
      await auth.setTokens(tokens(1))
      await auth.signOut()
    }
    const before = emitted()
    await auth.signOut()
    expect(auth.state).toBe(state)
    expect(emitted()).toEqual(before)
  })

  it('revokes the session once if it is called twice', async () => {
    const revoked: unknown[] = []
    const { auth } = createHarness({ revoke: (given) => void revoked.push(given) })
    await Promise.all([auth.signOut(), auth.signOut()])
    expect(revoked).toHaveLength(1)
  })

  it('moves an expired session to loggedOut', async () => {
    const { auth, clock } = createHarness({ limits: { absolute: 1_000 } })
    await clock.advance(1_000)
    expect(auth.state).toBe('expired')
    await auth.signOut()
    expect(auth.state).toBe('loggedOut')
    expect(await auth.getAccessToken({ allowAnonymous: true })).toBeUndefined()
  })

  it('gives way to a sign-in that begins while revoke is running', async () => {
    const storage = memoryStorage()
    const { auth, signIn, clock } = createHarness({ storage, revoke: hang })
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

  it('increments the epoch, as each sign-in does', async () => {
    const { auth, events } = createHarness()
    expect(auth.session?.epoch).toBe(1)
    await auth.signOut()
    expect(events.at(-1)?.epoch).toBe(2)
    await auth.setTokens(tokens(2))
    expect(auth.session).toMatchObject({ epoch: 3, generation: 2 })
    expect(auth.actor.getSnapshot().context).toMatchObject({ epoch: 3, generation: 2 })
  })
})

describe('signOut() after setTokens()', () => {
  const SLOW = 150

  /** A session whose store takes its time, in a state in which no user is signed in. */
  async function withoutUser(state: string, onWritten = () => {}) {
    const clock = createVirtualClock()
    const kept = memoryStorage()
    const later = <T>(act: () => T) =>
      new Promise<T>((resolve) => void clock.setTimeout(() => resolve(act()), SLOW))
    const storage: SessionStorage = {
      read: () => later(() => kept.read()),
      write: (record) =>
        later(() => {
          void kept.write(record)
          onWritten()
        }),
      clear: () => later(() => kept.clear()),
    }
    const revoked: (string | undefined)[] = []
    const revoke: AuthOptions['revoke'] = ({ refreshToken }) => void revoked.push(refreshToken)
    const made = createHarness({ clock, storage, revoke, signedOut: state === 'anonymous' })
    await clock.advance(1_000)
    if (state !== 'anonymous') void made.auth.signOut()
    await clock.advance(state === 'signingOut' ? 0 : 1_000)
    expect(made.auth.state).toBe(state)
    revoked.length = 0
    return { ...made, clock, kept, revoked }
  }

  it.each(['anonymous', 'loggedOut', 'signingOut'])(
    'ends the session before its tokens are stored, in %s',
    async (state) => {
      const { auth, clock, kept, revoked, emitted } = await withoutUser(state)
      void auth.setTokens(tokens(2))
      const out = watch(auth.signOut())
      await clock.advance(1_000)
      expect(out.state).toBe('fulfilled')
      expect(auth.session).toBeUndefined()
      expect(kept.read()).toBeUndefined()
      expect(revoked).toEqual([`${SECRET}-rt-2`])
      expect(emitted()).not.toContain('signedIn')
    },
  )

  it.each([0, 1, 2, 3])(
    'ends the session before its tokens are stored if dispose() follows %i promise jobs later',
    async (jobs) => {
      const { auth, clock, kept } = await withoutUser('anonymous')
      auth.setTokens(tokens(2)).catch(() => {})
      const out = watch(auth.signOut())
      for (let job = 0; job < jobs; job++) await undefined
      auth.dispose()
      await settled()
      expect(out.state).toBe('fulfilled')
      await clock.advance(1_000)
      expect(kept.read()).toBeUndefined()
    },
  )

  it('ends the session in whichever promise job its tokens are announced', async () => {
    for (let jobs = 0; jobs < 20; jobs++) {
      const { auth, clock, kept } = await withoutUser('anonymous', async () => {
        for (let job = 0; job < jobs; job++) await undefined
        void auth.signOut()
      })
      void auth.setTokens(tokens(2))
      await clock.advance(1_000)
      expect([auth.session, kept.read()], `after ${jobs} jobs`).toEqual([undefined, undefined])
      expect(auth.state, `after ${jobs} jobs`).toMatch(/anonymous|loggedOut/)
    }
  })
})

describe('setTokens()', () => {
  it('starts a session with tokens obtained elsewhere, and stores them', async () => {
    const storage = memoryStorage()
    const { auth, emitted } = createHarness({ signedOut: true, storage })
    const session = await auth.setTokens(tokens(1, { subject: 'ada' }))
    expect(session).toBe(auth.session)
    expect(auth.state).toBe('authenticated')
    expect(storage.read()).toMatchObject({ accessToken: `${SECRET}-at-1`, subject: 'ada' })
    expect(emitted()).toContain('signedIn')
  })

  it('refreshes at once if the tokens have already expired', async () => {
    const { auth, refresh, clock } = createHarness({ signedOut: true })
    void auth.setTokens(tokens(1, { expires_in: undefined, expires_at: new Date(0) }))
    await clock.advance(0)
    expect(auth.state).toBe('refreshing')
    expect(refresh.calls).toHaveLength(1)
  })

  it('rejects held requests if neither the old nor the new user is known', async () => {
    const { auth, clock } = createHarness({ initialTokens: tokens(1, { expires_in: 0 }) })
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    await auth.setTokens(tokens(5))
    await clock.advance(0)
    // Both users are unknown, so the new one may be another user.
    expect(held.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
  })

  it('rejects a value that is not a token response, and changes nothing', async () => {
    const { auth } = createHarness()
    const before = auth.session
    await expect(auth.setTokens({ access_token: `${SECRET} ` })).rejects.toMatchObject({
      code: 'invalid_token_response',
      message: expect.not.stringContaining(SECRET),
    })
    expect(auth.session).toBe(before)
    expect(auth.state).toBe('authenticated')
  })

  it('waits for the store no longer than timeouts.storage', async () => {
    const storage = { read: () => undefined, write: hang, clear: () => undefined }
    const { auth, clock } = createHarness({ signedOut: true, storage, timeouts: { storage: 1_000 } })
    await clock.advance(0)
    const set = watch(auth.setTokens(tokens(1)))
    await clock.advance(1_000)
    expect(set.state).toBe('fulfilled')
  })
})

describe('after a session has expired', () => {
  const ended = async (more = {}) => {
    const made = createHarness({ initialTokens: tokens(1, { expires_in: 0, subject: 'ada' }), ...more })
    await made.clock.advance(0)
    made.refresh.call().reject(refused())
    await made.clock.advance(0)
    expect(made.auth.state).toBe('expired')
    return made
  }

  it('no token remains in memory or in the store', async () => {
    const storage = memoryStorage()
    const { auth } = await ended({ storage })
    expect(auth.session).toBeUndefined()
    expect(storage.read()).toBeUndefined()
  })

  it("requests are held for the next sign-in if whenExpired is 'hold'", async () => {
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

  it('held requests of one user are not sent for another', async () => {
    const { auth, signIn, clock } = await ended({ whenExpired: 'hold' })
    const held = watch(auth.getAccessToken())
    void auth.signIn('bob')
    await clock.advance(0)
    signIn.call().resolve(tokens(5, { subject: 'bob' }))
    await clock.advance(0)
    expect(held.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
  })

  it("refresh() rejects even if whenExpired is 'hold'", async () => {
    const { auth } = await ended({ whenExpired: 'hold' })
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
  })

  it("a waiting refresh() rejects at the expiry even if whenExpired is 'hold'", async () => {
    const made = createHarness({ initialTokens: tokens(1, { expires_in: 0 }), whenExpired: 'hold' })
    const refreshed = watch(made.auth.refresh())
    const held = watch(made.auth.getAccessToken())
    await made.clock.advance(0)
    made.refresh.call().reject(refused())
    await made.clock.advance(0)
    expect(refreshed.error).toMatchObject({ code: 'session_expired' })
    expect(held.state).toBe('pending')
    await made.clock.advance(30_000)
    expect(held.error).toMatchObject({ code: 'hold_timeout' })
  })

  it('a sign-in starts a new session', async () => {
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
