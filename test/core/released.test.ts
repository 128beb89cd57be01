import { describe, expect, it } from 'vitest'
import { type Rig, tokens, watch } from './auth-setup.ts'
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

  it('gives nobody the token of another user', async () => {
    const { auth, refresh, clock } = started(waiting)
    const stop = auth.on('refreshed', () => {
      stop()
      void auth.setTokens(tokens(9, { subject: 'bob' }))
    })
    const token = watch(auth.getAccessToken())
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    expect(token.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
  })

  it('lets go of who was let go with newer tokens of the same user', async () => {
    const { auth, send, sent, refresh, clock } = started(waiting)
    const stop = auth.on('refreshed', () => {
      stop()
      void auth.setTokens(tokens(9, { subject: 'ada' }))
    })
    const request = send()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    expect(sent.map(({ authorization }) => authorization)).toEqual([bearer(9)])
    await sent[0]?.answer(OK)
    expect(request.value).toBe(OK)
  })
})
