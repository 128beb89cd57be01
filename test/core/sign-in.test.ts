import { describe, expect, it } from 'vitest'
import { LIFETIME, refused, rig, SECRET, tokens, watch } from './auth-setup.ts'

describe('signing in', () => {
  it('hands the credentials over and resolves to the session', async () => {
    const { auth, signIn, told } = rig({ signedOut: true })
    expect(auth.state).toBe('anonymous')
    const session = auth.signIn('ada')
    expect(auth.state).toBe('authenticating')
    await Promise.resolve()
    expect(signIn.call().argument).toBe('ada')
    signIn.call().resolve(tokens(1, { scope: 'read', subject: 'u1' }))
    expect(await session).toEqual({
      subject: 'u1',
      scope: 'read',
      expiresAt: expect.any(Number),
      generation: 1,
      epoch: 1,
    })
    expect(auth.session).toBe(await session)
    expect(auth.state).toBe('authenticated')
    expect(told()).toEqual(['signedIn'])
  })

  it('finds the chart in authenticated when it resolves', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const state = auth.signIn('ada').then(() => auth.state)
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    expect(await state).toBe('authenticated')
  })

  it.each([
    ['an error', new Error('wrong password')],
    ['what is no error', { code: 7 }],
    ['nothing', undefined],
  ])('rejects with %s, unchanged, and stays signed out', async (_, thrown) => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().reject(thrown)
    await clock.advance(0)
    expect(failure).toEqual({ state: 'rejected', error: thrown })
    expect(auth.state).toBe('anonymous')
  })

  it('rejects what is no token response, quoting none of it', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve({ access_token: `${SECRET}\n` })
    await clock.advance(0)
    expect(failure.error).toMatchObject({ code: 'invalid_token_response' })
    expect(failure.error.message).not.toContain(SECRET)
  })

  it('takes a Response as it is returned, and throws the one that is not ok', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const refusal = watch(auth.signIn('ada'))
    await clock.advance(0)
    const answer = Response.json(refused(), { status: 400 })
    signIn.call().resolve(answer as object)
    await clock.advance(0)
    expect(refusal.error).toBe(answer)
    const session = auth.signIn('ada')
    await clock.advance(0)
    signIn.call().resolve(Response.json(tokens(1)) as object)
    expect(await session).toMatchObject({ generation: 1 })
  })

  it('rejects an OAuth error body that was returned instead of thrown', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const refusal = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve(refused('access_denied') as object)
    await clock.advance(0)
    expect(refusal.error).toEqual(refused('access_denied'))
  })

  it('ends after timeouts.signIn, aborts, and discards what comes later', async () => {
    const revoked: unknown[] = []
    const signals: { aborted: boolean }[] = []
    const { auth, signIn, clock, told } = rig({
      signedOut: true,
      timeouts: { signIn: 1_000 },
      signIn: (credentials, { signal }) => {
        signals.push(signal)
        return signIn.run(credentials)
      },
      revoke: (given) => void revoked.push(given),
    })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(999)
    expect(failure.state).toBe('pending')
    await clock.advance(1)
    expect(failure.error).toMatchObject({ name: 'SignInTimeoutError', code: 'sign_in_timeout' })
    expect(signals[0]?.aborted).toBe(true)
    expect(auth.state).toBe('anonymous')
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect(auth.session).toBeUndefined()
    expect(revoked).toEqual([{ accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` }])
    expect(told()).toContain('discarded')
  })

  it('is superseded by a second one, whose session wins whatever comes first', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const first = watch(auth.signIn('ada'))
    await clock.advance(0)
    const second = watch(auth.signIn('bob'))
    await clock.advance(0)
    expect(first.error).toMatchObject({
      code: 'signed_out',
      reason: 'superseded',
      message: 'Another sign-in took the place of this one.',
    })
    signIn.call(1).resolve(tokens(2, { subject: 'bob' }))
    await clock.advance(0)
    signIn.call(0).resolve(tokens(1, { subject: 'ada' }))
    await clock.advance(0)
    expect(second).toMatchObject({ state: 'fulfilled', value: { subject: 'bob' } })
    expect(auth.session?.subject).toBe('bob')
  })

  it('is ended by a sign-out during it', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    await auth.signOut()
    expect(failure.error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
  })

  it('goes back to the session there was, when it fails', async () => {
    const { auth, signIn, clock } = rig()
    const before = auth.session
    const failure = watch(auth.signIn('bob'))
    await clock.advance(0)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(failure.state).toBe('rejected')
    expect(auth.state).toBe('authenticated')
    expect(auth.session).toBe(before)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
  })

  it('goes back to the renewal there was, and joins it instead of asking again', async () => {
    const { auth, signIn, refresh, clock } = rig()
    const renewed = watch(auth.refresh())
    await clock.advance(0)
    const failure = watch(auth.signIn('bob'))
    await clock.advance(9_000)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(failure.state).toBe('rejected')
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(renewed.state).toBe('fulfilled')
    expect(auth.session?.generation).toBe(2)
  })

  it.each(['expired', 'loggedOut'] as const)('goes back to %s when it fails there', async (state) => {
    const { auth, signIn, refresh, clock } = rig()
    if (state === 'loggedOut') await auth.signOut()
    else {
      await clock.advance(LIFETIME - 60_000)
      refresh.call().reject(refused())
      await clock.advance(60_000)
    }
    expect(auth.state).toBe(state)
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(failure.state).toBe('rejected')
    expect(auth.state).toBe(state)
  })

  it('says what is missing where there is no signIn function', async () => {
    const { auth } = rig({ signedOut: true, signIn: undefined as never })
    await expect(auth.signIn('ada')).rejects.toThrow(/given no signIn function/)
    expect(auth.state).toBe('anonymous')
  })
})

describe('what comes while a sign-in is in flight', () => {
  it('rejects the sign-in that setTokens overtook, once its answer is there', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    await auth.setTokens(tokens(5, { subject: 'bob' }))
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect(failure.error).toMatchObject({ code: 'signed_out', reason: 'superseded' })
    expect(auth.session?.subject).toBe('bob')
  })

  it('rejects the sign-in that setTokens overtook while its tokens were being stored', async () => {
    const storage = { read: () => undefined, write: () => new Promise<never>(() => {}), clear: () => {} }
    const { auth, signIn, clock } = rig({ signedOut: true, storage })
    await clock.advance(0)
    const session = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect(session.state).toBe('pending')
    void auth.setTokens(tokens(5, { subject: 'bob' }))
    await clock.advance(4_000)
    expect(session.error).toMatchObject({ code: 'signed_out', reason: 'superseded' })
    expect(auth.session?.subject).toBe('bob')
  })

  it('rejects the sign-in that setTokens overtook, where it fails', async () => {
    const { auth, signIn, clock } = rig({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    await auth.setTokens(tokens(5))
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(failure.state).toBe('rejected')
  })

  it('does not give the sign-in up when a renewal ends', async () => {
    const { auth, signIn, refresh, clock } = rig()
    const renewed = watch(auth.refresh())
    await clock.advance(0)
    const session = watch(auth.signIn('bob'))
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('authenticating')
    signIn.call().resolve(tokens(9, { subject: 'bob' }))
    await clock.advance(0)
    expect(session).toMatchObject({ state: 'fulfilled', value: { subject: 'bob' } })
    expect(auth.session?.subject).toBe('bob')
    expect(renewed.state).not.toBe('pending')
  })

  it('keeps the renewed tokens where the sign-in fails after all', async () => {
    const { auth, signIn, refresh, clock } = rig()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    void auth.signIn('bob').catch(() => {})
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
    expect(auth.actor.getSnapshot().context.generation).toBe(2)
    expect(refresh.calls).toHaveLength(1)
  })

  it('renews after a sign-in that failed, where refresh() was called during it', async () => {
    const { auth, signIn, refresh, clock } = rig()
    void auth.signIn('bob').catch(() => {})
    await clock.advance(0)
    const renewed = watch(auth.refresh())
    await clock.advance(0)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(renewed).toMatchObject({ state: 'fulfilled', value: { generation: 2 } })
  })

  it('takes the new session for the answer of a refresh() that was called during it', async () => {
    const { auth, signIn, refresh, clock } = rig()
    const session = watch(auth.signIn('bob'))
    await clock.advance(0)
    const renewed = watch(auth.refresh())
    await clock.advance(0)
    signIn.call().resolve(tokens(9, { subject: 'bob' }))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(renewed).toMatchObject({ state: 'fulfilled', value: { subject: 'bob' } })
    expect(refresh.calls).toHaveLength(0)
  })
})

describe('in cookie mode, a sign-in that is answered too late', () => {
  it('is not revoked where its cookie has brought the session back meanwhile', async () => {
    const revoked: unknown[] = []
    const { auth, refresh, signIn, clock } = rig({
      signedOut: true,
      silentSignIn: true,
      timeouts: { signIn: 1_000 },
      revoke: (given) => void revoked.push(given),
    })
    const inCookie = (n: number) => tokens(n, { refresh_token: undefined })
    const signedIn = watch(auth.signIn('ada'))
    await clock.advance(1_000)
    expect(signedIn.error).toMatchObject({ code: 'sign_in_timeout' })
    expect(refresh.calls).toHaveLength(1)
    signIn.call().resolve(inCookie(1))
    await clock.advance(0)
    refresh.call().resolve(inCookie(2))
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(revoked).toEqual([])
  })
})
