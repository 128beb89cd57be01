import { describe, expect, it } from 'vitest'
import { createHarness, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

describe('signing in', () => {
  it('passes the credentials on and resolves to the session', async () => {
    const { auth, signIn, emitted } = createHarness({ signedOut: true })
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
    expect(emitted()).toEqual(['signedIn'])
  })

  it('resolves after the chart has entered authenticated', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const state = auth.signIn('ada').then(() => auth.state)
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    expect(await state).toBe('authenticated')
  })

  it.each([
    ['an error', new Error('wrong password')],
    ['a value that is not an Error', { code: 7 }],
    ['undefined', undefined],
  ])('rejects with %s unchanged if that was thrown, and stays signed out', async (_, thrown) => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().reject(thrown)
    await clock.advance(0)
    expect(failure).toEqual({ state: 'rejected', error: thrown })
    expect(auth.state).toBe('anonymous')
  })

  it('rejects an invalid token response without quoting it', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve({ access_token: `${SECRET}\n` })
    await clock.advance(0)
    expect(failure.error).toMatchObject({ code: 'invalid_token_response' })
    expect(failure.error.message).not.toContain(SECRET)
  })

  it('accepts a returned Response, and throws one that is not ok', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
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

  it('rejects with an OAuth error body that was returned instead of thrown', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const refusal = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve(refused('access_denied') as object)
    await clock.advance(0)
    expect(refusal.error).toEqual(refused('access_denied'))
  })

  it('times out after timeouts.signIn, aborts its signal, and discards a late answer', async () => {
    const revoked: unknown[] = []
    const signals: { aborted: boolean }[] = []
    const { auth, signIn, clock, emitted } = createHarness({
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
    expect(emitted()).toContain('discarded')
  })

  it.each([
    ['dropped if the same user', 'ada', 0],
    ['revoked if another user', 'eve', 1],
  ])(
    'that times out or is replaced is %s is signed in when its answer comes',
    async (_, second, revocations) => {
      for (const delay of [0, 1_000]) {
        const revoked: unknown[] = []
        const { auth, signIn, clock } = createHarness({
          signedOut: true,
          timeouts: { signIn: 1_000 },
          revoke: (given) => void revoked.push(given),
        })
        watch(auth.signIn('first'))
        await clock.advance(delay)
        const session = auth.signIn('again')
        await clock.advance(0)
        signIn.call(signIn.calls.length - 1).resolve(tokens(2, { subject: second }))
        await session
        // A server may end all sessions of one grant with it.
        signIn.call(0).resolve(tokens(1, { subject: 'ada' }))
        await clock.advance(0)
        expect(signIn.calls).toHaveLength(2)
        expect(revoked).toHaveLength(revocations)
        expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
      }
    },
  )

  it('is superseded by a second sign-in, whichever answer comes first', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const first = watch(auth.signIn('ada'))
    await clock.advance(0)
    const second = watch(auth.signIn('bob'))
    await clock.advance(0)
    expect(first.error).toMatchObject({
      code: 'signed_out',
      reason: 'superseded',
      message: 'Another sign-in replaced this one.',
    })
    signIn.call(1).resolve(tokens(2, { subject: 'bob' }))
    await clock.advance(0)
    signIn.call(0).resolve(tokens(1, { subject: 'ada' }))
    await clock.advance(0)
    expect(second).toMatchObject({ state: 'fulfilled', value: { subject: 'bob' } })
    expect(auth.session?.subject).toBe('bob')
  })

  it('is rejected by a sign-out during it', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    await auth.signOut()
    expect(failure.error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
  })

  it('returns to the earlier session if it fails', async () => {
    const { auth, signIn, clock } = createHarness()
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

  it('returns to the running refresh if it fails, and joins it instead of starting another', async () => {
    const { auth, signIn, refresh, clock } = createHarness()
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    const failure = watch(auth.signIn('bob'))
    await clock.advance(9_000)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(failure.state).toBe('rejected')
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(auth.session?.generation).toBe(2)
  })

  it.each(['expired', 'loggedOut'] as const)('returns to %s if it fails there', async (state) => {
    const { auth, signIn, refresh, clock } = createHarness()
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

  it('rejects with an explanation without a signIn function', async () => {
    const { auth } = createHarness({ signedOut: true, signIn: undefined as never })
    await expect(auth.signIn('ada')).rejects.toThrow(/given no signIn function/)
    expect(auth.state).toBe('anonymous')
  })
})

describe('during a sign-in in flight', () => {
  it('setTokens() supersedes the sign-in, which rejects once its answer arrives', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    await auth.setTokens(tokens(5, { subject: 'bob' }))
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    expect(failure.error).toMatchObject({ code: 'signed_out', reason: 'superseded' })
    expect(auth.session?.subject).toBe('bob')
  })

  it('setTokens() supersedes the sign-in while its tokens are being stored', async () => {
    const storage = { read: () => undefined, write: () => new Promise<never>(() => {}), clear: () => {} }
    const { auth, signIn, clock } = createHarness({ signedOut: true, storage })
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

  it('setTokens() leaves the sign-in rejected if its function fails', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    await auth.setTokens(tokens(5))
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(failure.state).toBe('rejected')
  })

  it('the end of a refresh does not abandon the sign-in', async () => {
    const { auth, signIn, refresh, clock } = createHarness()
    const refreshed = watch(auth.refresh())
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
    expect(refreshed.state).not.toBe('pending')
  })

  it('refreshed tokens are kept if the sign-in fails after all', async () => {
    const { auth, signIn, refresh, clock } = createHarness()
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

  it('refresh() waits for the sign-in, and refreshes after its failure', async () => {
    const { auth, signIn, refresh, clock } = createHarness()
    void auth.signIn('bob').catch(() => {})
    await clock.advance(0)
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    signIn.call().reject(new Error('no'))
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed).toMatchObject({ state: 'fulfilled', value: { generation: 2 } })
  })

  it('refresh() waits for the sign-in, and resolves to its new session', async () => {
    const { auth, signIn, refresh, clock } = createHarness()
    const session = watch(auth.signIn('bob'))
    await clock.advance(0)
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    signIn.call().resolve(tokens(9, { subject: 'bob' }))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(refreshed).toMatchObject({ state: 'fulfilled', value: { subject: 'bob' } })
    expect(refresh.calls).toHaveLength(0)
  })
})

describe('a late sign-in answer in cookie mode', () => {
  it('is not revoked if its cookie has restored the session meanwhile', async () => {
    const revoked: unknown[] = []
    const { auth, refresh, signIn, clock } = createHarness({
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
