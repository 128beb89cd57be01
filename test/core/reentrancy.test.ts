import { describe, expect, it } from 'vitest'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { deliver } from '../support/deliver.ts'
import {
  createHarness,
  fakeCoordinator,
  type HarnessOptions,
  LIFETIME,
  refused,
  SECRET,
  tokens,
  watch,
} from './auth-setup.ts'

/** A request that resolves to the authorization it was sent with. */
const echo = {
  send: async (authorization: string | undefined) => authorization,
  challenge: () => undefined,
  replayable: true,
  key: () => 'GET /echo',
}

function sharingHarness() {
  const coordinator = fakeCoordinator()
  return { ...createHarness({ coordinator: coordinator.coordinator }), coordinator }
}

describe('a listener that calls the library again', () => {
  it("may sign out in a listener for 'refreshed'", async () => {
    const { auth, refresh, clock, reported, emitted } = createHarness()
    const outs: Promise<void>[] = []
    auth.on('refreshed', () => void outs.push(auth.signOut()))
    const refreshed = watch(auth.refresh())
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await Promise.all(outs)
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
    expect([refreshed.state, held.state]).not.toContain('pending')
    expect(emitted()).toEqual(['refreshed', 'signedOut'])
    expect(reported).toEqual([])
  })

  it("may send a request in a listener for 'expired', which is rejected and never sent", async () => {
    const { auth, refresh, clock } = createHarness({ initialTokens: tokens(1, { expires_in: 0 }) })
    const sent: unknown[] = []
    const answers: ReturnType<typeof watch>[] = []
    auth.on('expired', () => {
      expect(auth.state).toBe('expired')
      expect(auth.session).toBeUndefined()
      answers.push(watch(bearerRequest(auth, { ...echo, send: async (header) => void sent.push(header) })))
    })
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(answers[0]?.error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
    expect(sent).toEqual([])
  })

  it('may send a request after the token has expired, and the request waits', async () => {
    const { auth, refresh, clock } = createHarness()
    clock.jump(LIFETIME)
    const answers: ReturnType<typeof watch>[] = []
    auth.on('storageFailed', () => void answers.push(watch(bearerRequest(auth, echo))))
    deliver(auth, { type: 'store.failed', reason: 'timeout' })
    await clock.advance(0)
    expect(answers[0]?.state).toBe('pending')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(answers[0]?.value).toBe(`Bearer ${SECRET}-at-2`)
  })

  it("may send a request in a listener for 'refreshed', which is sent with the new token", async () => {
    const { auth, refresh, clock } = createHarness()
    const answers: Promise<unknown>[] = []
    auth.on('refreshed', () => void answers.push(bearerRequest(auth, echo)))
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(await answers[0]).toBe(`Bearer ${SECRET}-at-2`)
  })

  it("may refresh once in a listener for 'refreshed', and both refreshes take place", async () => {
    const { auth, refresh, clock } = createHarness()
    const again: ReturnType<typeof watch>[] = []
    const stop = auth.on('refreshed', () => {
      stop()
      again.push(watch(auth.refresh()))
    })
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(again[0]).toMatchObject({ state: 'fulfilled', value: { generation: 3 } })
  })

  it("may sign in in a listener for 'expired', and later calls wait for the sign-in", async () => {
    const { auth, refresh, signIn, clock } = createHarness({
      initialTokens: tokens(1, { expires_in: 0, subject: 'ada' }),
    })
    auth.on('expired', () => void auth.signIn('ada').catch(() => {}))
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(auth.state).toBe('authenticating')
    const held = watch(auth.getAccessToken())
    signIn.call().resolve(tokens(5, { subject: 'ada' }))
    await clock.advance(0)
    expect(held.value).toBe(`${SECRET}-at-5`)
  })

  it("may set tokens in a listener for 'signedOut'", async () => {
    const { auth } = createHarness()
    auth.on('signedOut', () => void auth.setTokens(tokens(5)))
    await auth.signOut()
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-5`)
  })

  it('may set tokens after signing out in the same listener, and is signed in with them', async () => {
    const { auth, clock } = createHarness()
    const stop = auth.on('signedIn', () => {
      stop()
      void auth.signOut()
      void auth.setTokens(tokens(3))
    })
    void auth.setTokens(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-3`)
  })

  it('may sign out after setting tokens in the same listener, and is signed out', async () => {
    const { auth, clock } = createHarness()
    const stop = auth.on('signedIn', () => {
      stop()
      void auth.setTokens(tokens(3))
      void auth.signOut()
    })
    void auth.setTokens(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
  })

  it('may sign in after signing out in the same listener, and is signed in', async () => {
    const { auth, clock, signIn } = createHarness()
    const signedIn: ReturnType<typeof watch>[] = []
    const stop = auth.on('signedIn', () => {
      stop()
      void auth.signOut()
      signedIn.push(watch(auth.signIn('bob')))
    })
    void auth.setTokens(tokens(2))
    await clock.advance(0)
    signIn.call().resolve(tokens(3))
    await clock.advance(0)
    expect(signedIn[0]?.state).toBe('fulfilled')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-3`)
  })

  it('may set tokens while a limit ends the session before, and is signed in with them', async () => {
    const { auth, clock } = createHarness({ limits: { absolute: LIFETIME / 2 } })
    // The limit is noticed in a step after which the chart first handles what the listener does.
    clock.jump(LIFETIME / 2)
    const { unsubscribe } = auth.actor.subscribe(() => {
      unsubscribe()
      void auth.setTokens(tokens(2))
    })
    deliver(auth, { type: 'clock.check' })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })

  it('may set tokens while another tab ends the session before, and is signed in with them', async () => {
    const { auth, clock, coordinator } = sharingHarness()
    const { unsubscribe } = auth.actor.subscribe(() => {
      unsubscribe()
      coordinator.receive({ type: 'ended' })
      void auth.setTokens(tokens(2))
    })
    deliver(auth, { type: 'clock.check' })
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })

  it('may sign out in a subscription of the actor', async () => {
    const { auth, clock, refresh } = createHarness()
    const states: string[] = []
    auth.actor.subscribe(() => {
      states.push(auth.state)
      if (auth.state === 'refreshing') void auth.signOut()
    })
    auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(auth.state).toBe('loggedOut')
    expect(states).toContain('signingOut')
    refresh.calls[0]?.resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session).toBeUndefined()
  })

  it('may call getAccessToken() in an inspector', async () => {
    const { auth, clock } = createHarness()
    let asked = 0
    auth.actor.system.inspect((frame) => {
      if (frame.type === '@xstate.snapshot' && asked++ === 0) auth.getAccessToken().catch(() => {})
    })
    await clock.advance(LIFETIME)
    expect(asked).toBeGreaterThan(0)
    expect(auth.state).toBe('refreshing')
  })

  it('may add and remove listeners in a listener', async () => {
    const { auth } = createHarness()
    const received: string[] = []
    const stops: (() => void)[] = []
    stops.push(
      auth.on('signedOut', () => {
        for (const stop of stops) stop()
        auth.on('signedIn', () => void received.push('late'))
      }),
      auth.on('signedOut', () => void received.push('removed')),
    )
    await auth.signOut()
    await auth.setTokens(tokens(2))
    expect(received).toEqual(['late'])
  })
})

describe('a user function that calls the library again', () => {
  it('receives the current token from getAccessToken() in refresh if the gate is open', async () => {
    const seen: unknown[] = []
    const { auth, clock } = createHarness({
      refresh: async () => {
        seen.push(await auth.getAccessToken())
        return tokens(2)
      },
    })
    await auth.refresh()
    await clock.advance(0)
    expect(seen).toEqual([`${SECRET}-at-1`])
  })

  it('is refused if refresh waits for its own result, and the session is kept', async () => {
    const { auth, clock } = createHarness({
      initialTokens: tokens(1, { expires_in: 0 }),
      refresh: async () => {
        await auth.getAccessToken()
        return tokens(2)
      },
    })
    await clock.advance(0)
    expect(auth.session).toBeDefined()
    expect(auth.history).toContainEqual(
      expect.objectContaining({ type: 'refreshFailed', reason: 'own_client' }),
    )
  })

  it('may sign out in isFatal', async () => {
    const { auth, refresh, clock } = createHarness({
      isFatal: () => {
        void auth.signOut()
        return false
      },
    })
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new Error('no'))
    await clock.advance(0)
    expect(auth.state).toBe('loggedOut')
  })
})

describe('a listener that signs another user in', () => {
  const ada = (n: number, more: object = {}) => tokens(n, { subject: 'ada', ...more })
  const bob = (n: number) => tokens(n, { subject: 'bob' })

  it('does so without the replay of the first user being sent as the second user', async () => {
    const { auth, clock } = createHarness({ initialTokens: ada(1) })
    const sent: unknown[] = []
    auth.on('transition', () => auth.session?.subject === 'ada' && void auth.setTokens(bob(9)))
    const answer = watch(
      bearerRequest(auth, {
        ...echo,
        send: async (authorization) => {
          sent.push(authorization)
          return { status: 401 }
        },
        challenge: () => 'refresh',
      }),
    )
    await clock.advance(0)
    expect(auth.session?.subject).toBe('bob')
    expect(sent).toEqual([`Bearer ${SECRET}-at-1`])
    expect(answer.value).toEqual({ status: 401 })
  })

  it.each<[string, HarnessOptions, number]>([
    ['a limit was reached', { limits: { absolute: 60_000 } }, 60_000],
    ['the token expired', {}, LIFETIME],
  ])(
    'does so without the request of the first user being sent as the second user, when it finds that %s',
    async (_, options, slept) => {
      const { auth, clock } = createHarness({ initialTokens: ada(1), ...options })
      auth.on('transition', () => auth.session?.subject !== 'bob' && void auth.setTokens(bob(9)))
      clock.jump(slept)
      const answer = watch(bearerRequest(auth, echo))
      await clock.advance(0)
      expect(auth.session?.subject).toBe('bob')
      expect(answer.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
    },
  )

  it('makes a call for an access token of the first user reject', async () => {
    const { auth, clock } = createHarness({ initialTokens: ada(1) })
    const token = watch(auth.getAccessToken({ minValidity: LIFETIME / 2 }))
    await clock.advance(LIFETIME - 10_000)
    const asked = watch(auth.getAccessToken({ minValidity: LIFETIME / 2 }))
    await auth.setTokens(bob(9))
    await clock.advance(0)
    expect(token.state).toBe('fulfilled')
    expect(asked.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
  })
})
