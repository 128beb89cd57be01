// Import this before the rest of Angular: its packages are published partially compiled.
import '@angular/compiler'
import {
  computed,
  createEnvironmentInjector,
  type EnvironmentInjector,
  PLATFORM_ID,
  runInInjectionContext,
  type Signal,
  signal,
} from '@angular/core'
import { describe, expect, it, vi } from 'vitest'
import {
  createAuthContext,
  injectAuth,
  injectAuthState,
  injectAuthView,
  injectSession,
  provideAuth,
} from '../../src/bindings/angular.ts'
import { createInjector } from '../conformance/angular-transport.ts'
import { createHarness, refused, tokens } from '../core/auth-setup.ts'
import { deliver } from '../support/deliver.ts'
import { countListeners } from './listeners.ts'

const within = <T>(injector: EnvironmentInjector, ask: () => T) => runInInjectionContext(injector, ask)

/** Wraps a signal, and counts how often its value changes. */
const counting = <T>(source: Signal<T>) => {
  const values: T[] = []
  const watched = computed(() => values.push(source()))
  return {
    get values() {
      watched()
      return values
    },
  }
}

describe('the signals of the Angular binding', () => {
  it('show the current session and state of the chart', async () => {
    const { auth, clock, refresh } = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const injector = createInjector(provideAuth(auth))
    const session = within(injector, () => injectSession())
    const state = within(injector, () => injectAuthState())

    expect([session()?.subject, session()?.generation, state()]).toEqual(['ada', 1, 'authenticated'])
    void auth.refresh()
    await clock.advance(0)
    expect([session()?.generation, state()]).toEqual([1, 'refreshing'])
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect([session()?.generation, state()]).toEqual([2, 'authenticated'])
    await auth.signOut()
    expect([session(), state()]).toEqual([undefined, 'loggedOut'])
  })

  it('change only when the selected value changes', async () => {
    const { auth, clock, refresh } = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const injector = createInjector(provideAuth(auth))
    const { user, pair, equalPair, whole, held } = within(injector, () => ({
      user: counting(injectSession((session) => session?.subject)),
      pair: counting(injectSession((session) => [session?.subject])),
      equalPair: counting(
        injectSession(
          (session) => [session?.subject],
          (a, b) => `${a}` === `${b}`,
        ),
      ),
      whole: counting(injectSession()),
      held: counting(injectAuthState((snapshot) => snapshot.held)),
    }))
    const counts = () => [user, pair, equalPair, whole, held].map(({ values }) => values.length)
    expect(counts()).toEqual([1, 1, 1, 1, 1])

    void auth.refresh()
    await clock.advance(0)
    expect(counts()).toEqual([1, 1, 1, 1, 1])
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(counts()).toEqual([1, 2, 1, 2, 1])
    deliver(auth, { type: 'request.held', count: 3, held: 3 })
    expect(counts()).toEqual([1, 2, 1, 2, 2])
    await auth.setTokens(tokens(3, { subject: 'grace' }))
    expect(counts()).toEqual([2, 3, 2, 3, 2])
    expect(user.values).toEqual(['ada', 'grace'])
  })

  it('follow other signals that the selector reads', () => {
    const { auth } = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const field = signal<'subject' | 'epoch'>('subject')
    const value = within(createInjector(provideAuth(auth)), () =>
      injectSession((session) => session?.[field()]),
    )
    expect(value()).toBe('ada')
    field.set('epoch')
    expect(value()).toBe(1)
  })

  it('accept a change during a computation', async () => {
    const { auth, reported } = createHarness({ initialTokens: tokens(1) })
    const state = within(createInjector(provideAuth(auth)), () => injectAuthState())
    const acts = computed(() => {
      void auth.signOut()
      return state()
    })
    expect(acts()).toBe('signingOut')
    await auth.signOut()
    expect(state()).toBe('loggedOut')
    expect(reported).toEqual([])
  })

  it('distinguish auths by context or by argument', () => {
    const ada = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) }).auth
    const grace = createHarness({ initialTokens: tokens(1, { subject: 'grace' }) }).auth
    const lise = createHarness({ initialTokens: tokens(1, { subject: 'lise' }) }).auth
    const own = createAuthContext<typeof grace>()
    const injector = createInjector(provideAuth(ada), own.provideAuth(grace))
    const seen = within(injector, () => [
      injectSession((session) => session?.subject)(),
      own.injectSession((session) => session?.subject)(),
      injectSession(lise, (session) => session?.subject)(),
      injectSession(lise)()?.subject,
      injectAuthState(lise)(),
      injectAuthState(lise, ({ view }) => view)(),
    ])
    expect(seen).toEqual(['ada', 'grace', 'lise', 'lise', 'authenticated', 'signedIn'])
    expect(within(injector, () => [injectAuth(), own.injectAuth()])).toEqual([ada, grace])
  })

  it('throw an explanatory error if no auth is provided', () => {
    const injector = createInjector()
    const asks = { injectAuth, injectSession, injectAuthState, injectAuthView }
    for (const [name, ask] of Object.entries(asks)) {
      expect(() => within(injector, ask as () => unknown)).toThrow(
        `${name}() found no auth. Add provideAuth(auth) to the providers that bootstrapApplication() is given.`,
      )
    }
  })
})

describe('injectAuthView', () => {
  /** Records what is shown during the life of a session. */
  const viewsOf = async (keepExpired: boolean) => {
    const { auth, clock, refresh, signIn } = createHarness({ signedOut: true, silentSignIn: true })
    const injector = createInjector(provideAuth(auth, { keepExpired }))
    const show = within(injector, () => injectAuthView())
    const user = within(injector, () => injectSession((session) => session?.subject))
    const seen: string[] = []
    const look = () => {
      const { view, ...views } = show
      const shown = Object.entries(views).filter(([, is]) => is())
      seen.push(`${view()}: ${shown.map(([name]) => name)}${keepExpired ? ` ${user()}` : ''}`)
    }
    const answer = async (
      call: { resolve: (value: never) => void; reject: (error: unknown) => void },
      n?: number,
    ) => {
      if (n === undefined) call.reject(refused())
      else call.resolve(tokens(n, { subject: 'ada' }) as never)
      await clock.advance(0)
      look()
    }
    look()
    await clock.advance(0)
    await answer(refresh.call())
    void auth.signIn('ada')
    await clock.advance(0)
    look()
    await answer(signIn.call(), 1)
    auth.refresh().catch(() => {})
    await clock.advance(0)
    look()
    await answer(refresh.call())
    await clock.advance(600_000)
    look()
    void auth.signIn('ada')
    await clock.advance(0)
    look()
    await answer(signIn.call(), 2)
    await auth.signOut()
    look()
    return seen
  }

  it('shows one view at a time, which does not change during a refresh or a sign-in', async () => {
    expect(await viewsOf(false)).toEqual([
      'restoring: restoring',
      ...Array(2).fill('signedOut: signedOut'),
      ...Array(3).fill('signedIn: signedIn'),
      ...Array(2).fill('expired: signedOut,expired'),
      'signedIn: signedIn',
      'signedOut: signedOut',
    ])
  })

  it('still shows the page of an expired session with keepExpired', async () => {
    expect((await viewsOf(true)).slice(6, 8)).toEqual(Array(2).fill('expired: signedIn,expired ada'))
  })
})

describe('provideAuth', () => {
  it('listens once for any number of injections, until the application is destroyed', () => {
    const { auth } = createHarness()
    const listeners = countListeners(auth)
    const injector = createInjector(provideAuth(auth))
    within(injector, () => [injectSession(), injectSession(), injectAuthState(), injectAuthView()])
    expect(listeners()).toBe(1)
    injector.destroy()
    expect(listeners()).toBe(0)
  })

  it('stops listening to an auth argument when its component is destroyed', () => {
    const { auth } = createHarness()
    const listeners = countListeners(auth)
    const application = createInjector()
    const part = createEnvironmentInjector([], application)
    within(part, () => [injectSession(auth), injectAuthState(auth)])
    expect(listeners()).toBe(2)
    part.destroy()
    expect(listeners()).toBe(0)
  })

  it('does not dispose of an auth that was created outside', async () => {
    const { auth } = createHarness()
    createInjector(provideAuth(auth)).destroy()
    expect(await auth.getAccessToken()).toBe('SECRET-at-1')
  })

  it('calls a given function at once, and disposes of its auth with the application', async () => {
    const { auth } = createHarness()
    const make = vi.fn(() => auth)
    const injector = createInjector(provideAuth(make))
    expect(make).toHaveBeenCalledTimes(1)
    expect(within(injector, () => [injectAuth(), injectAuth()])).toEqual([auth, auth])
    expect(make).toHaveBeenCalledTimes(1)
    injector.destroy()
    await expect(auth.getAccessToken()).rejects.toMatchObject({ name: 'DisposedError' })
  })

  it('shows the restoring state on a server, and adds no listener', () => {
    const { auth } = createHarness()
    const listeners = countListeners(auth)
    const injector = createInjector(provideAuth(auth), { provide: PLATFORM_ID, useValue: 'server' })
    const seen = within(injector, () => [
      injectSession()(),
      injectAuthState()(),
      injectAuthView().restoring(),
      injectAuthState(auth, ({ view }) => view)(),
    ])
    expect(seen).toEqual([undefined, 'restoring', true, 'restoring'])
    expect(listeners()).toBe(0)
  })
})
