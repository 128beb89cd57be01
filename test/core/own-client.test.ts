import { describe, expect, it } from 'vitest'
import { bearerRequest, createAuth } from '../../src/index.ts'
import { createHarness, SECRET, tokens, watch } from './auth-setup.ts'

/** A request of a transport that answers what the server would. */
const request = (signal?: AbortSignal) => ({
  send: async (authorization: string | undefined) => {
    sent.push(authorization)
    return tokens(2)
  },
  challenge: () => undefined,
  replayable: true,
  key: () => 'POST /token',
  signal: signal as never,
})
let sent: unknown[] = []

const own = expect.objectContaining({ code: 'own_client' })

describe('a function of the session that sends by a client of its own session', () => {
  it.each(['retry', 'expire'] as const)(
    'refuses a refresh at once, and keeps the session: ambiguousRefresh %j',
    async (ambiguousRefresh) => {
      sent = []
      const harness = createHarness({
        initialTokens: tokens(1, { expires_in: 0 }),
        retry: { attempts: 2 },
        ambiguousRefresh,
        refresh: () => bearerRequest(harness.auth, request()),
      })
      const { auth, clock, events } = harness
      const held = watch(bearerRequest(auth, request()))
      await clock.advance(0)
      expect(events).toContainEqual(expect.objectContaining({ type: 'refreshFailed', reason: 'own_client' }))
      await clock.advance(5_000)
      expect(held.error).toMatchObject({ code: 'refresh_unavailable', cause: own })
      expect(auth.session).toBeDefined()
      expect(sent).toEqual([])
    },
  )

  it('refuses an early refresh, too, although the gate is open', async () => {
    const harness = createHarness({ refresh: () => bearerRequest(harness.auth, request()) })
    sent = []
    harness.auth.refresh().catch(() => {})
    await harness.clock.advance(0)
    expect(harness.events).toContainEqual(expect.objectContaining({ reason: 'own_client' }))
    expect(sent).toEqual([])
  })

  it('knows a later request by the signal that the function was given', async () => {
    sent = []
    const harness = createHarness({
      initialTokens: tokens(1, { expires_in: 0 }),
      refresh: async ({ signal }) => {
        await Promise.resolve()
        return bearerRequest(harness.auth, request(signal as AbortSignal))
      },
    })
    await harness.clock.advance(0)
    expect(harness.events).toContainEqual(expect.objectContaining({ reason: 'own_client' }))
    expect(sent).toEqual([])
  })

  it('names the possible cause if it cannot be known: the refresh times out', async () => {
    const harness = createHarness({
      initialTokens: tokens(1, { expires_in: 0 }),
      retry: { attempts: 1 },
      refresh: async () => {
        await Promise.resolve()
        return bearerRequest(harness.auth, request())
      },
    })
    const held = watch(bearerRequest(harness.auth, request()))
    await harness.clock.advance(30_000)
    expect((held.error as Error).cause).toMatchObject({
      message: expect.stringContaining('waits for itself'),
    })
  })

  it('refuses a sign-in at once', async () => {
    const harness = createHarness({
      signedOut: true,
      signIn: () => bearerRequest(harness.auth, request()),
    })
    const signedIn = watch(harness.auth.signIn('ada'))
    await harness.clock.advance(0)
    expect(signedIn.error).toEqual(own)
    expect(harness.auth.state).toBe('anonymous')
  })

  it('emits that a revocation was refused, and does not attempt it again', async () => {
    const harness = createHarness({
      initialTokens: tokens(1),
      revoke: () => bearerRequest(harness.auth, request()),
    })
    await harness.auth.signOut()
    expect(harness.events).toContainEqual(
      expect.objectContaining({ type: 'revocationFailed', reason: 'own_client' }),
    )
  })

  it('lets other requests pass while such a function runs, and those of another session', async () => {
    sent = []
    const other = createAuth({ refresh: () => tokens(9), initialTokens: tokens(8) })
    const { auth, clock } = createHarness({
      refresh: () => bearerRequest(other, request()),
    })
    const refreshed = watch(auth.refresh())
    const beside = watch(bearerRequest(auth, request()))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(beside.state).toBe('fulfilled')
    expect(sent).toEqual(expect.arrayContaining([`Bearer ${SECRET}-at-1`, `Bearer ${SECRET}-at-8`]))
    other.dispose()
  })
})
