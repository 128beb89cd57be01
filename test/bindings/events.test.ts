import { describe, expect, expectTypeOf, it } from 'vitest'
import { type AuthDOMEvent, authEvents, authStore } from '../../src/bindings/events.ts'
import { type AuthEventMap, createAuth, type Session } from '../../src/index.ts'
import { createHarness, SECRET, tokens } from '../core/auth-setup.ts'

describe('authEvents', () => {
  it('dispatches the events of auth.on under the same names', async () => {
    const { auth, clock, refresh, events } = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const received: CustomEvent[] = []
    const types = ['transition', 'refreshed', 'signedIn', 'signedOut'] as const
    for (const type of types) authEvents(auth).addEventListener(type, (event) => received.push(event))
    events.length = 0

    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await auth.setTokens(tokens(3, { subject: 'grace' }))
    await auth.signOut()

    expect(received.map(({ type }) => type)).toEqual(events.map(({ type }) => type))
    expect(received.map(({ detail }) => detail)).toEqual(events)
    expect(received.filter(({ type }) => type === 'refreshed')).toHaveLength(1)
  })

  it('dispatches frozen events without any token', async () => {
    const { auth } = createHarness()
    const received: AuthDOMEvent<'signedOut'>[] = []
    authEvents(auth).addEventListener('signedOut', (event) => received.push(event))
    await auth.signOut()
    expect(received[0]?.detail).toMatchObject({ type: 'signedOut', reason: 'signed_out', generation: 1 })
    expect(Object.isFrozen(received[0]?.detail)).toBe(true)
    expect(JSON.stringify(received[0]?.detail)).not.toContain(SECRET)
  })

  it('supports once, signal, handleEvent and removeEventListener', async () => {
    const { auth } = createHarness()
    const target = authEvents(auth)
    const received: string[] = []
    const controller = new AbortController()
    const listener = () => received.push('stopped')
    target.addEventListener('signedIn', () => received.push('once'), { once: true })
    target.addEventListener('signedIn', () => received.push('signal'), { signal: controller.signal })
    target.addEventListener('signedIn', {
      handleEvent: ({ detail }) => received.push(`epoch ${detail.epoch}`),
    })
    target.addEventListener('signedIn', listener)
    target.removeEventListener('signedIn', listener)

    await auth.setTokens(tokens(2))
    controller.abort()
    await auth.setTokens(tokens(3))

    expect(received).toEqual(['once', 'signal', 'epoch 2', 'epoch 3'])
  })

  it('returns one target per auth, which dispatches nothing after the auth is disposed of', async () => {
    const { auth } = createHarness()
    const { auth: other } = createHarness()
    expect(authEvents(auth)).toBe(authEvents(auth))
    expect(authEvents(auth)).not.toBe(authEvents(other))
    const received: string[] = []
    authEvents(auth).addEventListener('transition', ({ detail }) => received.push(detail.to))
    auth.dispose()
    await auth.signOut()
    expect(received).toEqual([])
  })

  it('is typed by the names of the events', () => {
    const { auth } = createHarness()
    authEvents(auth).addEventListener('refreshFailed', ({ detail }) => {
      expectTypeOf(detail).toEqualTypeOf<AuthEventMap['refreshFailed']>()
    })
    // @ts-expect-error unknown event
    authEvents(auth).addEventListener('refreshfailed', () => {})
    // @ts-expect-error a DOM event has one name
    authEvents(auth).addEventListener('*', () => {})
  })
})

describe('authStore', () => {
  it('reads the current snapshot, and notifies of changes until it is unsubscribed', async () => {
    const { auth } = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const { read, subscribe } = authStore(auth)
    const views: string[] = []
    const stop = subscribe(() => views.push(read().view))
    expect(read()).toMatchObject({ view: 'signedIn', session: { subject: 'ada' }, held: 0 })
    expect(read()).toBe(read())
    await auth.signOut()
    expect(views.at(-1)).toBe('signedOut')
    stop()
    const before = views.length
    await auth.setTokens(tokens(2))
    expect(views).toHaveLength(before)
    expect(authStore(auth)).toBe(authStore(auth))
  })

  it('is typed with the claims', () => {
    const auth = createAuth<string, { readonly sub: string }>({ refresh: () => ({ access_token: 'a' }) })
    expectTypeOf(authStore(auth).read().session).toEqualTypeOf<
      Session<{ readonly sub: string }> | undefined
    >()
    auth.dispose()
  })
})
