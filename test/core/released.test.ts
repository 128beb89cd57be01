import { describe, expect, it } from 'vitest'
import { type Rig, SECRET, tokens, watch } from './auth-setup.ts'
import { bearer, OK, started, UNAUTHORIZED } from './requests-setup.ts'

describe('a gate that closes again between the release of a request and its sending', () => {
  const waiting = { initialTokens: tokens(1, { expires_in: 0, subject: 'ada' }) }

  it('holds back who was let go: nothing goes with a token that is known to be refused', async () => {
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

  it.each<[string, (made: Rig) => unknown, string]>([
    ['a sign-out', ({ auth }) => auth.signOut(), 'signed_out'],
    [
      'the tokens of another user',
      ({ auth }) => auth.setTokens(tokens(9, { subject: 'bob' })),
      'user_changed',
    ],
  ])('turns away who was let go, by %s', async (_, happen, reason) => {
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

  it('turns away, too, who was sent once and waits to be sent again', async () => {
    const { auth, send, sent, refresh, clock } = started()
    auth.on('refreshed', () => void auth.signOut())
    const request = send()
    await sent[0]?.answer(UNAUTHORIZED)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent).toHaveLength(1)
    expect(request.error).toMatchObject({ code: 'signed_out', reason: 'signed_out' })
  })

  /** Tells once that the session was renewed, before or after those who waited for it are let go. */
  const MOMENTS: Record<string, (made: Rig, then: () => unknown) => unknown> = {
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

  it.each(Object.entries(MOMENTS))('gives nobody the token of another user who came %s', async (_, at) => {
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

  it.each(Object.entries(MOMENTS))('gives the newer token of the same user that came %s', async (_, at) => {
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

  it.each(Object.entries(MOMENTS))('gives no token after a sign-out that came %s', async (_, at) => {
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

describe('the number of those who wait', () => {
  it('falls when they go for the first time, as when they are replayed', async () => {
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

describe('a replay whose token is at hand', () => {
  it('does not leave after a sign-out that came between the 401 and the sending', async () => {
    const { auth, send, sent, refresh, clock } = started()
    const request = send('late', { discard: () => queueMicrotask(() => void auth.signOut()) })
    await clock.advance(0)
    const renewed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await renewed
    await sent[0]?.answer(UNAUTHORIZED)
    await clock.advance(0)
    expect(sent).toHaveLength(1)
    expect(request.error).toMatchObject({ code: 'signed_out' })
  })
})
