import { describe, expect, it } from 'vitest'
import { createHarness, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

const expired = { initialTokens: tokens(1, { expires_in: 0 }) }

describe('getAccessToken()', () => {
  it('returns the current token without a refresh or an event', async () => {
    const { auth, refresh, events } = createHarness()
    const before = events.length
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(refresh.calls).toHaveLength(0)
    expect(events).toHaveLength(before)
  })

  it('waits for the refresh if the token has expired', async () => {
    const { auth, refresh, clock } = createHarness(expired)
    const token = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(token.state).toBe('pending')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(token.value).toBe(`${SECRET}-at-2`)
  })

  it.each([
    ['anonymous', { signedOut: true }, undefined],
    ['loggedOut', {}, 'signed_out'],
  ] as const)('rejects in the state %s unless allowAnonymous is set', async (state, options, reason) => {
    const { auth } = createHarness(options)
    if (state === 'loggedOut') await auth.signOut()
    expect(auth.state).toBe(state)
    await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'signed_out' })
    expect(await auth.getAccessToken({ allowAnonymous: true })).toBeUndefined()
    expect(auth.actor.getSnapshot().context.reason).toBe(reason)
  })

  it('rejects with the reason and a cause after the session has expired, even if allowAnonymous is set', async () => {
    const { auth, refresh, clock } = createHarness(expired)
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    for (const options of [{}, { allowAnonymous: true }]) {
      await expect(auth.getAccessToken(options as object)).rejects.toMatchObject({
        code: 'session_expired',
        reason: 'invalid_grant',
        cause: expect.any(Error),
      })
    }
  })

  it('waits for a sign-in in flight, even if the user was signed out before', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const session = auth.signIn('ada')
    const token = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(token.state).toBe('pending')
    signIn.call().resolve(tokens(1))
    await session
    await clock.advance(0)
    expect(token.value).toBe(`${SECRET}-at-1`)
  })

  it('rejects if the sign-in it waits for fails, or resolves to undefined if allowAnonymous is set', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    auth.signIn('ada').catch(() => {})
    const token = watch(auth.getAccessToken())
    const anonymous = watch(auth.getAccessToken({ allowAnonymous: true }))
    await clock.advance(0)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(token.error).toMatchObject({ code: 'signed_out' })
    expect(anonymous).toEqual({ state: 'fulfilled', value: undefined })
  })
})

describe('getAccessToken({ signal })', () => {
  it('rejects at once if its signal is already aborted, even if a token is available', async () => {
    const { auth } = createHarness()
    const reason = new Error('enough')
    await expect(auth.getAccessToken({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('rejects with the reason of an aborted signal, while the refresh goes on', async () => {
    const { auth, refresh, clock } = createHarness(expired)
    const controller = new AbortController()
    const token = watch(auth.getAccessToken({ signal: controller.signal }))
    await clock.advance(0)
    controller.abort('enough')
    await clock.advance(0)
    expect(token).toEqual({ state: 'rejected', error: 'enough' })
    expect(refresh.call().argument.signal.aborted).toBe(false)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session?.generation).toBe(2)
  })

  it('stops waiting for a token of minValidity if its signal aborts', async () => {
    const { auth, refresh, clock } = createHarness()
    await clock.advance(LIFETIME * 0.8)
    const controller = new AbortController()
    const token = watch(auth.getAccessToken({ signal: controller.signal, minValidity: LIFETIME / 2 }))
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    controller.abort('enough')
    await clock.advance(0)
    expect(token).toEqual({ state: 'rejected', error: 'enough' })
  })
})

describe('getAccessToken({ minValidity })', () => {
  it('returns the current token if it is valid for at least minValidity', async () => {
    const { auth, refresh, clock } = createHarness()
    await clock.advance(LIFETIME / 2)
    expect(await auth.getAccessToken({ minValidity: LIFETIME / 2 })).toBe(`${SECRET}-at-1`)
    expect(refresh.calls).toHaveLength(0)
  })

  it('refreshes a token that is valid for less than minValidity', async () => {
    const { auth, refresh, clock } = createHarness()
    await clock.advance(LIFETIME / 2 + 1)
    const token = auth.getAccessToken({ minValidity: LIFETIME / 2 })
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    expect(await token).toBe(`${SECRET}-at-2`)
  })

  it('limits minValidity to half the lifetime, so a value that no token can reach causes no refresh', async () => {
    const { auth, refresh } = createHarness()
    for (let call = 0; call < 3; call++) await auth.getAccessToken({ minValidity: 10 * LIFETIME })
    expect(refresh.calls).toHaveLength(0)
  })

  it('returns a token of unknown lifetime without a refresh', async () => {
    const { auth } = createHarness({ initialTokens: { access_token: `${SECRET}-at-1` } })
    expect(await auth.getAccessToken({ minValidity: LIFETIME })).toBe(`${SECRET}-at-1`)
  })

  it('rejects if the last token of a session is valid for less than minValidity', async () => {
    const { auth, refresh, clock } = createHarness()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(LIFETIME * 0.8)
    await expect(auth.getAccessToken({ minValidity: LIFETIME / 2 })).rejects.toMatchObject({
      code: 'session_expired',
      reason: 'invalid_grant',
    })
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('rejects if the user signs out while minValidity waits for a refresh', async () => {
    const { auth, clock } = createHarness()
    await clock.advance(LIFETIME * 0.8)
    const token = watch(auth.getAccessToken({ minValidity: LIFETIME / 2, allowAnonymous: true }))
    await clock.advance(0)
    await auth.signOut()
    expect(token.error).toMatchObject({ code: 'signed_out' })
  })
})

describe('held calls', () => {
  it('reject after timeouts.hold, and so does a waiting refresh()', async () => {
    const { auth, clock } = createHarness({ ...expired, timeouts: { hold: 5_000, refresh: 60_000 } })
    const token = watch(auth.getAccessToken())
    const refreshed = watch(auth.refresh())
    await clock.advance(4_999)
    expect([token.state, refreshed.state]).toEqual(['pending', 'pending'])
    await clock.advance(1)
    for (const { error } of [token, refreshed]) expect(error).toMatchObject({ code: 'hold_timeout' })
  })

  it('are limited to queueLimit, and further calls reject at once', async () => {
    const { auth, clock, refresh, events } = createHarness({ ...expired, queueLimit: 2 })
    const held = [auth.getAccessToken(), auth.getAccessToken()].map(watch)
    const rejected = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(rejected.error).toMatchObject({ code: 'queue_full' })
    expect(rejected.error.message).toContain('2 requests')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled'])
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'requestRejected', count: 1, reason: 'queue_full' }),
    )
  })

  it('of refresh() are limited in the same way, and no event counts them as requests', async () => {
    const { auth, clock, events } = createHarness({ ...expired, queueLimit: 1 })
    watch(auth.refresh())
    const rejected = watch(auth.refresh())
    await clock.advance(0)
    expect(rejected.error).toMatchObject({ code: 'queue_full' })
    expect(events.filter(({ type }) => type === 'requestRejected')).toEqual([])
  })

  it('emit one event when a burst is held and one when it is rejected', async () => {
    const { auth, clock, events } = createHarness({ ...expired, timeouts: { hold: 5_000, refresh: 60_000 } })
    const many = Array.from({ length: 100 }, () => auth.getAccessToken().catch(() => {}))
    await clock.advance(5_000)
    await Promise.all(many)
    expect(events.filter(({ type }) => type.startsWith('request'))).toEqual([
      expect.objectContaining({ type: 'requestHeld', count: 100, held: 100 }),
      expect.objectContaining({ type: 'requestRejected', count: 100, held: 0, reason: 'timeout' }),
    ])
    expect(auth.actor.getSnapshot().context.held).toBe(0)
  })
})
