import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory.ts'
import { LIFETIME, refused, rig, SECRET, tokens, watch } from './auth-setup.ts'

describe('refresh()', () => {
  it('renews now and resolves to the new session', async () => {
    const { auth, refresh, clock, told } = rig()
    const session = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { scope: 'read' }))
    expect(await session).toBe(auth.session)
    expect(auth.session).toMatchObject({ generation: 2, epoch: 1, scope: 'read' })
    expect(told()).toEqual(['refreshed'])
  })

  it('joins the renewal under way, even one that backs off', async () => {
    const { auth, refresh, clock } = rig()
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

  it('waits for the stored session first', async () => {
    const storage = memoryStorage()
    const seed = rig({ storage })
    await seed.clock.advance(0)
    const { auth, refresh } = rig({ storage, signedOut: true, clock: seed.clock })
    const session = auth.refresh()
    await seed.clock.advance(0)
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-1`)
    refresh.call().resolve(tokens(2))
    expect(await session).toMatchObject({ generation: 2 })
  })

  it.each([
    ['nobody is signed in', { signedOut: true }, 'signed_out'],
    ['the session is over', { initialTokens: tokens(1, { expires_in: 0 }) }, 'session_expired'],
  ])('rejects where %s', async (_, options, code) => {
    const { auth, refresh, clock } = rig(options)
    await clock.advance(0)
    if (code === 'session_expired') refresh.call().reject(refused())
    await clock.advance(0)
    await expect(auth.refresh()).rejects.toMatchObject({ code })
    expect(refresh.calls).toHaveLength(code === 'session_expired' ? 1 : 0)
  })

  it('rejects with the reason of a refusal, while the old token goes on working', async () => {
    const { auth, refresh, clock, at, told } = rig()
    const session = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(session.error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    expect(at('authenticated.terminal')).toBe(true)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    expect(refresh.calls).toHaveLength(1)
    expect(told()).toEqual(['refreshFailed'])
  })

  it('rejects with the sign-out that came meanwhile', async () => {
    const { auth, clock } = rig()
    const session = watch(auth.refresh())
    await clock.advance(0)
    await auth.signOut()
    expect(session.error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
  })

  it('keeps the refresh token, the scope and the subject that the answer leaves out', async () => {
    const { auth, refresh, clock } = rig({ initialTokens: tokens(1, { scope: 'read', subject: 'ada' }) })
    for (const n of [2, 3]) {
      const session = auth.refresh()
      await clock.advance(0)
      expect(refresh.call().argument).toMatchObject({ refreshToken: `${SECRET}-rt-1`, scope: 'read' })
      refresh.call().resolve({ access_token: `${SECRET}-at-${n}` })
      expect(await session).toMatchObject({ scope: 'read', subject: 'ada' })
    }
  })

  it('is not tried for a refresh token that ran out', async () => {
    const { auth, refresh, clock, at } = rig({ initialTokens: tokens(1, { refresh_token_expires_in: 60 }) })
    expect(at('authenticated.renewable')).toBe(true)
    const session = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { refresh_token_expires_in: 0 }))
    await session
    expect(at('authenticated.terminal')).toBe(true)
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    expect(auth.actor.getSnapshot().context.reason).toBe('token_expired')
    expect(refresh.calls).toHaveLength(1)
  })
})

describe('ready()', () => {
  it('resolves at once where there is nothing to restore', async () => {
    const { auth } = rig({ signedOut: true })
    await auth.ready()
    expect(auth.state).toBe('anonymous')
  })

  it('resolves once the store was read, with requests held until then', async () => {
    const storage = memoryStorage()
    const seed = rig({ storage })
    await seed.clock.advance(0)
    const { auth, clock } = rig({ storage, signedOut: true, clock: seed.clock })
    expect(auth.state).toBe('restoring')
    const token = watch(auth.getAccessToken())
    await auth.ready()
    expect(auth.state).toBe('authenticated')
    await clock.advance(0)
    expect(token.value).toBe(`${SECRET}-at-1`)
  })

  it('resolves where the restored token is dead, and its renewal has begun', async () => {
    const { auth, refresh, clock } = rig({ initialTokens: tokens(1, { expires_in: 0 }) })
    await auth.ready()
    expect(auth.state).toBe('refreshing')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
  })
})

describe('silentSignIn', () => {
  const silent = { signedOut: true, silentSignIn: true }

  it('asks once at the start whether a session lives in a cookie', async () => {
    const { auth, refresh, clock, told } = rig(silent)
    const token = watch(auth.getAccessToken())
    await clock.advance(0)
    expect(auth.state).toBe('restoring')
    expect(refresh.call().argument.refreshToken).toBeUndefined()
    refresh.call().resolve({ access_token: `${SECRET}-at-1`, expires_in: 600 })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(auth.session).toMatchObject({ generation: 1, epoch: 1 })
    expect(token.value).toBe(`${SECRET}-at-1`)
    expect(told()).toContain('signedIn')
  })

  it('finds nobody where the server says so, and says nothing of it', async () => {
    const { auth, refresh, clock, told } = rig(silent)
    await clock.advance(0)
    refresh.call().reject(new Response(null, { status: 401 }))
    await clock.advance(0)
    expect(auth.state).toBe('anonymous')
    expect(told()).toEqual([])
  })

  it('tries again where the server is out of order, and gives up after the last try', async () => {
    const { auth, refresh, clock } = rig({ ...silent, retry: { attempts: 2, jitter: false } })
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

  it('goes on as a session in a cookie: renewed without a refresh token', async () => {
    const { auth, refresh, clock } = rig(silent)
    await clock.advance(0)
    refresh.call().resolve({ access_token: `${SECRET}-at-1`, expires_in: 600 })
    await clock.advance(540_000)
    expect(refresh.calls).toHaveLength(2)
    expect(refresh.call().argument.refreshToken).toBeUndefined()
    refresh.call().resolve({ access_token: `${SECRET}-at-2`, expires_in: 600 })
    await clock.advance(0)
    expect(auth.session?.generation).toBe(2)
  })

  it('asks the store first', async () => {
    const storage = memoryStorage()
    const seed = rig({ storage })
    await seed.clock.advance(0)
    const { auth, refresh } = rig({ ...silent, storage, clock: seed.clock })
    await seed.clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(refresh.calls).toHaveLength(0)
  })
})
