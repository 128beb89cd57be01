import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createHarness, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

describe('refresh()', () => {
  it('refreshes now and resolves to the new session', async () => {
    const { auth, refresh, clock, emitted } = createHarness()
    const session = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { scope: 'read' }))
    expect(await session).toBe(auth.session)
    expect(auth.session).toMatchObject({ generation: 2, epoch: 1, scope: 'read' })
    expect(emitted()).toEqual(['refreshed'])
  })

  it('joins the refresh that is running, even if it backs off', async () => {
    const { auth, refresh, clock } = createHarness()
    const first = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().reject(new Response(null, { status: 500 }))
    await clock.advance(0)
    const second = watch(auth.refresh())
    await clock.advance(250)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect([first.state, second.state]).toEqual(['fulfilled', 'fulfilled'])
  })

  it('waits until the stored session has been restored', async () => {
    const storage = memoryStorage()
    const seed = createHarness({ storage })
    await seed.clock.advance(0)
    const { auth, refresh } = createHarness({ storage, signedOut: true, clock: seed.clock })
    const session = auth.refresh()
    await seed.clock.advance(0)
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-1`)
    refresh.call().resolve(tokens(2))
    expect(await session).toMatchObject({ generation: 2 })
  })

  it.each([
    ['the user is signed out', { signedOut: true }, 'signed_out'],
    ['the session has expired', { initialTokens: tokens(1, { expires_in: 0 }) }, 'session_expired'],
  ])('rejects if %s', async (_, options, code) => {
    const { auth, refresh, clock } = createHarness(options)
    await clock.advance(0)
    if (code === 'session_expired') refresh.call().reject(refused())
    await clock.advance(0)
    await expect(auth.refresh()).rejects.toMatchObject({ code })
    expect(refresh.calls).toHaveLength(code === 'session_expired' ? 1 : 0)
  })

  it('rejects with the reason of the server, while the old access token still works', async () => {
    const { auth, refresh, clock, at, emitted } = createHarness()
    const session = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(session.error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    expect(at('authenticated.lastToken')).toBe(true)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    expect(refresh.calls).toHaveLength(1)
    expect(emitted()).toEqual(['refreshFailed'])
  })

  it('rejects if the user signs out meanwhile', async () => {
    const { auth, clock } = createHarness()
    const session = watch(auth.refresh())
    await clock.advance(0)
    await auth.signOut()
    expect(session.error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
  })

  it('keeps the refresh token, the scope and the subject if the answer omits them', async () => {
    const { auth, refresh, clock } = createHarness({
      initialTokens: tokens(1, { scope: 'read', subject: 'ada' }),
    })
    for (const n of [2, 3]) {
      const session = auth.refresh()
      await clock.advance(0)
      expect(refresh.call().argument).toMatchObject({ refreshToken: `${SECRET}-rt-1`, scope: 'read' })
      refresh.call().resolve({ access_token: `${SECRET}-at-${n}` })
      expect(await session).toMatchObject({ scope: 'read', subject: 'ada' })
    }
  })

  it('is not attempted with an expired refresh token', async () => {
    const { auth, refresh, clock, at } = createHarness({
      initialTokens: tokens(1, { refresh_token_expires_in: 60 }),
    })
    expect(at('authenticated.refreshable')).toBe(true)
    const session = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { refresh_token_expires_in: 0 }))
    await session
    expect(at('authenticated.lastToken')).toBe(true)
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    expect(auth.actor.getSnapshot().context.reason).toBe('token_expired')
    expect(refresh.calls).toHaveLength(1)
  })
})

describe('ready()', () => {
  it('resolves at once if there is nothing to restore', async () => {
    const { auth } = createHarness({ signedOut: true })
    await auth.ready()
    expect(auth.state).toBe('anonymous')
  })

  it('resolves once the store has been read, and requests are held until then', async () => {
    const storage = memoryStorage()
    const seed = createHarness({ storage })
    await seed.clock.advance(0)
    const { auth, clock } = createHarness({ storage, signedOut: true, clock: seed.clock })
    expect(auth.state).toBe('restoring')
    const token = watch(auth.getAccessToken())
    await auth.ready()
    expect(auth.state).toBe('authenticated')
    await clock.advance(0)
    expect(token.value).toBe(`${SECRET}-at-1`)
  })

  it('resolves once the refresh has started if the restored token has expired', async () => {
    const { auth, refresh, clock } = createHarness({ initialTokens: tokens(1, { expires_in: 0 }) })
    await auth.ready()
    expect(auth.state).toBe('refreshing')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
  })
})

describe('silentSignIn', () => {
  const silent = { signedOut: true, silentSignIn: true }

  it('checks once at the start whether a cookie contains a session', async () => {
    const { auth, refresh, clock, emitted } = createHarness(silent)
    const token = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(auth.state).toBe('restoring')
    expect(refresh.call().argument.refreshToken).toBeUndefined()
    refresh.call().resolve({ access_token: `${SECRET}-at-1`, expires_in: 600 })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(auth.session).toMatchObject({ generation: 1, epoch: 1 })
    expect(token.value).toBe(`${SECRET}-at-1`)
    expect(emitted()).toContain('signedIn')
  })

  it('stays anonymous without an event if the server finds no session', async () => {
    const { auth, refresh, clock, emitted } = createHarness(silent)
    await clock.advance(0)
    refresh.call().reject(new Response(null, { status: 401 }))
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(emitted()).toEqual([])
  })

  it('retries if the server is unavailable, and gives up after the last attempt', async () => {
    const { auth, refresh, clock } = createHarness({ ...silent, retry: { attempts: 2, jitter: 0 } })
    await clock.advance(0)
    refresh.call().reject(new Response(null, { status: 503 }))
    await clock.advance(249)
    expect(auth.state).toBe('restoring')
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    refresh.call().reject(new Response(null, { status: 503 }))
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(auth.history.filter(({ type }) => type === 'refreshFailed')).toHaveLength(2)
  })

  it('refreshes a cookie session without a refresh token', async () => {
    const { auth, refresh, clock } = createHarness(silent)
    await clock.advance(0)
    refresh.call().resolve({ access_token: `${SECRET}-at-1`, expires_in: 600 })
    await clock.advance(540_000)
    expect(refresh.calls).toHaveLength(2)
    expect(refresh.call().argument.refreshToken).toBeUndefined()
    refresh.call().resolve({ access_token: `${SECRET}-at-2`, expires_in: 600 })
    await clock.advance(0)
    expect(auth.session?.generation).toBe(2)
  })

  it('is not attempted if the store contains a session', async () => {
    const storage = memoryStorage()
    const seed = createHarness({ storage })
    await seed.clock.advance(0)
    const { auth, refresh } = createHarness({ ...silent, storage, clock: seed.clock })
    await seed.clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(refresh.calls).toHaveLength(0)
  })
})
