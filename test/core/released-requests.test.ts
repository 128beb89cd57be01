import { describe, expect, it } from 'vitest'
import { type Harness, SECRET, tokens, watch } from './auth-setup.ts'
import { bearer, OK, started, UNAUTHORIZED } from './requests-setup.ts'

describe('a gate that closes again between the release of a request and its sending', () => {
  const waiting = { initialTokens: tokens(1, { expires_in: 0, subject: 'ada' }) }

  it('holds released requests again, so that none is sent with a token known to be rejected', async () => {
    const { auth, send, sent, refresh, clock } = started({ ...waiting, release: { concurrency: 1 } })
    const first = send('a')
    const token = watch(auth.getAccessToken())
    const last = send('b')
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await sent[0]?.answer(UNAUTHORIZED)
    expect(sent).toHaveLength(1)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    for (let n = 1; n < sent.length; n++) {
      expect(sent[n]?.authorization).toBe(bearer(3))
      await sent[n]?.answer(OK)
    }
    expect([first.value, last.value]).toEqual([OK, OK])
    expect(token.state).toBe('fulfilled')
  })

  it.each<[string, (made: Harness) => unknown, string]>([
    ['a sign-out', ({ auth }) => auth.signOut(), 'signed_out'],
    [
      'the tokens of another user',
      ({ auth }) => auth.setTokens(tokens(9, { subject: 'bob' })),
      'user_changed',
    ],
  ])('rejects a released request after %s', async (_, happen, reason) => {
    const made = started(waiting)
    const { auth, send, sent, refresh, clock } = made
    const stop = auth.on('refreshed', () => {
      stop()
      happen(made)
    })
    const request = send()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    expect(sent).toHaveLength(0)
    expect(request.error).toMatchObject({ code: 'signed_out', reason })
  })

  it('rejects a request that waits for its replay, too, after a sign-out', async () => {
    const { auth, send, sent, refresh, clock } = started()
    auth.on('refreshed', () => void auth.signOut())
    const request = send()
    await sent[0]?.answer(UNAUTHORIZED)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent).toHaveLength(1)
    expect(request.error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
  })

  /** Calls `then` once after the refresh, before or after the waiting requests are released. */
  const MOMENTS: Record<string, (made: Harness, then: () => unknown) => unknown> = {
    before({ auth }, then) {
      const stop = auth.on('refreshed', () => {
        stop()
        then()
      })
    },
    after({ auth }, then) {
      const subscription = auth.actor.subscribe(() => {
        if (auth.session?.generation !== 2) return
        subscription.unsubscribe()
        then()
      })
    },
  }

  it.each(Object.entries(MOMENTS))('rejects requests if another user signs in %s release', async (_, at) => {
    const made = started(waiting)
    const { auth, send, sent, refresh, clock } = made
    at(made, () => auth.setTokens(tokens(9, { subject: 'bob' })))
    const [token, request] = [watch(auth.getAccessToken()), send()]
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    for (const { error } of [token, request]) {
      expect(error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
    }
    expect(sent).toEqual([])
  })

  it.each(Object.entries(MOMENTS))('uses newer tokens the same user sets %s the release', async (_, at) => {
    const made = started(waiting)
    const { auth, send, sent, refresh, clock } = made
    at(made, () => auth.setTokens(tokens(9, { subject: 'ada' })))
    const [token, request] = [watch(auth.getAccessToken()), send()]
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    expect(token.value).toBe(`${SECRET}-at-9`)
    expect(sent.map(({ authorization }) => authorization)).toEqual([bearer(9)])
    await sent[0]?.answer(OK)
    expect(request.value).toBe(OK)
  })

  it.each(Object.entries(MOMENTS))('rejects requests if the user signs out %s release', async (_, at) => {
    const made = started(waiting)
    const { auth, refresh, clock } = made
    at(made, () => auth.signOut())
    const token = watch(auth.getAccessToken({ allowAnonymous: true }))
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(token.error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
  })
})

describe('the number of held requests', () => {
  it('falls to zero when held requests are sent for the first time, as it does for replays', async () => {
    const { auth, send, sent, refresh, clock } = started({ initialTokens: tokens(1, { expires_in: 0 }) })
    const held = () => auth.actor.getSnapshot().context.held
    send('a')
    void auth.getAccessToken()
    await clock.advance(0)
    expect(held()).toBe(2)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(held()).toBe(0)
    await sent[0]?.answer(OK)
    expect(held()).toBe(0)
  })
})

describe('a replay whose token is already available', () => {
  it('is not sent after a sign-out between the 401 and the replay', async () => {
    const { auth, send, sent, refresh, clock } = started()
    const request = send('late', { discard: () => queueMicrotask(() => void auth.signOut()) })
    await clock.advance(0)
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await refreshed
    await sent[0]?.answer(UNAUTHORIZED)
    await clock.advance(0)
    expect(sent).toHaveLength(1)
    expect(request.error).toMatchObject({ code: 'signed_out' })
  })
})
