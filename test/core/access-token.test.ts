import { describe, expect, it } from 'vitest'
import { LIFETIME, refused, rig, SECRET, tokens, watch } from './auth-setup.ts'

const dead = { initialTokens: tokens(1, { expires_in: 0 }) }

describe('getAccessToken()', () => {
  it('gives the token at hand without asking anybody', async () => {
    const { auth, refresh, events } = rig()
    const before = events.length
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(refresh.calls).toHaveLength(0)
    expect(events).toHaveLength(before)
  })

  it('waits for the renewal of a dead one', async () => {
    const { auth, refresh, clock } = rig(dead)
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
  ] as const)('rejects in %s, unless allowAnonymous is set', async (state, options, reason) => {
    const { auth } = rig(options)
    if (state === 'loggedOut') await auth.signOut()
    expect(auth.state).toBe(state)
    await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'signed_out' })
    expect(await auth.getAccessToken({ allowAnonymous: true })).toBeUndefined()
    expect(auth.actor.getSnapshot().context.reason).toBe(reason)
  })

  it('rejects after the end of the session, with its reason and a cause, allowAnonymous or not', async () => {
    const { auth, refresh, clock } = rig(dead)
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

  it('waits for a sign-in in flight, also where nobody was signed in', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const session = auth.signIn('ada')
    const token = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(token.state).toBe('pending')
    signIn.call().resolve(tokens(1))
    await session
    await clock.advance(0)
    expect(token.value).toBe(`${SECRET}-at-1`)
  })

  it('ends with a sign-in that fails: there is nobody', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
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
  it('rejects at once for a signal that is aborted already, even with a token at hand', async () => {
    const { auth } = rig()
    const reason = new Error('enough')
    await expect(auth.getAccessToken({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('stops waiting with the reason of the signal, and the renewal goes on', async () => {
    const { auth, refresh, clock } = rig(dead)
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

  it('stops waiting for minValidity, too', async () => {
    const { auth, refresh, clock } = rig()
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
  it('gives a token that lives that long', async () => {
    const { auth, refresh, clock } = rig()
    await clock.advance(LIFETIME / 2)
    expect(await auth.getAccessToken({ minValidity: LIFETIME / 2 })).toBe(`${SECRET}-at-1`)
    expect(refresh.calls).toHaveLength(0)
  })

  it('renews one that does not', async () => {
    const { auth, refresh, clock } = rig()
    await clock.advance(LIFETIME / 2 + 1)
    const token = auth.getAccessToken({ minValidity: LIFETIME / 2 })
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    expect(await token).toBe(`${SECRET}-at-2`)
  })

  it('asks for half the life at most: what no token can give renews nothing', async () => {
    const { auth, refresh } = rig()
    for (let call = 0; call < 3; call++) await auth.getAccessToken({ minValidity: 10 * LIFETIME })
    expect(refresh.calls).toHaveLength(0)
  })

  it('takes a token of unknown life as it is', async () => {
    const { auth } = rig({ initialTokens: { access_token: `${SECRET}-at-1` } })
    expect(await auth.getAccessToken({ minValidity: LIFETIME })).toBe(`${SECRET}-at-1`)
  })

  it('rejects where the last token of a session is too short', async () => {
    const { auth, refresh, clock } = rig()
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

  it('ends with a sign-out during the renewal', async () => {
    const { auth, clock } = rig()
    await clock.advance(LIFETIME * 0.8)
    const token = watch(auth.getAccessToken({ minValidity: LIFETIME / 2, allowAnonymous: true }))
    await clock.advance(0)
    await auth.signOut()
    expect(token.error).toMatchObject({ code: 'signed_out' })
  })
})

describe('a hold', () => {
  it('ends after timeouts.hold, and so does the wait for a renewal', async () => {
    const { auth, clock } = rig({ ...dead, timeouts: { hold: 5_000, refresh: 60_000 } })
    const token = watch(auth.getAccessToken())
    const renewed = watch(auth.refresh())
    await clock.advance(4_999)
    expect([token.state, renewed.state]).toEqual(['pending', 'pending'])
    await clock.advance(1)
    for (const { error } of [token, renewed]) expect(error).toMatchObject({ code: 'hold_timeout' })
  })

  it('is bounded in number by queueLimit', async () => {
    const { auth, clock, refresh, events } = rig({ ...dead, queueLimit: 2 })
    const held = [auth.getAccessToken(), auth.getAccessToken()].map(watch)
    const turnedAway = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(turnedAway.error).toMatchObject({ code: 'queue_full' })
    expect(turnedAway.error.message).toContain('2 requests')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled'])
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'requestRejected', count: 1, reason: 'queue_full' }),
    )
  })

  it('is told once for a burst, and what became of it', async () => {
    const { auth, clock, events } = rig({ ...dead, timeouts: { hold: 5_000, refresh: 60_000 } })
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
