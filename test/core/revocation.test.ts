import { describe, expect, it } from 'vitest'
import type { RevocableTokens } from '../../src/index.ts'
import { createHarness, LIFETIME, SECRET, scripted, tokens, watch } from './auth-setup.ts'

const SERVER_ERROR = { reason: 'server_error', status: 503 }

/** A signed-in session whose revocations the test answers. */
function revoking(options: object = {}) {
  const revoke = scripted<RevocableTokens>()
  const harness = createHarness({
    initialTokens: tokens(1),
    revoke: (given) => revoke.run(given),
    retry: { minDelay: 1_000 },
    ...options,
  })
  const failures = () => harness.events.filter(({ type }) => type === 'revocationFailed')
  return { ...harness, revoke, failures }
}

const answer = (status: number, headers: Record<string, string> = {}) =>
  new Response(null, { status, headers }) as never

describe('a revocation that fails', () => {
  it.each([
    ['a 503 that is returned', (call: Call) => call.resolve(answer(503)), SERVER_ERROR],
    ['a 503 that is thrown', (call: Call) => call.reject(answer(503)), SERVER_ERROR],
    ['a lost answer', (call: Call) => call.reject(new TypeError(`${SECRET} failed`)), { reason: 'network' }],
    [
      'an error of OAuth',
      (call: Call) => call.resolve({ error: 'temporarily_unavailable' } as never),
      { reason: 'server_error' },
    ],
  ])('is attempted once more after %s, and then emitted', async (_, fail, facts) => {
    const { auth, clock, revoke, failures } = revoking()
    const out = watch(auth.signOut())
    await clock.advance(0)
    fail(revoke.call())
    await clock.advance(999)
    expect(revoke.calls).toHaveLength(1)
    expect(failures()).toEqual([])
    await clock.advance(1)
    fail(revoke.call(1))
    await clock.advance(0)
    expect(out.state).toBe('fulfilled')
    expect(failures()).toEqual([expect.objectContaining(facts)])
    expect(JSON.stringify(failures())).not.toContain(SECRET)
    await clock.advance(LIFETIME)
    expect(revoke.calls).toHaveLength(2)
    expect(revoke.calls.map(({ argument }) => argument)).toEqual([
      { accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` },
      { accessToken: `${SECRET}-at-1`, refreshToken: `${SECRET}-rt-1` },
    ])
  })

  it('emits nothing if the second attempt succeeds', async () => {
    const { auth, clock, revoke, failures } = revoking()
    const out = watch(auth.signOut())
    await clock.advance(0)
    revoke.call().resolve(answer(503))
    await clock.advance(1_000)
    revoke.call(1).resolve(answer(200))
    await clock.advance(0)
    expect(out.state).toBe('fulfilled')
    expect(failures()).toEqual([])
  })

  it('waits as long as the server asked, in the background after timeouts.revoke', async () => {
    const { auth, clock, revoke, failures } = revoking()
    const out = watch(auth.signOut())
    await clock.advance(0)
    revoke.call().resolve(answer(503, { 'retry-after': '20' }))
    await clock.advance(5_000)
    expect(out.state).toBe('fulfilled')
    expect(auth.state).toBe('loggedOut')
    await clock.advance(14_999)
    expect(revoke.calls).toHaveLength(1)
    await clock.advance(1)
    revoke.call(1).resolve(answer(503))
    await clock.advance(0)
    expect(failures()).toEqual([expect.objectContaining(SERVER_ERROR)])
  })

  it.each([400, 401])('is not attempted again after a refusal with %d', async (status) => {
    const { auth, clock, revoke, failures } = revoking()
    const out = watch(auth.signOut())
    await clock.advance(0)
    revoke.call().reject(Object.assign(new Error('no'), { status, data: { error: 'invalid_client' } }))
    await clock.advance(0)
    expect(out.state).toBe('fulfilled')
    expect(failures()).toEqual([expect.objectContaining({ reason: 'invalid_client', status })])
  })

  it('is emitted if no answer comes, and signOut() waits no longer than timeouts.revoke', async () => {
    const { auth, clock, failures, revoke } = revoking()
    const out = watch(auth.signOut())
    await clock.advance(5_000)
    expect(out.state).toBe('fulfilled')
    await clock.advance(6_000)
    expect(revoke.calls).toHaveLength(1)
    expect(failures()).toEqual([expect.objectContaining({ reason: 'timeout' })])
  })

  it('is not attempted again after dispose(), which leaves no timer', async () => {
    const { auth, clock, revoke } = revoking()
    void auth.signOut()
    await clock.advance(0)
    revoke.call().resolve(answer(503))
    await clock.advance(0)
    auth.dispose()
    await clock.advance(0)
    expect(clock.pending).toBe(0)
    await clock.advance(LIFETIME)
    expect(revoke.calls).toHaveLength(1)
  })

  it('does not end a session that a cookie holds for a later sign-in', async () => {
    const { auth, clock, refresh, signIn, revoke } = revoking({
      silentSignIn: true,
      initialTokens: undefined,
    })
    await clock.advance(0)
    refresh.call().resolve({ access_token: `${SECRET}-at-1` })
    await clock.advance(0)
    void auth.signOut()
    await clock.advance(0)
    revoke.call().resolve(answer(503))
    await clock.advance(0)
    void auth.signIn('ada')
    await clock.advance(0)
    signIn.call().resolve({ access_token: `${SECRET}-at-2` })
    await clock.advance(10_000)
    expect(auth.state).toBe('authenticated')
    for (const { argument } of revoke.calls.slice(1)) expect(argument.accessToken).toBe(`${SECRET}-at-1`)
  })
})

type Call = ReturnType<ReturnType<typeof scripted<RevocableTokens>>['call']>

describe('a sign-in while a session is being revoked', () => {
  it('emits first that the user before has signed out', async () => {
    const { auth, clock, events, revoke } = revoking({ signIn: async () => tokens(2, { subject: 'bob' }) })
    void auth.signOut()
    await clock.advance(100)
    await Promise.all([auth.signIn(undefined as never), clock.advance(0)])
    const ends = events.filter(({ type }) => type === 'signedOut' || type === 'signedIn')
    expect(ends.map(({ type }) => type)).toEqual(['signedOut', 'signedIn'])
    revoke.call().resolve(undefined as never)
    await clock.advance(0)
    expect(events.filter(({ type }) => type === 'signedOut')).toHaveLength(1)
    expect(auth.session?.subject).toBe('bob')
  })
})
