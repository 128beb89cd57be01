import { describe, expect, it, vi } from 'vitest'
import type { SessionRecord } from '../../src/core/ports.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createHarness, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

describe('one refresh', () => {
  it('passes the refresh token, the last granted scope and a signal to the refresh function', async () => {
    const { auth, refresh, clock } = createHarness({ initialTokens: tokens(1, { scope: 'read' }) })
    void auth.refresh()
    await clock.advance(0)
    expect(refresh.call().argument).toEqual({
      refreshToken: `${SECRET}-rt-1`,
      scope: 'read',
      signal: expect.any(AbortSignal),
    })
    refresh.call().resolve(tokens(2, { scope: 'write' }))
    await clock.advance(0)
    void auth.refresh()
    await clock.advance(0)
    expect(refresh.call().argument).toMatchObject({ refreshToken: `${SECRET}-rt-2`, scope: 'write' })
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
  })

  it('is shared by all calls that are made while it runs', async () => {
    const { auth, refresh, clock } = createHarness()
    await clock.advance(LIFETIME * 0.6)
    const token = auth.getAccessToken({ minValidity: LIFETIME })
    const all = [auth.refresh(), auth.refresh(), token.then(() => auth.session)]
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    const sessions = await Promise.all(all)
    expect(sessions.map((session) => session?.generation)).toEqual([2, 2, 2])
    expect(refresh.calls).toHaveLength(1)
  })

  it('accepts a Response that the refresh function returns', async () => {
    const { auth, refresh, clock } = createHarness()
    const session = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(Response.json(tokens(2)) as object)
    expect(await session).toMatchObject({ generation: 2 })
  })

  it('fails if the refresh function returns a Response that is not ok', async () => {
    const { auth, refresh, clock, events } = createHarness()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().resolve(Response.json(refused(), { status: 400 }) as object)
    const failed = { type: 'refreshFailed', reason: 'invalid_grant', status: 400, fatal: true }
    // The platform reads the body, which takes real time.
    await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining(failed)))
  })

  it('treats a refresh function that throws synchronously like one that rejects', async () => {
    const { auth, clock, events } = createHarness({
      refresh: () => {
        throw refused()
      },
    })
    const failure = watch(auth.refresh())
    await clock.advance(0)
    expect(failure.error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    expect(events).toContainEqual(expect.objectContaining({ type: 'refreshFailed', fatal: true }))
  })

  it('is retried after an answer that is not a token response', async () => {
    const { auth, refresh, clock, events } = createHarness()
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve({ token: `${SECRET}` } as object)
    await clock.advance(0)
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'refreshFailed', reason: 'invalid_response', fatal: false }),
    )
    expect(auth.state).toBe('refreshing')
    await clock.advance(250)
    refresh.call(1).resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session?.generation).toBe(2)
  })

  it('keeps the message of an error out of the chart, even if reading the error throws', async () => {
    const { auth, refresh, clock, events } = createHarness()
    const inspected: unknown[] = []
    auth.actor.system.inspect((event) => void inspected.push(event))
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    const trap = new Error(`${SECRET}-in-message`)
    const hostile = Object.defineProperty({}, 'status', {
      get() {
        throw trap
      },
    })
    refresh.call().reject(hostile)
    await clock.advance(0)
    expect(events).toContainEqual(expect.objectContaining({ type: 'refreshFailed', fatal: false }))
    expect(inspected.some((event: any) => event.event?.error === trap)).toBe(false)
  })
})

describe('a late refresh result', () => {
  it('is discarded and revoked after a sign-out, and is never stored', async () => {
    const storage = memoryStorage()
    const revoked: unknown[] = []
    const { auth, refresh, clock, emitted } = createHarness({
      storage,
      revoke: ({ accessToken }) => void revoked.push(accessToken),
    })
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    await auth.signOut()
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
    expect(storage.read()).toBeUndefined()
    expect(revoked).toEqual([`${SECRET}-at-1`, `${SECRET}-at-2`])
    expect(emitted()).toEqual(['signedOut', 'discarded'])
  })

  it('is discarded after another user has signed in', async () => {
    const { auth, refresh, signIn, clock, events } = createHarness()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    const session = auth.signIn('bob')
    await clock.advance(0)
    signIn.call().resolve(tokens(8, { subject: 'bob' }))
    await session
    refresh.call().resolve(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    expect(auth.session?.subject).toBe('bob')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-8`)
    expect(events.at(-1)).toMatchObject({ type: 'discarded', reason: 'session_over' })
  })

  it('is discarded but not revoked if the same session already has newer tokens', async () => {
    const revoked: unknown[] = []
    const { auth, refresh, clock, events } = createHarness({
      revoke: (given) => void revoked.push(given),
      timeouts: { refresh: 1_000 },
    })
    auth.refresh().catch(() => {})
    // Two attempts wait for a call that ignores its signal; the next call is answered first.
    await clock.advance(2_000)
    expect(refresh.calls).toHaveLength(1)
    const session = auth.refresh()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call(1).resolve(tokens(3))
    await session
    refresh.call(0).resolve(tokens(2))
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-3`)
    expect(events.at(-1)).toMatchObject({ type: 'discarded', reason: 'superseded' })
    expect(revoked).toEqual([])
  })

  it('is accepted while the next call is on its way, whose failure then ends nothing', async () => {
    const storage = memoryStorage()
    const { auth, refresh, clock, emitted } = createHarness({ timeouts: { refresh: 1_000 }, storage })
    auth.refresh().catch(() => {})
    await clock.advance(2_000)
    const session = watch(auth.refresh())
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call(0).resolve(tokens(2))
    await clock.advance(0)
    expect(session).toMatchObject({ state: 'fulfilled', value: { generation: 2 } })
    expect((storage.read() as SessionRecord).accessToken).toBe(`${SECRET}-at-2`)
    refresh.call(1).reject(refused())
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(emitted()).toEqual(['refreshFailed', 'refreshFailed', 'refreshed'])
  })
})

describe('a refresh attempt without an answer', () => {
  it.each([
    ['a lost connection', new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }), 'network'],
    ['a timeout', Object.assign(new Error('slow'), { name: 'TimeoutError' }), 'timeout'],
  ])('after %s reads the store, then sends the same token once more at once', async (_, error, reason) => {
    const reads: number[] = []
    const kept = memoryStorage()
    const storage = {
      ...kept,
      read() {
        reads.push(clock.now())
        return kept.read()
      },
    }
    const { auth, refresh, clock, events } = createHarness({ storage })
    const session = watch(auth.refresh())
    await clock.advance(0)
    const before = reads.length
    refresh.call().reject(error)
    await clock.advance(0)
    expect(reads.length).toBeGreaterThan(before)
    expect(refresh.calls).toHaveLength(2)
    expect(refresh.call(1).argument.refreshToken).toBe(`${SECRET}-rt-1`)
    expect(events).toContainEqual(expect.objectContaining({ type: 'refreshFailed', reason, fatal: false }))
    refresh.call(1).resolve(tokens(2))
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
  })

  it('backs off from the second time on, like any other attempt', async () => {
    const { auth, refresh, clock, at } = createHarness({ retry: { jitter: 0 } })
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    refresh.call(1).reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(at('refreshing.attempt.backingOff')).toBe(true)
    await clock.advance(499)
    expect(refresh.calls).toHaveLength(2)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(3)
  })

  it('uses the tokens that another tab has stored instead of sending its own again', async () => {
    const storage = memoryStorage()
    const { auth, refresh, clock } = createHarness({ storage })
    const session = watch(auth.refresh())
    await clock.advance(0)
    const record = storage.read() as SessionRecord
    storage.write({ ...record, rotation: record.rotation + 1, accessToken: `${SECRET}-at-other-tab` })
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    expect(session.state).toBe('fulfilled')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-other-tab`)
  })

  it("expires the session if ambiguousRefresh is 'expire' and the access token has expired", async () => {
    const { auth, refresh, clock } = createHarness({
      ambiguousRefresh: 'expire',
      initialTokens: tokens(1, { expires_in: 0 }),
    })
    await clock.advance(0)
    const held = watch(auth.getAccessToken())
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(auth.state).toBe('expired')
    expect(held.error).toMatchObject({ code: 'session_expired', reason: 'ambiguous' })
    expect(refresh.calls).toHaveLength(1)
  })

  it("keeps the access token until it expires if ambiguousRefresh is 'expire'", async () => {
    const { auth, refresh, clock, at } = createHarness({ ambiguousRefresh: 'expire' })
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(at('authenticated.lastToken')).toBe(true)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    expect(refresh.calls).toHaveLength(1)
  })

  it('is not ambiguous if the connection was refused, because the token was never sent', async () => {
    const { auth, refresh, clock, at } = createHarness({ ambiguousRefresh: 'expire' })
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }))
    await clock.advance(0)
    expect(at('refreshing.attempt.backingOff')).toBe(true)
  })
})

describe('a rejection of an outdated refresh token', () => {
  it('makes the tab use the tokens of another tab that refreshed first', async () => {
    const storage = memoryStorage()
    const { auth, refresh, clock, emitted } = createHarness({ storage })
    const session = watch(auth.refresh())
    await clock.advance(0)
    const record = storage.read() as SessionRecord
    storage.write({ ...record, rotation: record.rotation + 1, accessToken: `${SECRET}-at-other-tab` })
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(session.state).toBe('fulfilled')
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-other-tab`)
    expect(emitted()).toEqual(['refreshed'])
  })
})
