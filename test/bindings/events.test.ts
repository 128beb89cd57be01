import { describe, expect, expectTypeOf, it } from 'vitest'
import { type AuthDOMEvent, authEvents, authStore } from '../../src/bindings/events.ts'
import { type AuthEventMap, createAuth, type Session } from '../../src/index.ts'
import { rig, SECRET, tokens } from '../core/auth-setup.ts'

describe('authEvents', () => {
  it('tells what auth.on tells, under the same names', async () => {
    const { auth, clock, refresh, events } = rig({ initialTokens: tokens(1, { subject: 'ada' }) })
    const heard: CustomEvent[] = []
    const types = ['transition', 'refreshed', 'signedIn', 'signedOut'] as const
    for (const type of types) authEvents(auth).addEventListener(type, (event) => heard.push(event))
    events.length = 0

    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await auth.setTokens(tokens(3, { subject: 'grace' }))
    await auth.signOut()

    expect(heard.map(({ type }) => type)).toEqual(events.map(({ type }) => type))
    expect(heard.map(({ detail }) => detail)).toEqual(events)
    expect(heard.filter(({ type }) => type === 'refreshed')).toHaveLength(1)
  })

  it('tells nothing that could be changed, nor any token', async () => {
    const { auth } = rig()
    const heard: AuthDOMEvent<'signedOut'>[] = []
    authEvents(auth).addEventListener('signedOut', (event) => heard.push(event))
    await auth.signOut()
    expect(heard[0]?.detail).toMatchObject({ type: 'signedOut', reason: 'signed_out', generation: 1 })
    expect(Object.isFrozen(heard[0]?.detail)).toBe(true)
    expect(JSON.stringify(heard[0]?.detail)).not.toContain(SECRET)
  })

  it('does what addEventListener can do: once, signal, handleEvent, and to stop', async () => {
    const { auth } = rig()
    const target = authEvents(auth)
    const heard: string[] = []
    const controller = new AbortController()
    const listener = () => heard.push('stopped')
    target.addEventListener('signedIn', () => heard.push('once'), { once: true })
    target.addEventListener('signedIn', () => heard.push('signal'), { signal: controller.signal })
    target.addEventListener('signedIn', { handleEvent: ({ detail }) => heard.push(`epoch ${detail.epoch}`) })
    target.addEventListener('signedIn', listener)
    target.removeEventListener('signedIn', listener)

    await auth.setTokens(tokens(2))
    controller.abort()
    await auth.setTokens(tokens(3))

    expect(heard).toEqual(['once', 'signal', 'epoch 2', 'epoch 3'])
  })

  it('is one target for each auth, which is silent once that is disposed of', async () => {
    const { auth } = rig()
    const { auth: other } = rig()
    expect(authEvents(auth)).toBe(authEvents(auth))
    expect(authEvents(auth)).not.toBe(authEvents(other))
    const heard: string[] = []
    authEvents(auth).addEventListener('transition', ({ detail }) => heard.push(detail.to))
    auth.dispose()
    await auth.signOut()
    expect(heard).toEqual([])
  })

  it('knows the events by their names', () => {
    const { auth } = rig()
    authEvents(auth).addEventListener('refreshFailed', ({ detail }) => {
      expectTypeOf(detail).toEqualTypeOf<AuthEventMap['refreshFailed']>()
    })
    // @ts-expect-error there is no such event
    authEvents(auth).addEventListener('refreshfailed', () => {})
    // @ts-expect-error a DOM event has one name
    authEvents(auth).addEventListener('*', () => {})
  })
})

describe('authStore', () => {
  it('reads what the auth is, and tells of changes until it is stopped', async () => {
    const { auth } = rig({ initialTokens: tokens(1, { subject: 'ada' }) })
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

  it('knows the claims', () => {
    const auth = createAuth<string, { readonly sub: string }>({ refresh: () => ({ access_token: 'a' }) })
    expectTypeOf(authStore(auth).read().session).toEqualTypeOf<
      Session<{ readonly sub: string }> | undefined
    >()
    auth.dispose()
  })
})
