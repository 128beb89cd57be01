import { describe, expect, it } from 'vitest'
import { DisposedError } from '../../src/core/errors.ts'
import { settled } from '../../src/testing/virtual-clock.ts'
import { LIFETIME, refused, SECRET, tokens } from './auth-setup.ts'
import { bearer, OK, started, UNAUTHORIZED } from './requests-setup.ts'

describe('a request', () => {
  it('is sent once with the current token, without an event', async () => {
    const { send, sent, events } = started()
    const before = events.length
    const request = send()
    expect(sent.map(({ authorization }) => authorization)).toEqual([bearer(1)])
    await sent[0]?.answer(OK)
    expect(request.value).toBe(OK)
    expect(events).toHaveLength(before)
  })

  it('is not sent again if it fails', async () => {
    const { send, sent } = started()
    const request = send()
    await sent[0]?.fail(new Error('offline'))
    expect(request.error).toEqual(new Error('offline'))
    expect(sent).toHaveLength(1)
  })

  it('waits for a new token after a 401, and is sent once more', async () => {
    const { send, sent, discarded, refresh, clock, at, last } = started()
    const request = send()
    await sent[0]?.answer(UNAUTHORIZED)
    expect(at('refreshing.gate.closed')).toBe(true)
    expect(discarded).toEqual([UNAUTHORIZED])
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent[1]?.authorization).toBe(bearer(2))
    await sent[1]?.answer(OK)
    expect(request.value).toBe(OK)
    expect(last('requestReplayed')).toMatchObject({ count: 1, held: 0 })
  })

  it('waits for an asynchronous challenge() after a 401', async () => {
    const { send, sent, refresh, clock } = started()
    const request = send('GET /', {
      async challenge({ status }) {
        await settled()
        return status === 401 ? 'refresh' : undefined
      },
    })
    await sent[0]?.answer(UNAUTHORIZED)
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await sent[1]?.answer(OK)
    await clock.advance(0)
    expect(request.value).toBe(OK)
  })

  it('is sent again at once without a refresh if its 401 was for an older token', async () => {
    const { auth, send, sent, refresh, clock } = started()
    const request = send()
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await refreshed
    await sent[0]?.answer(UNAUTHORIZED)
    expect(sent[1]?.authorization).toBe(bearer(2))
    expect(refresh.calls).toHaveLength(1)
    await sent[1]?.answer(OK)
    expect(request.value).toBe(OK)
  })

  it('returns the second 401, and its endpoint causes no refresh with the next token either', async () => {
    const { auth, send, sent, refresh, clock } = started()
    const first = send('GET /forbidden')
    await sent[0]?.answer(UNAUTHORIZED)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await sent[1]?.answer(UNAUTHORIZED)
    expect(first.value).toBe(UNAUTHORIZED)
    const second = send('GET /forbidden')
    await sent[2]?.answer(UNAUTHORIZED)
    expect(second.value).toBe(UNAUTHORIZED)
    expect(sent).toHaveLength(3)
    expect(refresh.calls).toHaveLength(1)
    expect(auth.state).toBe('authenticated')

    const other = send('GET /other')
    await sent[3]?.answer(UNAUTHORIZED)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    await sent[4]?.answer(OK)
    expect(other.value).toBe(OK)
    send('GET /forbidden')
    await sent[5]?.answer(UNAUTHORIZED)
    expect(refresh.calls).toHaveLength(2)
  })

  it('starts a refresh if its replay with a token that was already available gets a 401', async () => {
    const { auth, send, sent, refresh, clock } = started()
    const request = send()
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await refreshed
    await sent[0]?.answer(UNAUTHORIZED)
    await sent[1]?.answer(UNAUTHORIZED)
    expect(request.value).toBe(UNAUTHORIZED)
    expect(refresh.calls).toHaveLength(2)
  })

  it('returns its 401 and starts a refresh if it cannot be sent twice', async () => {
    const { send, sent, refresh, discarded } = started()
    const request = send('POST /', { replayable: false })
    await sent[0]?.answer(UNAUTHORIZED)
    expect(request.value).toBe(UNAUTHORIZED)
    expect(discarded).toEqual([])
    expect(refresh.calls).toHaveLength(1)
  })

  it('is sent without a token while the user is signed out, and returns its 401', async () => {
    const { send, sent, refresh } = started({ signedOut: true })
    const request = send()
    expect(sent[0]?.authorization).toBeUndefined()
    await sent[0]?.answer(UNAUTHORIZED)
    expect(request.value).toBe(UNAUTHORIZED)
    expect(refresh.calls).toHaveLength(0)
  })

  it('returns the 403 of a missing scope, and emits stepUpRequired', async () => {
    const { send, sent, refresh, clock, last } = started()
    const request = send()
    await sent[0]?.answer({ status: 403, body: 'write' })
    expect(request.value).toMatchObject({ status: 403 })
    expect(last('stepUpRequired')).toEqual({
      type: 'stepUpRequired',
      at: clock.now(),
      epoch: 1,
      generation: 1,
      scope: 'write',
    })
    const replayed = send()
    await sent[1]?.answer(UNAUTHORIZED)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await sent[2]?.answer({ status: 403, body: 'admin' })
    expect(replayed.value).toMatchObject({ status: 403 })
    expect(last('stepUpRequired')).toMatchObject({ scope: 'admin', generation: 2 })
  })
})

describe('requests in a burst', () => {
  it('share one refresh, and are sent again in order', async () => {
    const { send, sent, refresh, clock, emitted } = started()
    const requests = ['a', 'b', 'c'].map((key) => send(key))
    for (const { answer } of [...sent]) await answer(UNAUTHORIZED)
    requests.push(send('d'))
    expect(sent).toHaveLength(3)
    expect(refresh.calls).toHaveLength(1)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent.slice(3).map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd'])
    for (const { answer } of sent.slice(3)) await answer(OK)
    expect(requests.every(({ value }) => value === OK)).toBe(true)
    expect(emitted()).toContain('requestReplayed')
  })

  it('are sent a few at a time if release.concurrency is set', async () => {
    const { send, sent, refresh, clock } = started({
      initialTokens: tokens(1, { expires_in: 0 }),
      release: { concurrency: 2 },
    })
    const requests = ['a', 'b', 'c', 'd', 'e'].map((key) => send(key))
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent.map(({ key }) => key)).toEqual(['a', 'b'])
    await sent[1]?.answer(OK)
    expect(sent.map(({ key }) => key)).toEqual(['a', 'b', 'c'])
    await sent[0]?.fail(new Error('one fails'))
    await sent[2]?.answer(OK)
    expect(sent.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd', 'e'])
    // A new request was not held, so it does not wait for those that were.
    send('f')
    expect(sent.at(-1)?.key).toBe('f')
    for (const { answer } of sent) await answer(OK)
    expect(requests.map(({ state }) => state)).toEqual(['rejected', ...Array(4).fill('fulfilled')])
  })

  it('are held again if the token is rejected meanwhile, and continue with the next token', async () => {
    const { send, sent, refresh, clock } = started({
      initialTokens: tokens(1, { expires_in: 0 }),
      release: { concurrency: 1 },
    })
    const requests = ['a', 'b', 'c'].map((key) => send(key))
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await sent[0]?.answer(UNAUTHORIZED)
    expect(sent).toHaveLength(1)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    for (const [n, key] of ['b', 'c', 'a'].entries()) {
      expect(sent).toHaveLength(n + 2)
      expect(sent[n + 1]).toMatchObject({ key, authorization: bearer(3) })
      await sent[n + 1]?.answer(OK)
    }
    expect(requests.every(({ value }) => value === OK)).toBe(true)
    expect(refresh.calls).toHaveLength(2)
  })

  it('leave the queue by their own signals and timeouts', async () => {
    const { send, sent, refresh, clock } = started({ initialTokens: tokens(1, { expires_in: 0 }) })
    const controller = new AbortController()
    const requests = [send('a', { signal: controller.signal }), send('b', { timeout: 1_000 }), send('c')]
    await clock.advance(0)
    controller.abort('enough')
    await clock.advance(1_000)
    expect(requests[0]).toEqual({ state: 'rejected', error: 'enough' })
    expect(requests[1]?.error).toMatchObject({ code: 'hold_timeout' })
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent.map(({ key }) => key)).toEqual(['c'])
  })
})

describe('a request whose session has ended by the time of its 401', () => {
  it('is rejected if that 401 ends the session', async () => {
    const { auth, send, sent, discarded, refresh, clock } = started()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    const request = send()
    await sent[0]?.answer(UNAUTHORIZED)
    expect(request.error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    expect(discarded).toEqual([UNAUTHORIZED])
  })

  it.each([
    ['another user', 1, 'bob'],
    ['the same user', 2, 'ada'],
  ])('after a sign-in of %s is sent %i time(s) in total', async (_, times, subject) => {
    const { auth, send, sent } = started({ initialTokens: tokens(1, { subject: 'ada' }) })
    const request = send()
    await auth.setTokens(tokens(5, { subject }))
    await sent[0]?.answer(UNAUTHORIZED)
    expect(sent).toHaveLength(times)
    await sent[1]?.answer(OK)
    expect(request.value).toBe(times === 1 ? UNAUTHORIZED : OK)
  })

  it('returns its 401 after a sign-out', async () => {
    const { auth, send, sent } = started()
    const request = send()
    await auth.signOut()
    await sent[0]?.answer(UNAUTHORIZED)
    expect(request.value).toBe(UNAUTHORIZED)
    expect(sent).toHaveLength(1)
  })

  it('is rejected after dispose()', async () => {
    const { auth, send, sent, discarded } = started()
    const request = send()
    auth.dispose()
    await sent[0]?.answer(UNAUTHORIZED)
    expect(request.error).toBeInstanceOf(DisposedError)
    expect(discarded).toEqual([UNAUTHORIZED])
    expect(send()).toMatchObject({ state: 'pending' })
    expect(sent).toHaveLength(1)
  })
})

describe('an abortable request in flight', () => {
  it('is aborted by the 401 of another request, and sent again with the new token', async () => {
    const { send, sent, refresh, clock } = started()
    const safe = send('GET /slow', { abortable: true })
    const other = send('GET /other')
    await sent[1]?.answer(UNAUTHORIZED)
    expect(safe.state).toBe('pending')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent.slice(2).map(({ key, authorization }) => [key, authorization])).toEqual([
      ['GET /other', bearer(2)],
      ['GET /slow', bearer(2)],
    ])
    for (const { answer } of sent.slice(2)) await answer(OK)
    expect([safe.value, other.value]).toEqual([OK, OK])
  })

  it('is left alone if no other request gets a 401, and may fail by itself', async () => {
    const { send, sent } = started()
    const [fine, broken] = [send('a', { abortable: true }), send('b', { abortable: true })]
    await sent[0]?.answer(OK)
    await sent[1]?.fail(new Error('reset'))
    expect(fine.value).toBe(OK)
    expect(broken.error).toEqual(new Error('reset'))
  })

  it('is sent again at once if the token has been refreshed by then', async () => {
    const { send, sent, refresh, clock } = started({ refresh: () => tokens(2) })
    const safe = send('GET /slow', { abortable: true })
    send('GET /other')
    await sent[1]?.answer(UNAUTHORIZED)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(0)
    expect(sent.filter(({ key }) => key === 'GET /slow').map(({ authorization }) => authorization)).toEqual([
      bearer(1),
      bearer(2),
    ])
    await sent.at(-1)?.answer(OK)
    await sent.at(-2)?.answer(OK)
    expect(safe.value).toBe(OK)
  })

  it('is rejected if the 401 of another request ends the session', async () => {
    const { auth, send, sent, refresh, clock } = started()
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    const safe = send('GET /slow', { abortable: true })
    send('GET /other')
    await sent[1]?.answer(UNAUTHORIZED)
    expect(safe.error).toMatchObject({ code: 'session_expired' })
  })

  it('leaves no timer behind after a long time', async () => {
    const { send, sent, clock } = started({ initialTokens: { access_token: `${SECRET}-at-1` } })
    const before = clock.pending
    for (let n = 0; n < 10; n++) {
      send('GET /', { abortable: true })
      await sent[n]?.answer(OK)
    }
    await clock.advance(LIFETIME)
    expect(clock.pending).toBe(before)
  })
})
