import { describe, expect, it } from 'vitest'
import { bearerRequest } from '../../src/core/bearer-request.ts'
import { LIFETIME, refused, rig, SECRET, tokens, watch } from './auth-setup.ts'

/** A request that answers with what it was sent with. */
const echo = {
  send: async (authorization: string | undefined) => authorization,
  challenge: () => undefined,
  replayable: true,
  key: () => 'GET /echo',
}

describe('a listener that calls the library again', () => {
  it("may sign out inside 'refreshed'", async () => {
    const { auth, refresh, clock, reported, told } = rig()
    const outs: Promise<void>[] = []
    auth.on('refreshed', () => void outs.push(auth.signOut()))
    const renewed = watch(auth.refresh())
    const held = watch(auth.getAccessToken())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await Promise.all(outs)
    expect(auth.state).toBe('loggedOut')
    expect(auth.session).toBeUndefined()
    expect([renewed.state, held.state]).not.toContain('pending')
    expect(told()).toEqual(['refreshed', 'signedOut'])
    expect(reported).toEqual([])
  })

  it("may send a request inside 'expired': it is refused, and nothing is sent with the dead token", async () => {
    const { auth, refresh, clock } = rig({ initialTokens: tokens(1, { expires_in: 0 }) })
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

  it('may send a request inside an event that finds the token dead: it waits', async () => {
    const { auth, refresh, clock } = rig()
    clock.jump(LIFETIME)
    const answers: ReturnType<typeof watch>[] = []
    auth.on('storageFailed', () => void answers.push(watch(bearerRequest(auth, echo))))
    auth.actor.send({ type: 'storage.failed', reason: 'timeout' })
    await clock.advance(0)
    expect(answers[0]?.state).toBe('pending')
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(answers[0]?.value).toBe(`Bearer ${SECRET}-at-2`)
  })

  it("may send a request inside 'refreshed': it goes with the new token", async () => {
    const { auth, refresh, clock } = rig()
    const answers: Promise<unknown>[] = []
    auth.on('refreshed', () => void answers.push(bearerRequest(auth, echo)))
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(await answers[0]).toBe(`Bearer ${SECRET}-at-2`)
  })

  it("may refresh inside 'refreshed', once, and both renewals take place", async () => {
    const { auth, refresh, clock } = rig()
    const again: ReturnType<typeof watch>[] = []
    const stop = auth.on('refreshed', () => {
      stop()
      again.push(watch(auth.refresh()))
    })
    const renewed = watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(renewed.state).toBe('fulfilled')
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(again[0]).toMatchObject({ state: 'fulfilled', value: { generation: 3 } })
  })

  it("may sign in inside 'expired', and who asks from there on waits for it", async () => {
    const { auth, refresh, signIn, clock } = rig({ initialTokens: tokens(1, { expires_in: 0 }) })
    auth.on('expired', () => void auth.signIn('ada').catch(() => {}))
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(auth.state).toBe('authenticating')
    const held = watch(auth.getAccessToken())
    signIn.call().resolve(tokens(5))
    await clock.advance(0)
    expect(held.value).toBe(`${SECRET}-at-5`)
  })

  it("may set tokens inside 'signedOut'", async () => {
    const { auth } = rig()
    auth.on('signedOut', () => void auth.setTokens(tokens(5)))
    await auth.signOut()
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-5`)
  })

  it('may do so from a subscription of the actor', async () => {
    const { auth, clock, refresh } = rig()
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

  it('may do so from an inspector', async () => {
    const { auth, clock } = rig()
    let asked = 0
    auth.actor.system.inspect((frame) => {
      if (frame.type === '@xstate.snapshot' && asked++ === 0) auth.getAccessToken().catch(() => {})
    })
    await clock.advance(LIFETIME)
    expect(asked).toBeGreaterThan(0)
    expect(auth.state).toBe('refreshing')
  })

  it('may listen, and stop listening, inside an event', async () => {
    const { auth } = rig()
    const heard: string[] = []
    const stops: (() => void)[] = []
    stops.push(
      auth.on('signedOut', () => {
        for (const stop of stops) stop()
        auth.on('signedIn', () => void heard.push('late'))
      }),
      auth.on('signedOut', () => void heard.push('removed')),
    )
    await auth.signOut()
    await auth.setTokens(tokens(2))
    expect(heard).toEqual(['late'])
  })
})

describe('a function of the user that calls the library again', () => {
  it('may ask for a token inside refresh: with the gate open it has one', async () => {
    const seen: unknown[] = []
    const { auth, clock } = rig({
      refresh: async () => {
        seen.push(await auth.getAccessToken())
        return tokens(2)
      },
    })
    await auth.refresh()
    await clock.advance(0)
    expect(seen).toEqual([`${SECRET}-at-1`])
  })

  it('that waits for itself inside refresh ends by its timeout, and the session is kept', async () => {
    const { auth, clock } = rig({
      initialTokens: tokens(1, { expires_in: 0 }),
      refresh: async () => {
        await auth.getAccessToken()
        return tokens(2)
      },
    })
    await clock.advance(25_000)
    expect(auth.session).toBeDefined()
    expect(auth.history).toContainEqual(expect.objectContaining({ type: 'refreshFailed', reason: 'timeout' }))
  })

  it('may sign out inside isFatal', async () => {
    const { auth, refresh, clock } = rig({
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
