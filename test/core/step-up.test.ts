import { describe, expect, it, onTestFinished } from 'vitest'
import { OAuthError } from '../../src/core/errors.ts'
import { onStepUp, type StepUpHandler, type StepUpOptions } from '../../src/core/on-step-up.ts'
import type { SessionRecord, TokenResponse } from '../../src/core/ports.ts'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import {
  createHarness,
  fakeCoordinator,
  type HarnessOptions,
  SECRET,
  scripted,
  tokens,
  watch,
} from './auth-setup.ts'
import { bearer, OK, started } from './requests-setup.ts'

const ADA = { subject: 'ada' }
/** A challenge of the scripted server: 403 with the scope that it asks for. */
const refusedFor = (scope: string) => ({ status: 403, body: scope })

/** A session of Ada, whose step-up handler is the test. */
function steppedUp(options: HarnessOptions = {}, handler?: StepUpHandler) {
  const made = started({ initialTokens: tokens(1, ADA), ...options })
  const asked: { readonly need: object; readonly options: StepUpOptions }[] = []
  const { run, call, calls } = scripted<object>()
  const stop = onStepUp(
    made.auth,
    handler ??
      ((need, given) => {
        asked.push({ need, options: given })
        return run(need)
      }),
  )
  onTestFinished(stop)
  return { ...made, asked, call, calls, stop }
}

const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

describe('a step-up', () => {
  it('asks once for all requests that need the same, and sends each of them once more', async () => {
    const { auth, clock, send, sent, discarded, calls, call, asked, emitted } = steppedUp()
    const requests = Array.from({ length: 20 }, (_, n) => send(`GET /${n}`))
    for (const { answer } of sent) await answer(refusedFor('write'))
    expect(calls).toHaveLength(1)
    expect(asked[0]?.need).toEqual({ scope: 'write' })
    expect(requests.every(({ state }) => state === 'pending')).toBe(true)

    call().resolve(tokens(2, ADA))
    await clock.advance(0)
    const again = sent.slice(20)
    expect(again.map(({ authorization }) => authorization)).toEqual(Array(20).fill(bearer(2)))
    for (const { answer } of again) await answer(OK)

    expect(requests.map(({ value }) => value)).toEqual(Array(20).fill(OK))
    expect(discarded).toHaveLength(20)
    expect(calls).toHaveLength(1)
    expect(auth.session).toMatchObject({ epoch: 1, generation: 2, subject: 'ada' })
    const events = new Set(emitted())
    for (const absent of ['signedIn', 'signedOut', 'expired', 'discarded'])
      expect(events).not.toContain(absent)
    expect(events).toContain('refreshed')
  })

  it('gives the second refusal to the caller, and asks nothing more', async () => {
    const { clock, send, sent, calls, call } = steppedUp()
    const request = send()
    await sent[0]?.answer(refusedFor('write'))
    call().resolve(tokens(2, ADA))
    await clock.advance(0)
    await sent[1]?.answer(refusedFor('write'))
    expect(request.value).toEqual(refusedFor('write'))
    expect(sent).toHaveLength(2)
    expect(calls).toHaveLength(1)
  })

  it('stores the tokens as those of the session that there was, and notifies other tabs of new tokens', async () => {
    const storage = memoryStorage()
    const { clock, send, sent, call } = steppedUp({ storage })
    await clock.advance(0)
    const before = (await storage.read()) as SessionRecord
    void send()
    await sent[0]?.answer(refusedFor('write'))
    call().resolve(tokens(2, ADA))
    await clock.advance(0)
    expect(await storage.read()).toMatchObject({
      id: before.id,
      rotation: 1,
      startedAt: before.startedAt,
      refreshToken: `${SECRET}-rt-2`,
    })
  })

  it('waits for a refresh that runs, so that its answer does not replace the tokens', async () => {
    const { auth, clock, send, sent, call, refresh } = steppedUp({ storage: memoryStorage() })
    const request = send()
    await sent[0]?.answer(refusedFor('write'))
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    call().resolve(tokens(9, ADA))
    await clock.advance(0)
    expect(request.state).toBe('pending')
    refresh.call().resolve(tokens(2, ADA))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(sent[1]?.authorization).toBe(bearer(9))
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-9`)
  })

  it.each([
    ['returns nothing', (() => undefined) as StepUpHandler, 0],
    [
      'rejects with an error of the library',
      () => Promise.reject(new OAuthError({ reason: 'popup_closed' })),
      0,
    ],
    ['throws another error', () => Promise.reject(new Error('a bug of the app')), 1],
    ['answers with an error', () => Promise.resolve({ access_token: 7 } as never), 0],
  ])('gives the answer of the server to the caller if the handler %s', async (_, handler, reports) => {
    const { auth, clock, send, sent, reported } = steppedUp({}, handler)
    const request = send()
    await sent[0]?.answer(refusedFor('write'))
    await clock.advance(0)
    expect(request.value).toEqual(refusedFor('write'))
    expect(reported).toHaveLength(reports)
    expect(auth.session?.generation).toBe(1)
  })

  const user = (sub: string, iss = 'https://id.example.com') => ({ id_token: jwt({ iss, sub }) })

  it.each([
    ['of another user', tokens(1, user('ada')), tokens(2, user('eve'))],
    ['of another issuer', tokens(1, user('ada')), tokens(2, user('ada', 'https://other.example'))],
    ['without a user', tokens(1, user('ada')), tokens(2)],
    ['of unknown users', tokens(1), tokens(2)],
  ])('refuses tokens %s, revokes them, and keeps the session', async (_, initialTokens, answer) => {
    const revoked: unknown[] = []
    const { auth, clock, send, sent, call, emitted } = steppedUp({
      initialTokens,
      revoke: ({ refreshToken }) => void revoked.push(refreshToken),
    })
    const request = send()
    await sent[0]?.answer(refusedFor('write'))
    call().resolve(answer)
    await clock.advance(0)
    expect(request.value).toEqual(refusedFor('write'))
    expect(auth.session).toMatchObject({ epoch: 1, generation: 1 })
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)
    expect(revoked).toEqual([`${SECRET}-rt-2`])
    expect(emitted()).not.toContain('signedOut')
  })

  it('accepts tokens that name no user if the app has one user only', async () => {
    const { clock, send, sent, call } = steppedUp({ initialTokens: tokens(1), singleUser: true })
    void send()
    await sent[0]?.answer(refusedFor('write'))
    call().resolve(tokens(2))
    await clock.advance(0)
    expect(sent[1]?.authorization).toBe(bearer(2))
  })

  it('names the user and the scope of the session to the handler, and no token', async () => {
    const initialTokens = tokens(1, { ...user('ada'), scope: 'openid read' })
    const { asked, send, sent } = steppedUp({ initialTokens })
    void send()
    await sent[0]?.answer(refusedFor('write'))
    expect(asked[0]?.options).toMatchObject({
      user: { iss: 'https://id.example.com', sub: 'ada' },
      scope: 'openid read',
    })
    expect(JSON.stringify(asked)).not.toContain(SECRET)
  })

  it('gives the answer to the caller if the request cannot be sent a second time', async () => {
    const { send, sent, calls } = steppedUp()
    const request = send('POST /', { replayable: false })
    await sent[0]?.answer(refusedFor('write'))
    expect(request.value).toEqual(refusedFor('write'))
    expect(calls).toHaveLength(0)
  })

  it('asks about one thing at a time, and not about what newer tokens allow already', async () => {
    const { clock, send, sent, calls, call, asked } = steppedUp()
    const [first, second, third] = [send('GET /1'), send('GET /2'), send('GET /3')]
    await sent[0]?.answer(refusedFor('read'))
    await sent[1]?.answer(refusedFor('write'))
    await sent[2]?.answer(refusedFor('delete'))
    expect(calls).toHaveLength(1)
    call(0).resolve(tokens(2, ADA))
    await clock.advance(0)
    expect(calls).toHaveLength(1)
    for (const { key, answer } of sent.slice(3)) await answer(key === 'GET /3' ? refusedFor('delete') : OK)
    expect(asked.map(({ need }) => need)).toEqual([{ scope: 'read' }, { scope: 'delete' }])
    call(1).resolve(tokens(3, ADA))
    await clock.advance(0)
    await sent[6]?.answer(OK)
    expect([first, second, third].map(({ value }) => value)).toEqual([OK, OK, OK])
  })

  it('sends a request again whose refusal arrives late, without another question', async () => {
    const { clock, send, sent, calls, call } = steppedUp()
    void send()
    const late = send()
    await sent[0]?.answer(refusedFor('write'))
    call().resolve(tokens(2, ADA))
    await clock.advance(0)
    await sent[1]?.answer(refusedFor('write'))
    expect(sent[3]?.authorization).toBe(bearer(2))
    await sent[3]?.answer(refusedFor('write'))
    expect(late.value).toEqual(refusedFor('write'))
    expect(calls).toHaveLength(1)
  })

  it('asks about a refusal of tokens that a refresh has replaced, if the newer ones are refused, too', async () => {
    const { auth, clock, send, sent, refresh, calls } = steppedUp()
    const request = send()
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, ADA))
    await clock.advance(0)
    await sent[0]?.answer(refusedFor('write'))
    expect(calls).toHaveLength(0)
    await sent[1]?.answer(refusedFor('write'))
    expect(calls).toHaveLength(1)
    expect(request.state).toBe('pending')
  })

  it('asks again for a later request, after the user declined', async () => {
    const { clock, send, sent, calls, call } = steppedUp()
    const first = send()
    await sent[0]?.answer(refusedFor('write'))
    call().reject(new OAuthError({ reason: 'popup_closed' }))
    await clock.advance(0)
    expect(first.value).toEqual(refusedFor('write'))
    void send()
    await sent[1]?.answer(refusedFor('write'))
    expect(calls).toHaveLength(2)
  })

  it('ends the wait at once when the caller aborts, and the others wait on', async () => {
    const { clock, send, sent, call } = steppedUp()
    const controller = new AbortController()
    const aborted = send('GET /', { signal: controller.signal })
    const other = send()
    await sent[0]?.answer(refusedFor('write'))
    await sent[1]?.answer(refusedFor('write'))
    controller.abort('no longer wanted')
    await clock.advance(0)
    expect(aborted).toMatchObject({ state: 'rejected', error: 'no longer wanted' })
    call().resolve(tokens(2, ADA))
    await clock.advance(0)
    expect(sent).toHaveLength(3)
    await sent[2]?.answer(OK)
    expect(other.value).toEqual(OK)
  })

  it('ends with the session: the caller gets the answer, and tokens that come later are revoked', async () => {
    const revoked: unknown[] = []
    const { auth, clock, send, sent, call, asked } = steppedUp({
      revoke: ({ refreshToken }) => void revoked.push(refreshToken),
    })
    const request = send()
    await sent[0]?.answer(refusedFor('write'))
    void auth.signOut()
    await clock.advance(0)
    expect(request.value).toEqual(refusedFor('write'))
    expect(asked[0]?.options.signal.aborted).toBe(true)
    call().resolve(tokens(2, ADA))
    await clock.advance(0)
    expect(auth.session).toBeUndefined()
    expect(revoked).toEqual([`${SECRET}-rt-1`, `${SECRET}-rt-2`])
  })

  it.each([
    ['the same user, and sends what waits with those tokens', 'ada', bearer(5)],
    ['another user, and the caller gets the answer', 'eve', undefined],
  ])('asks no longer when another tab has signed in %s', async (_, subject, authorization) => {
    const fake = fakeCoordinator()
    const storage = memoryStorage()
    const revoked: unknown[] = []
    const { clock, send, sent, asked, call, calls } = steppedUp({
      storage,
      coordinator: fake.coordinator,
      revoke: ({ refreshToken }) => void revoked.push(refreshToken),
    })
    await clock.advance(0)
    const requests = [send('GET /1'), send('GET /2')]
    await sent[0]?.answer(refusedFor('write'))
    await clock.advance(1_000)
    const other = createHarness({ storage, clock, signedOut: true })
    await other.auth.setTokens(tokens(5, { subject }))
    fake.receive({ type: 'changed', reason: 'signed_in' })
    await clock.advance(0)
    expect(asked[0]?.options.signal.aborted).toBe(true)
    // It was on its way meanwhile.
    await sent[1]?.answer(refusedFor('write'))
    expect(sent.slice(2).map((each) => each.authorization)).toEqual(
      authorization ? [authorization, authorization] : [],
    )
    await sent[2]?.answer(OK)
    await sent[3]?.answer(refusedFor('write'))
    const answers = authorization ? [OK, refusedFor('write')] : [refusedFor('write'), refusedFor('write')]
    expect(requests.map(({ value }) => value)).toEqual(answers)
    expect(calls).toHaveLength(1)

    // Some servers revoke all tokens of a user at once, and so those of the session that goes on.
    call().resolve(tokens(6, ADA))
    await clock.advance(0)
    expect(revoked).toEqual(authorization ? [] : [`${SECRET}-rt-6`])
  })

  it.each([
    ['timeouts.signIn', 1_000],
    ['the removal of the handler', 0],
    ['dispose', 0],
  ])('ends by %s', async (how, time) => {
    const { auth, clock, send, sent, asked, stop } = steppedUp({ timeouts: { signIn: 1_000 } })
    const request = send()
    await sent[0]?.answer(refusedFor('write'))
    if (how === 'dispose') auth.dispose()
    else if (time === 0) stop()
    await clock.advance(time)
    expect(request.value).toEqual(refusedFor('write'))
    expect(asked[0]?.options.signal.aborted).toBe(true)
  })

  it.each<[string, (made: ReturnType<typeof steppedUp>, controller: AbortController) => void]>([
    ['the user signs out', ({ auth }) => void auth.signOut()],
    ['the handler is removed', ({ stop }) => stop()],
    ['the request that needs it is aborted', (_, controller) => controller.abort('no longer wanted')],
  ])('asks for nothing else once %s', async (_, end) => {
    const made = steppedUp()
    const { clock, send, sent, calls } = made
    const controller = new AbortController()
    const first = send('GET /first')
    const second = send('GET /second', { signal: controller.signal })
    await sent[0]?.answer(refusedFor('write'))
    await sent[1]?.answer(refusedFor('admin'))
    end(made, controller)
    await clock.advance(0)
    made.call().reject(new OAuthError({ reason: 'popup_closed' }, ''))
    await clock.advance(0)
    expect(calls).toHaveLength(1)
    expect(first.value).toEqual(refusedFor('write'))
    if (controller.signal.aborted) expect(second.error).toBe('no longer wanted')
    else expect(second.value).toEqual(refusedFor('admin'))
  })

  it('gives a request of the handler its answer, because it would wait for itself', async () => {
    const inner: ReturnType<typeof watch>[] = []
    const made = steppedUp({}, (_, { signal }) => {
      inner.push(made.send('GET /inner', { signal }))
      return new Promise<TokenResponse>(() => {})
    })
    void made.send()
    await made.sent[0]?.answer(refusedFor('write'))
    await made.sent[1]?.answer(refusedFor('write'))
    expect(inner[0]?.value).toEqual(refusedFor('write'))
  })

  it('does not ask for a demand that is too long for an address', async () => {
    const { send, sent, calls } = steppedUp()
    const request = send()
    await sent[0]?.answer(refusedFor('x'.repeat(10_000)))
    expect(request.state).toBe('fulfilled')
    expect(calls).toHaveLength(0)
  })

  it('asks nothing for a request that was sent without a token', async () => {
    const { send, sent, calls } = steppedUp({ signedOut: true, initialTokens: undefined } as never)
    const request = send()
    await sent[0]?.answer(refusedFor('write'))
    expect(request.value).toEqual(refusedFor('write'))
    expect(calls).toHaveLength(0)
  })

  it('asks when a request is refused after it waited for a refresh', async () => {
    const { clock, send, sent, refresh, calls, call } = steppedUp()
    const request = send()
    await sent[0]?.answer({ status: 401 })
    refresh.call().resolve(tokens(2, ADA))
    await clock.advance(0)
    await sent[1]?.answer(refusedFor('write'))
    expect(calls).toHaveLength(1)
    call().resolve(tokens(3, ADA))
    await clock.advance(0)
    await sent[2]?.answer(OK)
    expect(request.value).toEqual(OK)
  })

  it('keeps every secret out of events and errors', async () => {
    const { clock, send, sent, call, events, reported, auth } = steppedUp()
    void send()
    await sent[0]?.answer(refusedFor('write'))
    call().resolve(tokens(2, { subject: 'eve' }))
    await clock.advance(0)
    void send()
    await sent[1]?.answer(refusedFor('write'))
    call().resolve(tokens(2, ADA))
    await clock.advance(0)
    expect(events.some(({ type }) => type === 'refreshed')).toBe(true)
    expect(JSON.stringify([events, reported, auth.history, auth.actor.getSnapshot()])).not.toContain(SECRET)
  })

  it('throws a TypeError without a handler, or without a session of createAuth', () => {
    const { auth } = started()
    expect(() => onStepUp(auth, undefined as never)).toThrow(TypeError)
    expect(() => onStepUp({ actor: {} } as never, () => undefined)).toThrow('onStepUp needs the session')
  })

  it('is read from the header of the answer by a transport', async () => {
    const { auth, clock } = steppedUp({}, () => tokens(2, ADA))
    const sent: (string | undefined)[] = []
    const answer = watch(
      bearerRequest(auth, {
        send: async (authorization) => {
          sent.push(authorization)
          return sent.length
        },
        challenge: (count) => (count === 1 ? { acrValues: 'mfa', maxAge: 60 } : undefined),
        replayable: true,
        key: () => 'GET /',
      }),
    )
    await clock.advance(0)
    expect(answer.value).toBe(2)
    expect(sent).toEqual([bearer(1), bearer(2)])
  })
})
